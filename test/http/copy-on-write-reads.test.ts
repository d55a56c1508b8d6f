/** Mode c under large reads: statistics of chunks that are partly private, by any number of workers, and slow readers. */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { seededRandom } from '../helpers/random.js';
import { start, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, json, MiB, outcome, readRaw } from '../system/calls.js';

const ROWS = 2000;
const COLUMNS = 1024;

/** A dataset of mode c over an int32 array that the service has made, and the file itself, and what they hold. */
async function grids(t: Test, env: Readonly<Record<string, string>>) {
  const server = await start(t, { env });
  await create(server, { name: 'grid', dtype: '<i4', shape: [ROWS, COLUMNS] });
  const values = Int32Array.from({ length: ROWS * COLUMNS }, (_, i) => (i * 7919) % 10_007);
  await put(server, 'grid', '', values);
  await create(server, { name: 'trial', path: 'arrays/grid.npy', mode: 'c', external: false });
  return { server, grid: values, trial: values.slice() };
}

async function put(server: TestServer, name: string, slice: string, values: Int32Array): Promise<void> {
  const query = slice === '' ? '' : `?slice=${encodeURIComponent(slice)}`;
  const answer = await server.fetch(`/v1/datasets/${name}/data${query}`, binary('PUT', new Uint8Array(values.buffer)));
  if (answer.status !== 200) throw new Error(await answer.text());
}

interface Statistics {
  readonly cache: string | null;
  readonly generation: number;
  readonly results: Readonly<Record<string, unknown>>;
}

async function ask(server: TestServer, name: string, query: object): Promise<Statistics> {
  const answer = await server.fetch(`/v1/datasets/${name}/statistics`, json('POST', query));
  const body = (await answer.json()) as Omit<Statistics, 'cache'>;
  if (answer.status !== 200) throw new Error(JSON.stringify(body));
  return { ...body, cache: answer.headers.get('x-cache') };
}

const sumOf = (values: Int32Array): number => values.reduce((sum, value) => sum + value, 0);

function columnSums(values: Int32Array, isUsed: (row: number) => boolean = () => true): number[] {
  const sums = Array.from({ length: COLUMNS }, () => 0);
  for (let row = 0; row < ROWS; row++) {
    if (!isUsed(row)) continue;
    for (let column = 0; column < COLUMNS; column++) sums[column]! += values[row * COLUMNS + column]!;
  }
  return sums;
}

const WAYS: readonly (readonly [title: string, env: Readonly<Record<string, string>>])[] = [
  ['two workers, mapped', { HYPERSLAB_WORKERS: '2' }],
  ['one worker, mapped', { HYPERSLAB_WORKERS: '1' }],
  ['two workers, positional', { HYPERSLAB_WORKERS: '2', HYPERSLAB_MAPPING: 'positional' }],
];

for (const [title, env] of WAYS) {
  t.test(`statistics of what was written, ${title}`, async t => {
    const { server, grid, trial } = await grids(t, env);
    const random = seededRandom(5);
    t.equal((await ask(server, 'trial', { ops: ['sum'] })).results['sum'], sumOf(grid), 'as the file');
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 12; i++) {
        const [row, column] = [random.below(ROWS - 40), random.below(COLUMNS - 8)];
        const patch = Int32Array.from({ length: 40 * 8 }, () => random.integer(-1000, 20_000));
        await put(server, 'trial', `${row}:${row + 40},${column}:${column + 8}`, patch);
        for (let j = 0; j < patch.length; j++) trial[(row + (j >> 3)) * COLUMNS + column + (j & 7)] = patch[j]!;
      }
      const all = await ask(server, 'trial', { ops: ['sum', 'min', 'max', { quantile: { q: [0.5] } }] });
      const sorted = trial.toSorted();
      const median = (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2;
      t.strictSame(all.results, { sum: sumOf(trial), min: sorted[0], max: sorted.at(-1), quantile: [median] });
      const axis = await ask(server, 'trial', { ops: ['sum'], axis: 0 });
      t.strictSame(axis.results['sum'], columnSums(trial));
      const few = { ops: ['sum'], axis: 0, where: { column: 3, ge: 9000 } };
      const kept = (row: number): boolean => trial[row * COLUMNS + 3]! >= 9000;
      t.strictSame((await ask(server, 'trial', few)).results['sum'], columnSums(trial, kept));
      const column = await ask(server, 'trial', { ops: ['sum'], slice: ':,3' });
      t.equal(
        column.results['sum'],
        trial.reduce((sum, value, i) => (i % COLUMNS === 3 ? sum + value : sum), 0),
      );
      t.equal((await ask(server, 'grid', { ops: ['sum'] })).results['sum'], sumOf(grid), 'the file has none of it');
      t.equal((await ask(server, 'trial', { ops: ['sum'], axis: 0 })).cache, 'hit');
      t.equal((await readRaw(server, 'trial')).compare(Buffer.from(trial.buffer)), 0);
      const strided = await readRaw(server, 'trial', '::-3,5::2');
      t.equal(strided.readInt32LE(4), trial[(ROWS - 1) * COLUMNS + 7]);
    }
    const untouched = await ask(server, 'trial', { ops: ['sum'], axis: 1, slice: '0:10' });
    t.equal((untouched.results['sum'] as number[]).length, 10);
    t.equal(await outcome(server.fetch('/v1/datasets/trial/discard', { method: 'POST' })), '200');
    t.equal((await ask(server, 'trial', { ops: ['sum'] })).results['sum'], sumOf(grid));
  });
}

t.test('each statistic is of one generation while both are written', async t => {
  const { server, grid } = await grids(t, {});
  // What each write adds to the sum, which a page that is private hides from writes of the file.
  const sums = new Map<number, number>();
  const first = await ask(server, 'trial', { ops: ['sum'] });
  sums.set(first.generation, sumOf(grid));
  const state = { done: false };
  const writing = (async () => {
    let sum = sumOf(grid);
    for (let i = 0; !state.done; i++) {
      // Rows are pages, one header aside: even ones are written in memory, odd ones in the file, four rows apart.
      const row = ((i * 4) % (ROWS - 4)) + (i % 2) * 2;
      const name = i % 2 === 0 ? 'trial' : 'grid';
      const value = i % 1000;
      const body = new Int32Array(256).fill(value);
      const answer = await server.fetch(
        `/v1/datasets/${name}/data?slice=${row},400:656`,
        binary('PUT', new Uint8Array(body.buffer)),
      );
      if (answer.status !== 200) throw new Error(await answer.text());
      for (let j = 400; j < 656; j++) {
        sum += value - grid[row * COLUMNS + j]!;
        grid[row * COLUMNS + j] = value;
      }
      const { generation } = (await (await server.fetch('/v1/datasets/trial')).json()) as { generation: number };
      sums.set(generation, sum);
    }
  })();
  const answers: Statistics[] = [];
  const generations = new Set<number>();
  // On a busy machine few writes come between two answers.
  while (answers.length < 25 || generations.size <= 5) {
    const answer = await server.fetch('/v1/datasets/trial/statistics?ops=sum', {
      headers: { 'cache-control': 'no-cache' },
    });
    if (answer.status !== 200) continue;
    const statistics = (await answer.json()) as Statistics;
    answers.push(statistics);
    generations.add(statistics.generation);
  }
  state.done = true;
  await writing;
  for (const { generation, results } of answers) t.equal(results['sum'], sums.get(generation), `of ${generation}`);
});

t.test('a slow reader has what stood when it began, or is cut where its memory is needed', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, 'a.bin'), Buffer.alloc(48 * MiB, 1));
  const server = await start(t, { env: { HYPERSLAB_ROOTS: folder, HYPERSLAB_PRIVATE_BYTES: String(64 * MiB) } });
  await create(server, { name: 'trial', path: 'a.bin', mode: 'c' });
  const fill = (stop: number, value: number) =>
    outcome(server.fetch(`/v1/datasets/trial/data?slice=0:${stop}`, json('PUT', value)));
  t.equal(await fill(24 * MiB, 2), '200');
  const slow = await server.fetch('/v1/datasets/trial/data?format=raw');
  t.equal(await fill(24 * MiB, 3), '200');
  const bytes = Buffer.from(await slow.arrayBuffer());
  t.ok(bytes.subarray(0, 24 * MiB).every(byte => byte === 2) && bytes.subarray(24 * MiB).every(byte => byte === 1));

  const cut = await server.fetch('/v1/datasets/trial/data?format=raw');
  t.equal(await fill(24 * MiB, 4), '200');
  t.equal(await fill(24 * MiB, 5), '200');
  await t.rejects(cut.arrayBuffer(), 'its pages were needed for the second write');
  t.ok((await readRaw(server, 'trial', `0:${24 * MiB}`)).every(byte => byte === 5));
});

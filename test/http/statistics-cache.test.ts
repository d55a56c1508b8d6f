/** What was computed once is not computed again until the data changes, and never answered after it did. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { LIMITS } from '../../src/limits.js';
import { seededRandom } from '../helpers/random.js';
import { startServiceHere, type ServiceHere } from '../helpers/service-here.js';
import { create, json } from '../system/calls.js';

const COLUMNS = 1024;
const ROW_BYTES = COLUMNS * 4;
const CHUNK_ROWS = LIMITS.chunkBytesMax / ROW_BYTES;
const CHUNKS = 5;
const ROWS = CHUNKS * CHUNK_ROWS;

interface Answer {
  readonly cache: string | null;
  readonly scanned: number;
  readonly text: string;
}

const server = await startServiceHere({ env: { HYPERSLAB_WORKERS: '2' } });
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});
await create(server, { name: 'grid', dtype: '<f4', shape: [ROWS, COLUMNS] });

/** The answer without what differs from call to call. */
async function ask(query: string, headers: Record<string, string> = {}, from: ServiceHere = server): Promise<Answer> {
  const response = await from.fetch(`/v1/datasets/grid/statistics?${query}`, { headers });
  const {
    scanned_bytes: scanned,
    chunks: _,
    elapsed_ms: __,
    ...rest
  } = (await response.json()) as Record<string, unknown>;
  if (response.status !== 200) throw new Error(JSON.stringify(rest));
  return { cache: response.headers.get('x-cache'), scanned: Number(scanned), text: JSON.stringify(rest) };
}

function fresh(query: string): Promise<Answer> {
  return ask(query, { 'cache-control': 'no-cache' });
}

async function write(slice: string, value: number): Promise<void> {
  const response = await server.fetch(`/v1/datasets/grid/data?slice=${slice}`, json('PUT', value));
  if (response.status !== 200) throw new Error(await response.text());
}

t.test('the same question again reads nothing, until something is written', async t => {
  await write('3', 2);
  const first = await ask('ops=mean,std');
  t.match(first, { cache: 'miss', scanned: ROWS * ROW_BYTES });
  t.match(await ask('ops=mean,std'), { cache: 'hit', scanned: 0, text: first.text });
  t.match(await ask('ops=mean%2Cstd&axis='), { cache: 'hit', scanned: 0 }, 'however it is spelled');
  t.match(await ask('ops=mean,std&ddof=1'), { cache: 'hit', scanned: 0 }, 'the same partials finish differently');
  t.match(await fresh('ops=mean,std'), { cache: 'miss', scanned: ROWS * ROW_BYTES, text: first.text });
});

t.test('after a write only the chunks that it touched are read', async t => {
  await ask('ops=sum,max');
  for (const [slice, chunks] of [
    ['0', 1],
    [`${CHUNK_ROWS - 1}:${CHUNK_ROWS + 1},7`, 2],
    [`${2 * CHUNK_ROWS}:${3 * CHUNK_ROWS}`, 1],
  ] as const) {
    await write(slice, 5);
    const answer = await ask('ops=sum,max');
    t.match(answer, { cache: 'partial', scanned: chunks * LIMITS.chunkBytesMax }, slice);
    t.equal(answer.text, (await fresh('ops=sum,max')).text);
  }
});

t.test('row ranges of whole chunks come from the partials of the whole', async t => {
  await ask('ops=sum,mean');
  const inner = `ops=sum,mean&slice=${CHUNK_ROWS}:${4 * CHUNK_ROWS}`;
  const answer = await ask(inner);
  t.match(answer, { cache: 'hit', scanned: 0 });
  t.equal(answer.text, (await fresh(inner)).text);
  const uneven = `ops=sum,mean&slice=${CHUNK_ROWS - 10}:${4 * CHUNK_ROWS + 1}`;
  const wider = await ask(uneven);
  t.match(wider, { cache: 'partial', scanned: 11 * ROW_BYTES });
  t.equal(wider.text, (await fresh(uneven)).text);
  await ask('ops=max&axis=0');
  t.match(await ask(`ops=max&axis=0&slice=:${2 * CHUNK_ROWS}`), { cache: 'hit' });
  await ask('ops=max&axis=1');
  const rows = `ops=max&axis=1&slice=${CHUNK_ROWS}:${2 * CHUNK_ROWS}`;
  const kept = await ask(rows);
  t.match(kept, { cache: 'hit' });
  t.equal(kept.text, (await fresh(rows)).text);
});

t.test('whatever is written and asked, kept answers are those computed afresh', async t => {
  const random = seededRandom(5);
  const faults: unknown[] = [];
  const uses = new Map<string | null, number>();
  for (let round = 0; round < 60; round++) {
    const row = random.integer(0, ROWS - 40);
    const writes = random.integer(0, 3);
    for (let i = 0; i < writes; i++)
      await write(`${row + i}:${row + i + 30},${random.integer(0, 500)}:`, random.next());
    const start = random.pick([0, CHUNK_ROWS, random.integer(0, ROWS / 2)]);
    const slice = random.pick(['', `&slice=${start}:`, `&slice=${start}:${start + 2 * CHUNK_ROWS},:900`]);
    const query = `${random.pick(['ops=mean,std', 'ops=min,argmax', 'ops=sum&axis=0', 'ops=max&axis=1'])}${slice}`;
    const kept = await ask(query);
    uses.set(kept.cache, (uses.get(kept.cache) ?? 0) + 1);
    const anew = await fresh(query);
    if (kept.text !== anew.text) faults.push({ round, query, cache: kept.cache });
  }
  t.strictSame(faults, []);
  t.ok((uses.get('partial') ?? 0) > 10 && (uses.get('hit') ?? 0) > 1, JSON.stringify([...uses]));
});

t.test('a dataset that other programs may change is computed each time', async t => {
  fs.writeFileSync(path.join(server.dataDir, 'outside.raw'), new Uint8Array(8));
  await create(server, { name: 'outside', path: 'outside.raw', dtype: '<f4', shape: [2] });
  for (let i = 0; i < 2; i++) {
    const response = await server.fetch('/v1/datasets/outside/statistics?ops=sum');
    t.equal(response.headers.get('x-cache'), 'miss');
    t.match(await response.json(), { scanned_bytes: 8, results: { sum: i } });
    fs.writeFileSync(path.join(server.dataDir, 'outside.raw'), Float32Array.of(0.5, 0.5));
  }
});

t.test('what was kept before other programs were allowed to write is not answered after', async t => {
  const file = path.join(server.dataDir, 'lent.raw');
  const put = (value: number): void => fs.writeFileSync(file, new Float64Array(100).fill(value));
  const patch = (name: string, external: boolean): Promise<Response> =>
    server.fetch(`/v1/datasets/${name}`, json('PATCH', { external }));
  const sum = async (name: string) => {
    const response = await server.fetch(`/v1/datasets/${name}/statistics?ops=sum`);
    const { results, generation } = (await response.json()) as { results: { sum: number }; generation: number };
    return { sum: results.sum, generation, cache: response.headers.get('x-cache') };
  };
  put(1);
  await create(server, { name: 'lent', path: 'lent.raw', dtype: '<f8', shape: [100], external: false });
  const before = await sum('lent');
  t.match(await sum('lent'), { sum: 100, cache: 'hit' });
  const tag = (await server.fetch('/v1/datasets/lent/data')).headers.get('etag')!;
  await patch('lent', true);
  put(2);
  t.match(await sum('lent'), { sum: 200, cache: 'miss' });
  t.equal((await patch('lent', false)).status, 200);
  const after = await sum('lent');
  t.match(after, { sum: 200, cache: 'miss' });
  t.ok(after.generation > before.generation, 'the tag of old bytes is not that of the new ones');
  t.equal((await server.fetch('/v1/datasets/lent/data', { headers: { 'if-none-match': tag } })).status, 200);
  t.match(await sum('lent'), { cache: 'hit' });

  await patch('lent', true);
  put(3);
  await create(server, { name: 'lent-too', path: 'lent.raw', dtype: '<f8', shape: [100], external: false });
  t.match(await sum('lent-too'), { sum: 300, cache: 'miss' }, 'nor under another name of the file');
});

t.test('a name that stands for another array, or for none, has no answers left', async t => {
  await create(server, { name: 'brief', dtype: '<f8', shape: [3], fill: 1 });
  const sum = async () => {
    const response = await server.fetch('/v1/datasets/brief/statistics?ops=sum');
    return { status: response.status, body: (await response.json()) as { results?: { sum: number } } };
  };
  t.match(await sum(), { status: 200, body: { results: { sum: 3 } } });
  await create(server, { name: 'brief', dtype: '<f8', shape: [3], fill: 2, mode: 'w+', overwrite: true });
  t.match(await sum(), { status: 200, body: { results: { sum: 6 } } });
  await server.fetch('/v1/datasets/brief?data=delete', { method: 'DELETE' });
  t.match(await sum(), { status: 404 });
});

t.test('a cache may have any number of bytes', async t => {
  for (const bytes of ['1', '1001', '1000003']) {
    const odd = await startServiceHere({ env: { HYPERSLAB_CACHE_BYTES: bytes } });
    await create(odd, { name: 'grid', dtype: '<f4', shape: [10] });
    await ask('ops=sum', {}, odd);
    t.match(await ask('ops=sum', {}, odd), { cache: bytes === '1000003' ? 'hit' : 'miss' }, bytes);
    await odd.stop();
    fs.rmSync(odd.dataDir, { recursive: true });
  }
});

t.test('a cache of no bytes keeps nothing', async t => {
  const bare = await startServiceHere({ env: { HYPERSLAB_CACHE_BYTES: '0' } });
  t.teardown(async () => {
    await bare.stop();
    fs.rmSync(bare.dataDir, { recursive: true });
  });
  await create(bare, { name: 'grid', dtype: '<f4', shape: [10] });
  t.match(await ask('ops=sum', {}, bare), { cache: 'miss', scanned: 40 });
  t.match(await ask('ops=sum', {}, bare), { cache: 'miss', scanned: 40 });
});

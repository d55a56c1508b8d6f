/** Batches: the same answers as by themselves, in order or as they finish, in bounded memory, for those who stay. */
import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { failed } from '../../routes/batch-lines.js';
import { caseCount } from '../helpers/cases.js';
import { type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { createArrays, metricOf, startSlow } from '../helpers/slow-server.js';
import { create, eventually, json } from '../system/calls.js';

interface AnyLine {
  readonly index: number;
  readonly results?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly status: number };
  readonly elapsed_ms?: number;
}

type Query = Readonly<Record<string, unknown>>;

/** Every answer is computed. */
const NO_CACHE = { HYPERSLAB_CACHE_BYTES: '0' };

async function batch(server: Service, queries: readonly Query[], order?: string): Promise<AnyLine[]> {
  const response = await server.fetch('/v1/statistics', json('POST', { queries, ...(order && { order }) }));
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  const text = await response.text();
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as AnyLine);
}

t.test('every query answers what it answers by itself', async t => {
  const server = await startHere(t, { env: NO_CACHE });
  await create(server, { name: 'grid', dtype: '<i4', shape: [6, 5, 4] });
  await server.fetch('/v1/datasets/grid/data?slice=2:4', json('PUT', 7));
  await create(server, { name: 'floats', dtype: '>f8', shape: [9], fill: 'NaN' });
  await server.fetch('/v1/datasets/floats/data?slice=::2', json('PUT', [1, 2, 3, 4, 5]));
  const queries: Query[] = [
    { dataset: 'grid', ops: ['sum', 'mean'] },
    { dataset: 'grid', ops: ['sum', 'std'], as: ['total', 'spread'], ddof: 1 },
    { dataset: 'grid', ops: ['max'], slice: '1:5,::-1', axis: 0 },
    { dataset: 'grid', ops: ['max'], axis: [0, -1], keepdims: true },
    { dataset: 'floats', ops: ['mean', 'count'], nan: 'omit' },
    { dataset: 'floats', ops: ['mean'] },
    { dataset: 'floats', ops: ['argmin'], nan: 'omit', slice: '2:' },
    { dataset: 'grid', ops: [{ sum: {} }] },
    { dataset: 'grid', ops: ['sum'], axis: 3 },
    { dataset: 'grid', ops: ['min'], slice: '0:0' },
    { dataset: 'floats', ops: ['mean'], nan: 'raise' },
    { dataset: 'nowhere', ops: ['sum'] },
    { dataset: 'grid', ops: ['sum'], as: ['a', 'b'] },
  ];
  const lines = await batch(server, queries);
  t.equal(lines.length, queries.length);
  for (const [i, { dataset, ...query }] of queries.entries()) {
    const alone = await server.fetch(`/v1/datasets/${String(dataset)}/statistics`, json('POST', query));
    const answer = (await alone.json()) as object;
    const { index, ...line } = lines[i]!;
    t.equal(index, i);
    if (alone.status === 200) t.strictSame({ ...line, elapsed_ms: 0 }, { ...answer, elapsed_ms: 0 });
    else t.strictSame(line, { error: answer });
  }
  t.equal(lines.filter(({ error }) => error).length, 6, 'those that are faulty');
});

const MANY = caseCount(300, 1000);
/** Every third query, from the second on, is of a row that there is not. */
const OUTSIDE = Math.floor((MANY + 1) / 3);

t.test(`${MANY} queries are answered, each in a line of its own, in either order`, async t => {
  const server = await startHere(t, { env: NO_CACHE });
  await create(server, { name: 'grid', dtype: '<i4', shape: [1000, 4] });
  const queries = Array.from({ length: MANY }, (_, i) =>
    i % 3 === 1 ? { dataset: 'grid', ops: ['sum'], slice: '9999' } : { dataset: 'grid', ops: ['sum'], slice: `${i}` },
  );
  for (const order of ['input', 'finished'] as const) {
    const lines = await batch(server, queries, order);
    const numbers = lines.map(({ index }) => index);
    if (order === 'finished') numbers.sort((a, b) => a - b);
    t.strictSame(
      numbers,
      queries.map((_, i) => i),
    );
    t.equal(lines.filter(({ error }) => error?.code === 'index_out_of_bounds').length, OUTSIDE);
    t.equal(lines.filter(({ results }) => results?.['sum'] === 0).length, MANY - OUTSIDE);
  }
  t.equal(await metricOf(server, 'hyperslab_held_bytes'), 0);
});

t.test('as they finish, a quick one does not wait behind a long one; in input order it does', async t => {
  const server = await startSlow(t, { readMs: 20 });
  await createArrays(server);
  const queries = [
    { dataset: 'large', ops: ['sum'], slice: ':8388608' },
    { dataset: 'nowhere', ops: ['sum'] },
    { dataset: 'small', ops: ['sum'] },
  ];
  const order = async (asked: string): Promise<number[]> =>
    (await batch(server, queries, asked)).map(({ index }) => index);
  t.strictSame(await order('input'), [0, 1, 2]);
  t.strictSame(await order('finished'), [1, 2, 0]);
});

/** 20,000 cells: what they need while they run, and the text of a line, which is less. */
const CELLS = 20_000;
const RUNNING_BYTES = CELLS * 160;
const LINE_BYTES = CELLS * 2;

/** Asks for a batch and reads none of its answer. */
async function stall(server: Service, queries: readonly Query[], order: string): Promise<net.Socket> {
  const body = JSON.stringify({ queries, order });
  const { hostname, port } = new URL(server.url);
  const socket = net.connect({ host: hostname, port: Number(port) });
  socket.pause();
  await once(socket, 'connect');
  socket.write(
    `POST /v1/statistics HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

for (const order of ['input', 'finished']) {
  t.test(`a client that reads nothing holds a few lines, and what it asked for waits (${order})`, async t => {
    const server = await startHere(t, { env: NO_CACHE });
    await create(server, { name: 'wide', dtype: '<f4', shape: [1, CELLS] });
    // Far more than sockets take in.
    const queries = Array.from({ length: 1000 }, () => ({ dataset: 'wide', ops: ['sum', 'max'], axis: 0 }));
    const socket = await stall(server, queries, order);
    const tasks = (): Promise<number> => metricOf(server, 'hyperslab_tasks_total{lane="interactive"}');
    let done = -1;
    const isStill = async (): Promise<boolean> => {
      const before = done;
      await new Promise(resolve => setTimeout(resolve, 500));
      return (done = await tasks()) === before && done > 0;
    };
    t.ok(await eventually(isStill, 60_000), 'it stands still');
    t.ok(done < 900, `${done} of 1,000 queries were computed`);
    const held = await metricOf(server, 'hyperslab_held_bytes');
    // At most three finished lines, of one or two bytes a character; at least one is there.
    t.ok(held >= LINE_BYTES && held <= 4 * RUNNING_BYTES, `${held} bytes`);
    socket.destroy();
    t.ok(
      await eventually(async () => (await metricOf(server, 'hyperslab_held_bytes')) === 0),
      'all of it is given back',
    );
    t.ok((await tasks()) - done <= 4, 'and nothing more is computed');
  });
}

t.test('where there is little memory, queries run one after the other, and none of them fails', async t => {
  const server = await startHere(t, { env: { ...NO_CACHE, HYPERSLAB_MEMORY_BYTES: String(3.5 * 2 ** 20) } });
  await create(server, { name: 'wide', dtype: '<f4', shape: [2, CELLS] });
  const queries = Array.from({ length: 12 }, () => ({ dataset: 'wide', ops: ['sum'], axis: 0 }));
  for (const order of ['input', 'finished']) {
    const lines = await batch(server, queries, order);
    t.strictSame(
      lines.map(({ error }) => error),
      queries.map(() => undefined),
    );
  }
  const [line] = await batch(server, [{ dataset: 'wide', ops: ['sum', 'max'], axis: 0 }]);
  t.match(line, { error: { code: 'too_large', status: 413 } }, 'what could never fit is told at once');
});

t.test('the cause of a fault of the service is logged, and told by no line', t => {
  const logged: object[] = [];
  const log = { error: (values: object) => logged.push(values) } as unknown as Parameters<typeof failed>[0];
  const { text } = failed(log, 7, new TypeError('at /srv/secret'));
  t.match(JSON.parse(text), { index: 7, error: { code: 'internal', status: 500 } });
  t.notMatch(text, /secret/);
  t.match(logged, [{ index: 7, code: 'internal', err: { message: 'at /srv/secret' } }]);
  failed(log, 8, new Error());
  t.equal(logged.length, 2);
  t.end();
});

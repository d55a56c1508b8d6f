/**
 * Clients made from the API document send every member that they know: null, [] and {} of optional members are as good as
 * absent, everywhere, except where such a value means something.
 */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { start, temporaryFolder, type TestServer } from '../helpers/server.js';

type Json = Record<string, unknown>;

let server: TestServer;

t.before(async () => {
  const dataDir = temporaryFolder();
  fs.writeFileSync(path.join(dataDir, 'raw.bin'), Buffer.alloc(24, 1));
  server = await start(t, { dataDir });
  await make({ name: 'm', dtype: 'f8', shape: [3, 2], attrs: { a: 1, b: { c: 2 } }, dims: ['x', 'y'] });
  await send('PUT', '/v1/datasets/m/data', [
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  await make({ name: 'codes', dtype: 'i4', shape: [3] });
  await send('PUT', '/v1/datasets/codes/data', [1, 3, 9]);
});

async function send(method: string, where: string, body: unknown): Promise<[number, Json]> {
  const answer = await server.fetch(where, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return [answer.status, (await answer.json()) as Json];
}

const make = (body: Json): Promise<[number, Json]> => send('POST', '/v1/datasets', body);

t.test('creating: every optional member may be null, [] or {}', async t => {
  const optional = [
    'order',
    'mode',
    'path',
    'offset',
    'format',
    'fill',
    'sparse',
    'overwrite',
    'external',
    'attrs',
    'dims',
  ];
  for (const [i, empty] of [null, [], {}].entries()) {
    const members = Object.fromEntries(optional.map(name => [name, empty]));
    const due = { shape: [2], mode: 'r+', order: 'C', format: 'npy', attrs: {}, dims: null, external: false };
    t.match(await make({ name: `e${i}`, dtype: 'f4', shape: [2], ...members }), [201, due], JSON.stringify(empty));
    const others = { dtype: empty, ...members, path: 'raw.bin' };
    t.match(
      await make({ name: `r${i}`, ...others, shape: empty }),
      [201, { shape: [24], dtype: '|u1', mode: 'r', external: true }],
      `a file, ${JSON.stringify(empty)}`,
    );
  }
  t.match(await make({ name: 'scalar', dtype: 'f4', shape: [], path: null }), [201, { shape: [] }], 'a scalar');
  t.match(await make({ name: 'kept', dtype: 'f4', shape: [1], attrs: { a: null, b: [], c: {} } }), [
    201,
    { attrs: { a: null, b: [], c: {} } },
  ]);
  t.match(await make({ name: 'bad', dtype: null, shape: null }), [400, { code: 'bad_request' }]);
  t.match(await make({ name: null, dtype: 'f4', shape: [1] }), [400, { code: 'bad_request' }]);
  t.match(await make({ name: 'bad', dtype: 'f4', shape: [1], unknown: null }), [400, { code: 'bad_request' }]);
});

t.test('a merge patch: null clears attrs and dims, and changes nothing else', async t => {
  const before = { attrs: { a: 1, b: { c: 2 } }, dims: ['x', 'y'], mode: 'r+', external: false };
  for (const patch of [
    { mode: null, external: null },
    { attrs: {}, dims: [], mode: {}, external: [] },
    { attrs: [] },
  ]) {
    t.match(await send('PATCH', '/v1/datasets/m', patch), [200, before], JSON.stringify(patch));
  }
  const [, after] = await send('PATCH', '/v1/datasets/m', { attrs: { a: null, b: { d: [] } }, dims: null });
  t.strictSame([after['attrs'], after['dims']], [{ b: { c: 2, d: [] } }, null]);
  const [, cleared] = await send('PATCH', '/v1/datasets/m', { attrs: null });
  t.strictSame(cleared['attrs'], {});
});

const NOTHING = {
  slice: null,
  axis: null,
  keepdims: null,
  ddof: null,
  bias: null,
  nan: null,
  as: null,
  where: null,
  group_by: null,
};

/** Members that are added to `{"ops": ["sum"]}` over [[1, 2], [3, 4], [5, 6]], and the sum, or the sums of groups. */
const QUERIES: readonly [Json, unknown][] = [
  [NOTHING, 21],
  [{ slice: [], axis: [], keepdims: [], ddof: {}, nan: [], as: [], where: [], group_by: [] }, 21],
  [{ axis: {}, as: {}, where: {}, group_by: {} }, 21],
  [{ axis: [], keepdims: true }, [[21]]],
  [
    { where: { column: 0, gt: 1, lt: null, ge: [], in: null, between: [], is_nan: null, self: null, dataset: null } },
    18,
  ],
  [{ where: { column: 0, gt: 1, in: [] } }, 18],
  [{ where: { column: 0, gt: 1, in: {} } }, 18],
  [{ where: { column: 0, in: [] } }, 0],
  [{ where: { column: 0, gt: null, in: [] } }, 0],
  [{ where: { and: [{ column: 0, gt: 1, or: null }], or: null, not: null, column: null } }, 18],
  [{ where: { not: { column: 0, gt: 1, and: [] } } }, 3],
  [{ where: { column: 0, in: { dataset: 'codes', where: null } } }, 10],
  [{ where: { column: 0, in: { dataset: 'codes', where: { self: true, gt: 1, lt: null } } } }, 7],
  [{ group_by: { column: 0, self: null, dataset: null, bins: null } }, [3, 7, 11]],
  [{ group_by: [{ column: 0, bins: [], self: {} }] }, [3, 7, 11]],
];

t.test('statistics: in a query, a batch, and the parameters of a URL', async t => {
  const sums = (answer: Json): unknown =>
    (answer['groups'] as { results: Json }[] | undefined)?.map(({ results }) => results['sum']) ??
    (answer['results'] as Json)['sum'];
  for (const [members, due] of QUERIES) {
    const title = JSON.stringify(members);
    const [status, answer] = await send('POST', '/v1/datasets/m/statistics', { ops: ['sum'], ...members });
    t.strictSame([status, status === 200 ? sums(answer) : answer], [200, due], title);
    const texts = Object.entries(members).filter(([name]) => name === 'where' || name === 'group_by');
    if (texts.length < Object.keys(members).length) continue;
    const query = new URLSearchParams(Object.fromEntries(texts.map(([name, value]) => [name, JSON.stringify(value)])));
    const read = await server.fetch(`/v1/datasets/m/statistics?ops=sum&${query.toString()}`);
    t.strictSame(sums((await read.json()) as Json), due, `${title} in a URL`);
  }
  const batch = await server.fetch('/v1/statistics', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      queries: QUERIES.map(([members]) => ({ dataset: 'm', ops: ['sum'], ...members })),
      order: null,
    }),
  });
  const lines = (await batch.text()).trimEnd().split('\n');
  t.strictSame(
    lines.map(line => sums(JSON.parse(line) as Json)),
    QUERIES.map(([, due]) => due),
  );
});

t.test('statistics: the parameters of operations', async t => {
  const cases: readonly [op: unknown, name: string, due: unknown][] = [
    [{ quantile: { q: 0.5, method: null } }, 'quantile', 3.5],
    [{ quantile: { q: 0.5, method: [] }, histogram: null }, 'quantile', 3.5],
    [{ histogram: { bins: 2, range: null, edges: null } }, 'histogram', { counts: [3, 3], edges: [1, 3.5, 6] }],
    [{ histogram: { bins: null, range: [], edges: [0, 3, 7] } }, 'histogram', { counts: [2, 4], edges: [0, 3, 7] }],
    [{ mean: null }, 'mean', 3.5],
  ];
  for (const [op, name, due] of cases) {
    const [status, answer] = await send('POST', '/v1/datasets/m/statistics', { ops: [op] });
    t.strictSame([status, (answer['results'] as Json | undefined)?.[name]], [200, due], JSON.stringify(op));
  }
  for (const op of [{ histogram: {} }, { histogram: null }, 'histogram']) {
    const [, answer] = await send('POST', '/v1/datasets/m/statistics', { ops: [op] });
    const { counts } = (answer['results'] as { histogram: { counts: number[] } }).histogram;
    t.equal(counts.length, 10, JSON.stringify(op));
  }
});

t.test('what is needed is still missing when it is empty', async t => {
  const cases: readonly Json[] = [
    { ops: null },
    { ops: [] },
    { ops: ['sum', null] },
    { ops: [{ quantile: { q: null } }] },
    { ops: [{ quantile: { q: [] } }] },
    { ops: ['sum'], where: { column: 0, gt: null } },
    { ops: ['sum'], where: { column: null, gt: 0 } },
    { ops: ['sum'], where: { or: [] } },
    { ops: ['sum'], where: { not: {} } },
    { ops: ['sum'], where: { and: [{}] } },
    { ops: ['sum'], where: { column: 0, between: [] } },
    { ops: ['sum'], group_by: [{}] },
    { ops: ['sum'], group_by: { column: null, bins: [0, 1] } },
  ];
  for (const body of cases) {
    const [status, problem] = await send('POST', '/v1/datasets/m/statistics', body);
    t.match([status, problem['code']], [/^(400|422)$/, /^bad_/], JSON.stringify(body));
  }
});

t.test('a batch of writes', async t => {
  await make({ name: 'w', dtype: 'i4', shape: [2] });
  for (const slice of [null, [], {}, ' [ ] ']) {
    const text = typeof slice === 'string' ? slice : JSON.stringify(slice);
    const answer = await server.fetch('/v1/datasets/w/writes', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"writes":[{"slice":${text},"data":7}]}`,
    });
    t.match([answer.status, await answer.json()], [200, { elements: 2 }], text);
  }
  for (const data of [null, [], {}]) {
    const form = new FormData();
    form.append('list', new Blob([JSON.stringify({ writes: [{ slice: '0', data }] })], { type: 'application/json' }));
    form.append('part', new Blob([new Uint8Array(4)], { type: 'application/octet-stream' }));
    const answer = await server.fetch('/v1/datasets/w/writes', { method: 'POST', body: form });
    t.match([answer.status, await answer.json()], [200, { elements: 1 }], JSON.stringify(data));
  }
  t.match(await send('POST', '/v1/datasets/w/writes', { writes: [{ slice: 5, data: 1 }] }), [
    400,
    { code: 'bad_request' },
  ]);
  t.match(await send('POST', '/v1/datasets/w/writes', { writes: null }), [400, { code: 'bad_json' }]);
});

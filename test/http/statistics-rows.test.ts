/** Filters and groups over HTTP: aligned datasets, digits, what answers look like, what is refused, who reaches what. */
import fs from 'node:fs';
import t, { type Test } from 'tap';
import { addKey, bearer } from '../helpers/keys.js';
import { start, startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { create, json } from '../system/calls.js';

const server = await startServer();
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

/** Makes a dataset of the values of a nested list. */
async function put(name: string, dtype: string, data: unknown, to: TestServer = server): Promise<void> {
  const shape: number[] = [];
  for (let level = data; Array.isArray(level); level = (level as unknown[])[0]) shape.push(level.length);
  await create(to, { name, dtype, shape });
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const response = await to.fetch(`/v1/datasets/${name}/data`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: text,
  });
  if (response.status !== 200) throw new Error(await response.text());
}

const SCORES = [
  [1, 90, 0.5],
  [2, 70, 1.5],
  [1, 85, 2.5],
  [3, 95, 3.5],
  [2, 88, 4.5],
  [1, 60, 5.5],
];
await put('scores', '<f4', SCORES);
await put('state', '|u1', [7, 8, 7, 9, 8, 7]);
await put('codes', '<i2', [7, 9, 9, -1]);
await put('flags', '|b1', [true, false, true, true, false, false]);
await put('odd', '<i4', [1, 2, 3]);
await put('nans', '<f8', ['NaN', 1, 'NaN', 1, 2, 2]);
await create(server, { name: 'wide', dtype: '<u8', shape: [4] });
await server.fetch('/v1/datasets/wide/data', {
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: '[9007199254740992, 9007199254740993, 9007199254740994, 18446744073709551615]',
});

type Answer = Record<string, unknown>;

async function ask(query: unknown, dataset = 'scores', init: RequestInit = {}): Promise<Answer> {
  const body = typeof query === 'string' ? query : JSON.stringify(query);
  const response = await server.fetch(`/v1/datasets/${dataset}/statistics`, {
    method: 'POST',
    body,
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
  });
  const answer = (await response.json()) as Answer;
  if (response.status !== 200) throw new Error(JSON.stringify(answer));
  return answer;
}

t.test('where keeps rows by a column, by another dataset and by its values', async t => {
  t.match(await ask({ ops: ['mean'], slice: ':,2', where: { column: 1, ge: 85 } }), {
    count: 4,
    results: { mean: 2.75 },
  });
  t.match(await ask({ ops: ['sum'], slice: ':,2', where: { dataset: 'state', in: [8] } }), { results: { sum: 6 } });
  t.match(await ask({ ops: ['sum'], slice: ':,2', where: { dataset: 'state', in: { dataset: 'codes' } } }), {
    results: { sum: 12 },
  });
  t.match(
    await ask({
      ops: ['count'],
      slice: ':,2',
      where: { and: [{ dataset: 'flags', eq: true }, { not: { column: -2, between: [86, 94] } }] },
    }),
    { count: 2 },
  );
  t.match(await ask({ ops: ['max'], where: { self: true, is_nan: false } }, 'nans'), { count: 4, results: { max: 2 } });
});

t.test('the slice is taken of the rows that are kept', async t => {
  const where = { column: 1, gt: 80 };
  t.match(await ask({ ops: ['sum'], axis: 1, slice: '1:, 2:', where }), { results: { sum: [2.5, 3.5, 4.5] } });
  t.match(await ask({ ops: ['sum'], axis: 1, slice: '::-2, 2:', where }), { results: { sum: [4.5, 2.5] } });
  t.match(await ask({ ops: ['argmax'], slice: ':,1', where }), { results: { argmax: 2 } });
  const response = await server.fetch('/v1/datasets/scores/statistics?format=npy', {
    ...json('POST', { ops: ['sum'], axis: 1, slice: ':,2:', where }),
  });
  t.equal(response.headers.get('x-array-shape'), '4');
});

t.test('an answer of several datasets has the generation of each', async t => {
  const { generation, generations } = await ask({
    ops: ['count'],
    where: { dataset: 'state', in: { dataset: 'codes' } },
  });
  t.strictSame(Object.keys(generations as object), ['scores', 'state', 'codes']);
  t.equal((generations as Record<string, number>)['scores'], generation);
  t.notOk('generations' in (await ask({ ops: ['count'], where: { column: 0, eq: 1 } })));
});

t.test('groups are listed by their keys, ascending', async t => {
  const answer = await ask({ ops: ['mean', 'max'], slice: ':,2', group_by: { column: 0 } });
  t.strictSame(answer['groups'], [
    { key: 1, count: 3, results: { mean: 17 / 6, max: 5.5 } },
    { key: 2, count: 2, results: { mean: 3, max: 4.5 } },
    { key: 3, count: 1, results: { mean: 3.5, max: 3.5 } },
  ]);
  t.strictSame(answer['results'], {});
  t.match(answer, { axis: null, count: 6, chunks: Number, scanned_bytes: Number });
});

t.test('keys are values, lists of values, bins and NaN', async t => {
  const keysOf = async (groupBy: unknown): Promise<unknown[]> => {
    const { groups } = await ask({ ops: ['count'], group_by: groupBy });
    return (groups as { key: unknown }[]).map(({ key }) => key);
  };
  t.strictSame(await keysOf([{ column: 0 }]), [[1], [2], [3]]);
  t.strictSame(await keysOf([{ dataset: 'flags' }, { column: 0 }]), [
    [false, 1],
    [false, 2],
    [true, 1],
    [true, 3],
  ]);
  t.strictSame(await keysOf({ column: 1, bins: [60, 85, 90] }), [
    [60, 85],
    [85, 90],
  ]);
  t.strictSame(await keysOf([{ column: 1, bins: [88, 'Infinity'] }, { dataset: 'state' }]), [
    [[88, 'Infinity'], 7],
    [[88, 'Infinity'], 8],
    [[88, 'Infinity'], 9],
  ]);
  t.strictSame(await keysOf({ dataset: 'nans' }), [1, 2, 'NaN']);
});

t.test('groups of axis 0 have a value per column', async t => {
  const { groups, axis } = await ask({
    ops: ['sum'],
    axis: 0,
    slice: ':,1:',
    group_by: { column: 0 },
    where: { column: 0, ne: 3 },
    as: ['total'],
  });
  t.strictSame(axis, [0]);
  t.strictSame(groups, [
    { key: 1, count: 3, results: { total: [235, 8.5] } },
    { key: 2, count: 2, results: { total: [158, 6] } },
  ]);
});

t.test('64-bit integers are compared with all their digits, however the query comes', async t => {
  const where = '{"self":true,"gt":9007199254740992,"lt":18446744073709551615}';
  const expected = { count: 2, results: { min: 9007199254740993n } };
  const check = (t: Test, text: string): void => {
    t.match(text, /"count":2,"results":\{"min":9007199254740993\}/, String(expected.results.min));
  };
  const url = `/v1/datasets/wide/statistics`;
  const body = `{"ops":["min"],"where":${where}}`;
  const headers = { 'content-type': 'application/json' };
  check(t, await (await server.fetch(url, { method: 'POST', body, headers })).text());
  check(t, await (await server.fetch(`${url}?ops=min&where=${encodeURIComponent(where)}`)).text());
  const batch = `{"queries":[{"dataset":"wide","ops":["min"],"where":${where}}]}`;
  check(t, await (await server.fetch('/v1/statistics', { method: 'POST', body: batch, headers })).text());
  const prefer = { ...headers, prefer: 'respond-async, wait=10' };
  check(t, await (await server.fetch(url, { method: 'POST', body, headers: prefer })).text());
  const quoted = { ops: ['min'], where: { self: true, eq: '9007199254740993' } };
  t.match(await ask(quoted, 'wide'), { count: 1 });
  t.match(await ask({ ops: ['count'], where: { self: true, gt: 0.5, lt: 1e17 } }, 'wide'), { count: 3 });
});

t.test('the same question reads nothing, until one of its datasets is written', async t => {
  const query = { ops: ['sum'], slice: ':,2', where: { dataset: 'near', gt: 0 } };
  await put('near', '<i4', [1, 0, 0, 0, 0, 1]);
  t.match(await ask(query), { results: { sum: 6 } });
  t.match(await ask(query), { results: { sum: 6 }, scanned_bytes: 0 });
  await server.fetch('/v1/datasets/near/data?slice=1', json('PUT', 1));
  t.match(await ask(query), { results: { sum: 7.5 } });
});

const REFUSED: readonly (readonly [string, unknown, number, string, RegExp])[] = [
  ['no comparison', { where: { column: 0 } }, 400, 'bad_request', /where cannot be read: a comparison is missing/],
  ['an unknown comparison', { where: { column: 0, above: 1 } }, 400, 'bad_request', /"above" is no comparison/],
  ['no subject', { where: { gt: 1 } }, 400, 'bad_request', /one of column, self, dataset or field/],
  ['two subjects', { where: { column: 0, dataset: 'state', gt: 1 } }, 400, 'bad_request', /one of/],
  ['an and that is absent', { where: { and: [] } }, 400, 'bad_request', /where .*whose values/],
  ['a list for a filter', { where: [{ column: 0, gt: 1 }] }, 400, 'bad_request', /a filter is/],
  ['between of three', { where: { column: 0, between: [1, 2, 3] } }, 400, 'bad_request', /two values/],
  ['a text for a number', { where: { column: 0, gt: 'a lot' } }, 422, 'bad_operation', /"a lot"; elements of float32/],
  ['a number for a bool', { where: { dataset: 'flags', eq: 1 } }, 422, 'bad_operation', /1; elements of bool/],
  ['a bool for a number', { where: { column: 0, eq: true } }, 422, 'bad_operation', /true; elements of float32/],
  ['a column that is not there', { where: { column: 3, gt: 1 } }, 422, 'index_out_of_bounds', /3 columns/],
  ['self of two axes', { where: { self: true, gt: 1 } }, 422, 'bad_operation', /self takes an array of one axis/],
  ['a field', { where: { field: 'score', gt: 1 } }, 422, 'unknown_field', /scores.*has no fields/],
  ['a dataset of another length', { where: { dataset: 'odd', gt: 1 } }, 422, 'not_aligned', /3 elements.*6 rows/],
  ['a dataset of two axes', { where: { dataset: 'scores', gt: 1 } }, 422, 'bad_operation', /one axis/],
  ['an unknown dataset', { where: { dataset: 'nobody', gt: 1 } }, 404, 'unknown_dataset', /nobody/],
  ['an unknown join', { where: { column: 0, in: { dataset: 'nobody' } } }, 404, 'unknown_dataset', /nobody/],
  ['a join of two axes', { where: { column: 0, in: { dataset: 'scores' } } }, 422, 'bad_operation', /in takes/],
  [
    'a join with more',
    { where: { column: 0, in: { dataset: 'codes', gt: 1 } } },
    400,
    'bad_request',
    /"gt" is not known/,
  ],
  ['a slice that drops rows', { where: { column: 0, gt: 1 }, slice: '3' }, 422, 'bad_operation', /keep axis 0/],
  [
    'a slice with an axis before',
    { where: { column: 0, gt: 1 }, slice: 'None,:' },
    422,
    'bad_operation',
    /keep axis 0/,
  ],
  ['rows that are none', { ops: ['min'], where: { column: 0, gt: 99 } }, 422, 'empty_selection', /shape \[0, 3\]/],
  ['nested too deep', { where: nested(20) }, 413, 'too_large', /at most 16/],
  [
    'too many parts',
    { where: { or: Array.from({ length: 300 }, () => ({ column: 0, eq: 1 })) } },
    413,
    'too_large',
    /256/,
  ],
  ['bins of one edge', { group_by: { column: 0, bins: [1] } }, 400, 'bad_request', /two edges/],
  ['bins that fall', { group_by: { column: 0, bins: [1, 3, 2] } }, 422, 'bad_operation', /3 is not below 2/],
  ['bins of bool', { group_by: { dataset: 'flags', bins: [0, 1] } }, 422, 'bad_operation', /bool has no bins/],
  ['a key with a comparison', { group_by: { column: 0, gt: 1 } }, 400, 'bad_request', /"gt" is no member of a key/],
  ['nine keys', { group_by: Array.from({ length: 9 }, () => ({ column: 0 })) }, 413, 'too_large', /at most 8/],
  ['groups without rows', { group_by: { column: 0 }, axis: 1 }, 422, 'bad_operation', /null or to hold 0/],
  ['positions by group', { ops: ['argmax'], group_by: { column: 0 } }, 422, 'bad_operation', /argmax is not computed/],
];

function nested(depth: number): unknown {
  return depth === 0 ? { column: 0, gt: 1 } : { not: nested(depth - 1) };
}

for (const [what, query, status, code, detail] of REFUSED) {
  t.test(`${what} is refused as ${status} ${code}`, async t => {
    const response = await server.fetch(
      '/v1/datasets/scores/statistics',
      json('POST', { ops: ['count'], ...(query as object) }),
    );
    const problem = (await response.json()) as Answer;
    t.match({ status: response.status, ...problem }, { status, code, detail });
  });
}

t.test('parameters of a URL that are no JSON, and groups as npy, are refused', async t => {
  const bad = await server.fetch('/v1/datasets/scores/statistics?ops=sum&where=column');
  t.match({ status: bad.status, ...((await bad.json()) as Answer) }, { status: 400, code: 'bad_request', at: 'where' });
  const npy = await server.fetch(
    '/v1/datasets/scores/statistics?format=npy',
    json('POST', { ops: ['sum'], group_by: { column: 0 } }),
  );
  t.match(
    { status: npy.status, ...((await npy.json()) as Answer) },
    { status: 422, code: 'bad_operation', detail: /JSON/ },
  );
});

t.test('datasets of a filter or a key that a caller does not reach are unknown to it', async t => {
  const dataDir = temporaryFolder();
  const admin = await addKey(dataDir, ['admin']);
  const reader = await addKey(dataDir, ['read'], { datasets: ['a*'] });
  const own = await start(t, { dataDir });
  for (const name of ['a1', 'a2', 'b1']) {
    const made = await own.fetch('/v1/datasets', {
      ...json('POST', { name, dtype: '<i4', shape: [4] }),
      headers: { 'content-type': 'application/json', ...bearer(admin).headers },
    });
    t.equal(made.status, 201);
  }
  const asked = async (token: string, query: object): Promise<string> => {
    const response = await own.fetch('/v1/datasets/a1/statistics', {
      ...json('POST', { ops: ['count'], ...query }),
      headers: { 'content-type': 'application/json', ...bearer(token).headers },
    });
    return response.status === 200 ? 'answered' : await response.text();
  };
  for (const queryOf of [
    (dataset: string) => ({ where: { dataset, ge: 0 } }),
    (dataset: string) => ({ where: { self: true, in: { dataset } } }),
    (dataset: string) => ({ where: { self: true, in: { dataset: 'a2', where: { dataset, ge: 0 } } } }),
    (dataset: string) => ({ group_by: { dataset } }),
  ]) {
    t.equal(await asked(reader, queryOf('a2')), 'answered');
    t.equal(await asked(admin, queryOf('b1')), 'answered');
    const refusal = await asked(reader, queryOf('b1'));
    t.match(refusal, /unknown_dataset/);
    t.equal(refusal.replaceAll('b1', 'zz'), await asked(reader, queryOf('zz')), 'like one that is not there');
  }
});

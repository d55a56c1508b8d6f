/** `cov` and `corrcoef` through the door: numpy's answers to 1e-12, in every format, and what is refused. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { create } from '../system/calls.js';

interface NumpyCase {
  readonly name: string;
  readonly attrs?: object;
  readonly keys?: string;
  readonly query: object;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: readonly string[];
  /** Of each value: products of the deviations of its columns, or 1. */
  readonly scales: readonly number[];
}

const root = temporaryFolder();
const server = await startServiceHere({ env: { HYPERSLAB_WORKERS: '2', HYPERSLAB_ROOTS: root } });
t.teardown(async () => {
  await server.stop();
  for (const folder of [server.dataDir, root]) fs.rmSync(folder, { recursive: true });
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function ask(name: string, query: object, suffix = ''): Promise<Response> {
  return server.fetch(`/v1/datasets/${name}/statistics${suffix}`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify(query),
  });
}

/** Undefined, or what is wrong. */
async function check({ name, query, shape, dtype, values, scales }: NumpyCase): Promise<string | undefined> {
  const told = `${name} ${JSON.stringify(query)}`;
  const response = await ask(name, query, '.raw');
  if (response.status !== 200) return `${told}: ${await response.text()}`;
  const [foundShape, foundType] = ['shape', 'dtype'].map(header => response.headers.get(`x-array-${header}`));
  if (foundShape !== shape.join() || foundType !== dtype) return `${told}: ${foundType} of shape ${foundShape}`;
  const found = new Float64Array(await response.arrayBuffer());
  if (found.length !== values.length) return `${told}: ${found.length} values instead of ${values.length}`;
  const at = found.findIndex((value, i) => {
    const wanted = Number(values[i]!.replace('inf', 'Infinity'));
    if (!Number.isFinite(wanted)) return !Object.is(value, wanted);
    return !(Math.abs(value - wanted) <= 1e-12 * Math.max(Math.abs(wanted), scales[i]!));
  });
  return at < 0 ? undefined : `${told}: ${found[at]} at ${at} instead of ${values[at]}`;
}

t.test('random selections and fields agree with numpy', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const count = caseCount(40, 500);
  const cases = JSON.parse(runPython('http/covariance_numpy.py', [root, '1', String(count)])) as NumpyCase[];
  const wrong: string[] = [];
  for (const each of cases) {
    const { name, attrs } = each;
    await create(server, { name, path: path.join(root, `${name}.npy`), ...(attrs && { attrs }) });
    if (each.keys) await create(server, { name: each.keys, path: path.join(root, `${each.keys}.npy`) });
    const fault = await check(each);
    if (fault !== undefined) wrong.push(fault);
  }
  t.equal(cases.length, count);
  t.strictSame(wrong.slice(0, 5), []);
});

/** Rows of a, b, c: b = 2a + 1, c has its own mind; item 3 has a NaN in c. */
const ROWS = [
  [1, 3, 2],
  [2, 5, -1],
  [3, 7, 0.5],
  [4, 9, 'NaN'],
  [5, 11, 4],
];

t.test('columns, named ones and fields', async t => {
  await create(server, { name: 'table', dtype: '>f8', shape: [5, 3], attrs: { columns: ['a', 'b', 'c'] } });
  const dtype = [['a', '<i2'], ['', '|V3'], ['b', '>f4'], ['c', '<f8'], ['tag', '|S2']]; // prettier-ignore
  await create(server, { name: 'items', dtype, shape: [5] });
  const items = ROWS.map(([a, b, c]) => ({ a, b, c, tag: 'x' }));
  for (const [name, body] of [
    ['table', ROWS],
    ['items', items],
  ] as const) {
    const put = { method: 'PUT', headers: JSON_TYPE, body: JSON.stringify(body) };
    t.equal((await server.fetch(`/v1/datasets/${name}/data`, put)).status, 200);
  }
  const resultsOf = async (name: string, query: object): Promise<unknown> => {
    const response = await ask(name, query);
    const { results, count } = (await response.json()) as { results: object; count: unknown };
    return rounded({ ...results, count });
  };

  const ab = [
    [2.5, 5],
    [5, 10],
  ];
  t.strictSame(await resultsOf('table', { ops: ['cov'], slice: ':,:2' }), { cov: ab, count: 10 });
  t.strictSame(await resultsOf('items', { ops: [{ cov: { ddof: 1 } }], field: 'a,b' }), { cov: ab, count: 5 });
  const whole = await resultsOf('table', { ops: ['cov', 'corrcoef'], nan: 'propagate', slice: ':,::2' });
  t.strictSame(whole, { cov: [[2.5, 'NaN'], ['NaN', 'NaN']], corrcoef: [[1, 'NaN'], ['NaN', 'NaN']], count: 10 }); // prettier-ignore

  // The fourth row goes with its NaN.
  const omitted = await resultsOf('items', { ops: ['cov'], field: 'c,a', nan: 'omit' });
  t.strictSame(omitted, rounded({ cov: [[4.5625, 2.125], [2.125, 35 / 12]], count: 4 })); // prettier-ignore
  // One column by itself is one variable.
  t.strictSame(await resultsOf('table', { ops: ['cov', 'corrcoef'], field: 'a' }), { cov: 2.5, corrcoef: 1, count: 5 });

  // Beside others, whose axis does not matter to it; as the query's own ddof, and by a URL.
  const beside = { ops: ['mean', { cov: {} }], axis: 0, slice: ':,:2', ddof: 0, where: { column: 'a', lt: 5 } };
  t.strictSame(await resultsOf('table', beside), { mean: [2.5, 6], cov: [[1.25, 2.5], [2.5, 5]], count: 4 }); // prettier-ignore
  const url = await server.fetch('/v1/datasets/table/statistics?ops=cov,corrcoef&slice=:,:2&ddof=0&as=c,r');
  t.strictSame(rounded(((await url.json()) as Line).results), { c: [[2, 4], [4, 8]], r: [[1, 1], [1, 1]] }); // prettier-ignore

  // Columns that go backwards begin behind the first.
  t.strictSame(await resultsOf('table', { ops: ['mean'], axis: 0, field: 'b,a' }), { mean: [7, 3], count: 5 });

  const npy = await ask('table', { ops: ['corrcoef'], slice: ':,:2' }, '.npy');
  t.strictSame([npy.headers.get('x-array-dtype'), npy.headers.get('x-array-shape')], ['<f8', '2,2']);
  t.equal((await npy.arrayBuffer()).byteLength, 128 + 32);
});

/** The same with twelve digits: the diagonal of corrcoef is what numpy's divisions leave of 1. */
function rounded(value: unknown): unknown {
  const short = (_: string, each: unknown): unknown => (typeof each === 'number' ? Number(each.toPrecision(12)) : each);
  return JSON.parse(JSON.stringify(value, short));
}

t.test('in batches, and as jobs', async t => {
  const queries = [
    { dataset: 'table', ops: ['cov'], slice: ':,:2' },
    { dataset: 'table', ops: ['cov'], group_by: { column: 'a' } },
    { dataset: 'items', ops: ['count', 'corrcoef'], field: 'b,a' },
  ];
  const lines = await server.fetch('/v1/statistics', {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ queries }),
  });
  const [first, second, third] = (await lines.text())
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line);
  t.strictSame(first!.results?.['cov'], [[2.5, 5], [5, 10]]); // prettier-ignore
  t.equal(second!.error?.code, 'bad_operation');
  t.strictSame(rounded(third!.results), { count: 5, corrcoef: [[1, 1], [1, 1]] }); // prettier-ignore
  const made = await server.fetch('/v1/datasets/table/statistics', {
    method: 'POST',
    headers: { ...JSON_TYPE, prefer: 'respond-async, wait=20' },
    body: JSON.stringify({ ops: ['cov'], slice: ':,:2' }),
  });
  t.equal(made.status, 200);
  t.strictSame(((await made.json()) as Line).results?.['cov'], [[2.5, 5], [5, 10]]); // prettier-ignore
});

interface Line {
  readonly results?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string };
}

t.test('what is refused, before anything is read', async t => {
  await create(server, { name: 'wide', dtype: '|i1', shape: [2, 513], sparse: true });
  await create(server, { name: 'days', dtype: '<M8[D]', shape: [4, 2] });
  await create(server, { name: 'cube', dtype: '<f8', shape: [2, 3, 4] });
  const refused: readonly (readonly [string, object, number, string, RegExp])[] = [
    ['table', { ops: [{ cov: { ddof: 0.5 } }] }, 422, 'bad_operation', /whole number/],
    ['table', { ops: ['cov'], ddof: 0.5 }, 422, 'bad_operation', /whole number/],
    ['table', { ops: [{ cov: { bias: true } }] }, 422, 'bad_operation', /ddof/],
    ['table', { ops: [{ corrcoef: { ddof: 1 } }] }, 422, 'bad_operation', /no parameters/],
    ['table', { ops: ['cov'], axis: 1 }, 422, 'bad_operation', /axis=0/],
    ['cube', { ops: ['cov'], axis: 0 }, 422, 'bad_operation', /axis=0,1/],
    ['table', { ops: ['cov'], group_by: { column: 'a' } }, 422, 'bad_operation', /groups/],
    ['table', { ops: ['cov'], nan: 'raise' }, 422, 'nan_found', /NaN/],
    ['wide', { ops: ['corrcoef'] }, 413, 'too_large', /slice=:,0:512/],
    ['days', { ops: ['cov'] }, 422, 'unsupported_dtype', /cov/],
    ['items', { ops: ['cov'] }, 422, 'unsupported_dtype', /"tag"/],
    ['items', { ops: ['cov'], field: 'tag' }, 422, 'unsupported_dtype', /cov/],
    ['table', { ops: ['mean', 'cov'], field: 'c,a,b' }, 422, 'unknown_field', /not evenly apart/],
  ];
  for (const [name, query, status, code, detail] of refused) {
    const response = await ask(name, query);
    const problem = (await response.json()) as { code: string; detail: string };
    t.strictSame([response.status, problem.code], [status, code], JSON.stringify(query));
    t.match(problem.detail, detail);
  }
  // Of 512 it is computed.
  const most = await ask('wide', { ops: ['cov'], slice: ':,1:' }, '.raw');
  t.equal((await most.arrayBuffer()).byteLength, 512 * 512 * 8);
});

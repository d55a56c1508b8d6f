/** `coarsen=` through the door: answers that are numpy's to the byte, in every format, and what is refused. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { toNative } from '../../src/native.js';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { create, json } from '../system/calls.js';

interface NumpyCase {
  readonly name: string;
  readonly slice: string | null;
  readonly coarsen: string;
  readonly method: string;
  readonly nan: string;
  readonly npy: string;
  /** Where digits may differ. */
  readonly values?: readonly string[];
  readonly scale?: number;
}

const root = temporaryFolder();
const server = await startServiceHere({ env: { HYPERSLAB_WORKERS: '2', HYPERSLAB_ROOTS: root } });
t.teardown(async () => {
  await server.stop();
  for (const folder of [server.dataDir, root]) fs.rmSync(folder, { recursive: true });
});

function questionOf({ slice, coarsen, method, nan }: NumpyCase): string {
  const query = new URLSearchParams({ coarsen, method, nan });
  if (slice !== null) query.set('slice', slice);
  return String(query);
}

/** Undefined, or what is wrong. */
async function check(each: NumpyCase): Promise<string | undefined> {
  const question = `${each.name}/data.npy?${questionOf(each)}`;
  const response = await server.fetch(`/v1/datasets/${question}`);
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) return `${question}: ${body.toString()}`;
  const expected = Buffer.from(each.npy, 'base64');
  if (!each.values)
    return body.equals(expected) ? undefined : `${question}: ${told(body)} instead of ${told(expected)}`;
  const dtype = numberDType(response.headers.get('x-array-dtype')!);
  const data = body.subarray(body.length - each.values.length * dtype.itemsize);
  if (!body.subarray(0, body.length - data.length).equals(expected.subarray(0, expected.length - data.length))) {
    return `${question}: ${told(body)} instead of ${told(expected)}`;
  }
  const unit = dtype.itemsize === 4 ? 2 ** -23 : 2 ** -52;
  const values = Array.from(toNative(dtype, data), Number);
  const at = values.findIndex((value, i) => {
    const wanted = Number(each.values![i]!.replace('inf', 'Infinity'));
    if (!Number.isFinite(wanted)) return !Object.is(value, wanted);
    return !(Math.abs(value - wanted) <= unit * Math.abs(wanted) + 1e-15 * each.scale!);
  });
  return at < 0 ? undefined : `${question}: ${values[at]} at ${at} instead of ${each.values[at]}`;
}

function told(npy: Buffer): string {
  return `${npy.subarray(10, 80).toString('latin1').trim()} ${npy.subarray(128, 160).toString('hex')}`;
}

// Before the first test: where that is skipped, all would be over before these were answered.
await create(server, { name: 'grid', dtype: '>f4', shape: [5, 4] });
await server.fetch(
  '/v1/datasets/grid/data',
  json(
    'PUT',
    Array.from({ length: 5 }, (_, i) => [4 * i, 4 * i + 1, 4 * i + 2, i === 1 ? 'NaN' : 4 * i + 3]),
  ),
);
await create(server, { name: 'flags', dtype: 'bool', shape: [4] });
await create(server, { name: 'waves', dtype: 'complex64', shape: [4] });
await create(server, { name: 'days', dtype: 'datetime64[D]', shape: [4] });
await create(server, { name: 'one', dtype: 'i4', shape: [] });

const get = (question: string, init?: RequestInit): Promise<Response> => server.fetch(`/v1/datasets/${question}`, init);

t.test('random arrays agree with numpy to the byte', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const count = caseCount(150, 2000);
  const cases = JSON.parse(runPython('http/coarsen_numpy.py', [root, '1', String(count)])) as NumpyCase[];
  const wrong: string[] = [];
  for (const each of cases) {
    await create(server, { name: each.name, path: path.join(root, `${each.name}.npy`) });
    const fault = await check(each);
    if (fault !== undefined) wrong.push(fault);
  }
  t.equal(cases.length, count);
  t.strictSame(wrong.slice(0, 5), []);
});

t.test('the answer is an array like any other', async t => {
  const asked = 'grid/data?coarsen=2,3&slice=1:';
  const answer = (await (await get(asked)).json()) as object;
  t.match(
    answer,
    {
      dataset: 'grid',
      dtype: '>f4',
      shape: [2, 2],
      data: [
        [7, 'NaN'],
        [15, 17],
      ],
    },
    'json',
  );
  const raw = await get(`${asked}&format=raw&endian=little`);
  t.match(Object.fromEntries(raw.headers), { 'x-array-dtype': '<f4', 'x-array-shape': '2,2', 'content-length': '16' });
  t.strictSame([...new Float32Array(await raw.arrayBuffer())], [7, NaN, 15, 17].map(Math.fround));
  const head = await get(`${asked}&format=npy`, { method: 'HEAD' });
  const npy = await get(`${asked}&format=npy`);
  for (const name of [
    'content-length',
    'content-type',
    'etag',
    'x-array-dtype',
    'x-array-shape',
    'x-dataset-generation',
  ]) {
    t.equal(head.headers.get(name), npy.headers.get(name), name);
  }
  t.equal(Number(head.headers.get('content-length')), (await npy.arrayBuffer()).byteLength);
  const etag = npy.headers.get('etag')!;
  t.equal((await get(`${asked}&format=npy`, { headers: { 'if-none-match': etag } })).status, 304);
  t.equal((await get(asked, { headers: { 'if-match': '"other.1"' } })).status, 412);
  const file = await get('grid/data.raw?coarsen=5,1&method=minmax&nan=omit');
  t.equal(file.headers.get('x-array-shape'), '1,4,2');
  t.match(file.headers.get('content-disposition'), /grid/);
});

t.test('what was computed is known until something is written', async t => {
  const cached = async (init?: RequestInit): Promise<string | null> => {
    const response = await get('grid/data?coarsen=5,4&method=sum&nan=omit', init);
    t.equal(response.status, 200);
    return response.headers.get('x-cache');
  };
  t.equal(await cached(), 'miss');
  t.equal(await cached(), 'hit');
  t.equal(await cached({ headers: { 'cache-control': 'no-cache' } }), 'miss');
  await get('grid/data?slice=0,0', json('PUT', 0));
  t.equal(await cached(), 'miss');
});

t.test('large integers keep their digits', async t => {
  await create(server, { name: 'large', dtype: 'i8', shape: [4], fill: 0 });
  await get('large/data', { ...json('PUT', 0), body: '[9007199254740993, 2, 9007199254740995, 4]' });
  const text = await (await get('large/data?coarsen=2&method=sum&int64=string')).text();
  t.match(text, '"dtype":"<i8","shape":[2],"data":["9007199254740995","9007199254740999"]');
});

for (const [question, status, code] of [
  ['grid/data?coarsen=2', 422, 'bad_operation'],
  ['grid/data?coarsen=2,2,2', 422, 'bad_operation'],
  ['grid/data?coarsen=2,2&slice=0', 422, 'bad_operation'],
  ['grid/data?coarsen=0,1', 400, 'bad_request'],
  ['grid/data?coarsen=-1,1', 400, 'bad_request'],
  ['grid/data?coarsen=1.5,1', 400, 'bad_request'],
  ['grid/data?coarsen=', 422, 'bad_operation'],
  ['grid/data?coarsen=2,2&method=median', 400, 'bad_request'],
  ['grid/data?coarsen=2,2&nan=raise', 400, 'bad_request'],
  ['grid/data?method=min', 400, 'bad_request'],
  ['grid/data?nan=omit', 400, 'bad_request'],
  ['flags/data?coarsen=2', 422, 'unsupported_dtype'],
  ['flags/data?coarsen=2&method=sum', 422, 'unsupported_dtype'],
  ['days/data?coarsen=2', 422, 'unsupported_dtype'],
  ['waves/data?coarsen=2', 422, 'unsupported_dtype'],
  ['waves/data?coarsen=2&method=first', 422, 'unsupported_dtype'],
] as const) {
  t.test(`${question} is refused`, async t => {
    const response = await get(question);
    t.equal(response.status, status);
    t.match(await response.json(), { code });
  });
}

t.test('an array of no axes has no factors', async t => {
  t.match(await (await get('one/data?coarsen=&method=max')).json(), { shape: [], data: 0 });
});

t.test('an answer that is too large is refused before anything is read', async t => {
  await create(server, { name: 'wide', dtype: 'u1', shape: [4096, 1024], sparse: true });
  const refused = await get('wide/data?coarsen=1,2&format=raw');
  t.equal(refused.status, 413);
  t.match(await refused.json(), { code: 'too_large', limit: 1024 * 1024, asked: 2 * 1024 * 1024 });
  t.match(await (await get('wide/data?coarsen=3,3')).json(), { code: 'too_large' }, 'of JSON');
  const strided = await get('wide/data?coarsen=1,2&format=raw&method=first', { method: 'HEAD' });
  t.equal(strided.headers.get('content-length'), String(2 * 1024 * 1024), 'of elements as they are there may be more');
});

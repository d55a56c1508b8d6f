/** `unique` through the door: numpy's values and counts with all digits, and what is refused. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { LIMITS } from '../../src/limits.js';
import { narrowTo } from '../../src/narrow.js';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { startServer, temporaryFolder, type Service } from '../helpers/server.js';
import { binary, create, json, outcome } from '../system/calls.js';

/** A number is a float; integers are texts. */
type Value = string | number | readonly [Value, Value];

interface NumpyCase {
  readonly name: string;
  /** Letter and bytes of the dtype: `f8`. */
  readonly kind: string;
  /** JSON. */
  readonly query: string;
  /** null: NaN is refused. `digest` is that of both as a structured array. */
  readonly answer: {
    readonly values: readonly Value[];
    readonly counts: readonly number[];
    readonly digest: string;
  } | null;
}

const root = temporaryFolder();
const servers = await Promise.all(
  ['1', '2', '7'].map(workers => startServer({ env: { HYPERSLAB_WORKERS: workers, HYPERSLAB_ROOTS: root } })),
);
const server = servers[0]!;
t.teardown(async () => {
  await Promise.all(servers.map(each => each.stop()));
  for (const folder of [...servers.map(each => each.dataDir), root]) fs.rmSync(folder, { recursive: true });
});

const AS_JSON = { method: 'POST', headers: { 'content-type': 'application/json' } };

async function ask(service: Service, name: string, query: string): Promise<string> {
  const response = await service.fetch(`/v1/datasets/${name}/statistics`, { ...AS_JSON, body: query });
  const text = await response.text();
  return /"results":.*(?=,"scanned_bytes")/s.exec(text)?.[0] ?? text;
}

async function digest(service: Service, name: string, query: string): Promise<string> {
  const response = await service.fetch(`/v1/datasets/${name}/statistics?format=raw`, { ...AS_JSON, body: query });
  return createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex');
}

const LISTS = /^"results":\{"unique":\{"values":(\[.*\]),"counts":(\[[\d,]*\])\}\}$/s;

/** A value of the answer, whose integers stand as text; floats are compared as numbers of their dtype. */
function isSame(found: unknown, wanted: Value, narrow: (value: number) => number): boolean {
  if (typeof wanted === 'number') return narrow(Number(found)) === wanted;
  if (typeof wanted === 'string') return found === wanted;
  return Array.isArray(found) && found.length === 2 && wanted.every((part, i) => isSame(found[i], part, narrow));
}

function isEqual(asked: string, { answer, kind }: NumpyCase): boolean {
  if (answer === null) return asked.includes('"code":"nan_found"');
  const [, values, counts] = LISTS.exec(asked) ?? [];
  if (values === undefined || counts !== JSON.stringify(answer.counts)) return false;
  // Integers have more digits than a double; texts and floats are JSON as it is.
  const isText = /^[SUfcM]/.test(kind);
  const found = (isText ? JSON.parse(values) : values.slice(1, -1).replaceAll('"', '').split(',')) as unknown[];
  const length = values === '[]' ? 0 : found.length;
  const bytes = Number(kind.slice(1)) / (kind.startsWith('c') ? 2 : 1);
  const narrow = /^[fc]/.test(kind) ? narrowTo(numberDType(`<f${bytes}`)) : Number;
  return length === answer.values.length && answer.values.every((value, i) => isSame(found[i], value, narrow));
}

// Before the first test: where that is skipped, all would be over before these were answered.
await create(server, { name: 'grid', dtype: '<f8', shape: [2, 3] });
await server.fetch(
  '/v1/datasets/grid/data',
  json('PUT', [
    ['NaN', 2, 1],
    [1, -0, 0],
  ]),
);

t.test('distinct elements are those of numpy, with 1, 2 and 7 workers', { skip: !PYTHON && NO_NUMPY }, async t => {
  const count = caseCount(100, 1000);
  const cases = JSON.parse(runPython('http/distinct_numpy.py', [root, '0', String(count)])) as NumpyCase[];
  const wrong: string[] = [];
  for (const each of cases) {
    const { name, kind, query, answer } = each;
    const made = { name, path: path.join(root, `${name}.npy`) };
    const [asked, ...others] = await Promise.all(
      servers.map(async service => {
        await create(service, made);
        return ask(service, name, query);
      }),
    );
    const wanted = JSON.stringify(answer).slice(0, 300);
    if (!isEqual(asked!, each)) wrong.push(`${name} ${kind} ${query}: ${asked!.slice(0, 300)}, not ${wanted}`);
    if (others.some(other => answer !== null && other !== asked)) wrong.push(`${name}: other workers, another answer`);
    if (answer && (await digest(server, name, query)) !== answer.digest) wrong.push(`${name} ${kind} ${query} as raw`);
  }
  t.same(wrong.slice(0, 10), []);
  t.ok(cases.some(({ answer }) => answer === null));
  t.ok(cases.some(({ answer }) => answer !== null && answer.values.length > 5000));
});

t.test('a URL, another name, other operations beside it, and the values as an array', async t => {
  const response = await server.fetch('/v1/datasets/grid/statistics?ops=unique,max,median&nan=omit&as=all,most,middle');
  const { results, count } = (await response.json()) as { results: unknown; count: number };
  t.same(results, { all: { values: [0, 1, 2], counts: [2, 2, 1] }, most: 2, middle: 1 });
  t.equal(count, 5);
  const npy = await server.fetch('/v1/datasets/grid/statistics.npy?ops=unique');
  t.equal(npy.headers.get('x-array-dtype'), '[["values","<f8"],["counts","<i8"]]');
  t.equal(npy.headers.get('x-array-shape'), '4');
});

t.test('more distinct elements than there may be are refused, exactly as many are answered', async t => {
  const length = 20 * LIMITS.uniqueMax;
  await create(server, { name: 'many', dtype: '<u4', shape: [length] });
  const values = Uint32Array.from({ length }, (_, i) => (i * 7919) % LIMITS.uniqueMax);
  const put = (): Promise<Response> =>
    server.fetch('/v1/datasets/many/data', binary('PUT', new Uint8Array(values.buffer)));
  await put();
  const all = LISTS.exec(await ask(server, 'many', '{"ops":["unique"]}'));
  t.equal(all?.[1], `[${Array.from({ length: LIMITS.uniqueMax }, (_, i) => i).join()}]`);
  t.equal(all?.[2], `[${Array.from({ length: LIMITS.uniqueMax }, () => 20).join()}]`);
  values[length - 1] = LIMITS.uniqueMax;
  await put();
  const response = await server.fetch('/v1/datasets/many/statistics?ops=unique');
  const { code, limit } = (await response.json()) as { code: string; limit: number };
  t.same([response.status, code, limit], [413, 'too_large', LIMITS.uniqueMax]);
});

t.test('texts are bounded by their bytes, and as an array by the bytes of their dtype', async t => {
  const outcomeOf = (name: string, format = 'json'): Promise<string> =>
    outcome(server.fetch(`/v1/datasets/${name}/statistics?ops=unique&format=${format}`));
  await create(server, { name: 'endless', dtype: `|S${LIMITS.textItemBytesMax + 1}`, shape: [2], sparse: true });
  t.equal(await outcomeOf('endless'), '413 too_large');
  await create(server, { name: 'wide', dtype: '<U10000', shape: [1000], sparse: true });
  const short = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'));
  await server.fetch('/v1/datasets/wide/data', json('PUT', short));
  t.equal(await outcomeOf('wide', 'npy'), '413 too_large');
  const response = await server.fetch('/v1/datasets/wide/statistics?ops=unique');
  const { results } = (await response.json()) as { results: { unique: { values: string[]; counts: number[] } } };
  t.same(results.unique, { values: short, counts: short.map(() => 1) });
  const length = Math.ceil(LIMITS.textBytesMax / 1000) + 1;
  await create(server, { name: 'long', dtype: '|S1000', shape: [length] });
  const long = Buffer.alloc(1000 * length, 'x');
  for (let i = 0; i < length; i++) long.write(String(i).padStart(9, '0'), 1000 * i);
  await server.fetch('/v1/datasets/long/data', binary('PUT', long));
  t.equal(await outcomeOf('long'), '413 too_large');
  t.equal(await outcome(server.fetch('/v1/datasets/long/statistics?ops=unique&slice=:1000')), '200');
});

t.test('what is no code point comes as a replacement in JSON, and as it is in an array', async t => {
  await create(server, { name: 'points', dtype: '>U2', shape: [3] });
  const bytes = Buffer.alloc(24);
  for (const [i, point] of [0xd800, 0, 0x11_0000, 0x41, 0xd800, 0].entries()) bytes.writeUInt32BE(point, 4 * i);
  await server.fetch('/v1/datasets/points/data', binary('PUT', bytes));
  const text = await ask(server, 'points', '{"ops":["unique"]}');
  t.equal(text, '"results":{"unique":{"values":["\ufffd","\ufffdA"],"counts":[2,1]}}');
  const raw = Buffer.from(await (await server.fetch('/v1/datasets/points/statistics.raw?ops=unique')).arrayBuffer());
  t.same(
    [0, 4, 8, 16, 20, 24].map(at => raw.readUInt32LE(at)),
    [0xd800, 0, 2, 0x11_0000, 0x41, 1],
  );
});

t.test('the same in a batch, as a job, from the cache, and computed afresh', async t => {
  const results = { unique: { values: [0, 1, 2, 'NaN'], counts: [2, 2, 1, 1] } };
  const batch = await server.fetch('/v1/statistics', json('POST', { queries: [{ dataset: 'grid', ops: ['unique'] }] }));
  t.match(JSON.parse(await batch.text()), { index: 0, results });
  const url = '/v1/datasets/grid/statistics?ops=unique';
  const asked = await server.fetch(url, { headers: { prefer: 'respond-async' } });
  t.equal(asked.status, 202);
  const job = new URL(asked.headers.get('location')!, `http://x${new URL(asked.url).pathname}`).pathname;
  for (let tries = 0; ; tries++) {
    const { state, result } = (await (await server.fetch(job)).json()) as { state: string; result?: object };
    if (state === 'done') t.match(result, { results });
    if (state === 'done' || tries === 200) break;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  const again = await server.fetch(url);
  t.equal(again.headers.get('x-cache'), 'hit');
  t.match(await again.json(), { results });
  const afresh = await server.fetch(url, { headers: { 'cache-control': 'no-cache' } });
  t.equal(afresh.headers.get('x-cache'), 'miss');
  t.match(await afresh.json(), { results });
});

t.test('what has no distinct elements says so', async t => {
  for (const [name, dtype] of [
    ['void', '|V3'],
    ['longdouble', '<f16'],
    ['items', [['a', '<i4']]],
  ] as const) {
    await create(server, { name, dtype, shape: [3] });
    const response = await server.fetch(`/v1/datasets/${name}/statistics?ops=unique`);
    const { code, supported } = (await response.json()) as { code: string; supported: string[] };
    t.same([response.status, code], [422, 'unsupported_dtype'], name);
    t.ok(supported.includes('count'));
  }
  for (const query of [{ axis: 0 }, { group_by: { column: 0 } }]) {
    const asked = JSON.parse(await ask(server, 'grid', JSON.stringify({ ops: ['unique'], ...query }))) as {
      status: number;
      code: string;
    };
    t.same([asked.status, asked.code], [422, 'bad_operation']);
  }
});

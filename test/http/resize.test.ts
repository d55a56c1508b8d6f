/** `resize`: each sentence of what clients are promised. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { NO_NUMPY, PYTHON } from '../helpers/python.js';
import { caseCount } from '../helpers/cases.js';
import { header, npy } from '../helpers/npy.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { json } from '../system/calls.js';

let server: TestServer;
t.before(async () => {
  server = await startServer();
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

type Body = Record<string, unknown> & { shape: number[]; generation: number; code?: string; data?: unknown };
interface Answer {
  readonly status: number;
  readonly body: Body;
}

async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await server.fetch(url, init);
  return { status: response.status, body: (await response.json()) as Body };
}

async function make(name: string, more: Record<string, unknown>): Promise<Body> {
  const { status, body } = await ask('/v1/datasets', json('POST', { name, ...more }));
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

const resize = (name: string, shape: unknown, query = '', headers = {}): Promise<Answer> =>
  ask(`/v1/datasets/${name}/resize${query}`, {
    method: 'POST',
    body: JSON.stringify({ shape }),
    headers: { 'content-type': 'application/json', ...headers },
  });
const describe = async (name: string): Promise<Body> => (await ask(`/v1/datasets/${name}`)).body;
const dataOf = async (name: string): Promise<unknown> => (await ask(`/v1/datasets/${name}/data`)).body.data;
const put = (name: string, slice: string, data: unknown): Promise<Answer> =>
  ask(`/v1/datasets/${name}/data?slice=${slice}`, json('PUT', data));
const fileOf = (name: string, suffix = 'npy'): string => path.join(server.dataDir, 'arrays', `${name}.${suffix}`);

t.test('it grows with its fill, shrinks, and shows the fill again', async t => {
  for (const format of ['npy', 'raw']) {
    const name = `fill-${format}`;
    t.match(await make(name, { dtype: '<i4', shape: [2, 2], fill: -7, format }), { fill: -7, generation: 1 });
    await put(name, '1', [1, 2]);
    const { status, body } = await resize(name, [4, 2]);
    t.same([status, body], [200, { dataset: name, generation: 3, shape: [4, 2], durability: 'commit' }]);
    await put(name, '3', [3, 4]);
    t.match((await resize(name, [1, 2])).body, { shape: [1, 2], generation: 5 });
    t.same(await dataOf(name), [[-7, -7]]);
    const { offset } = (await describe(name)) as unknown as { offset: number };
    t.equal(fs.statSync(fileOf(name, format)).size, offset + 8, 'the end of the file is that of the array');
    t.match((await resize(name, [4, 2])).body, { shape: [4, 2], generation: 6 });
    t.same(
      await dataOf(name),
      Array.from({ length: 4 }, () => [-7, -7]),
    );
    t.match((await resize(name, [0, 2])).body, { shape: [0, 2] });
    t.same(await dataOf(name), []);
    t.match((await resize(name, [1, 2])).body, { shape: [1, 2] });
    t.match(await describe(name), { shape: [1, 2], size: 2, nbytes: 8, fill: -7, generation: 8 });
  }
});

/** A dtype, a fill, and its zero, as they are described. */
const FILLS: readonly [dtype: unknown, fill: unknown, zero: unknown][] = [
  ['<f4', 'NaN', 0],
  ['>f8', 1.5, 0],
  ['|b1', true, false],
  ['<i8', '-9007199254740993', 0],
  ['<c8', [1, -2], [0, 0]],
  ['<M8[s]', '2020-01-02T03:04:05', '1970-01-01T00:00:00'],
  ['<m8[ms]', 'NaT', 0],
  ['|S3', 'ab', ''],
  ['<U2', 'é', ''],
  ['|V2', 'AQA=', 'AAA='],
  [
    [
      ['a', '|u1'],
      ['b', '<f4', [2]],
    ],
    { a: 3, b: [1, 0] },
    { a: 0, b: [0, 0] },
  ],
];

t.test('the fill of each kind of element is described', async t => {
  for (const [i, [dtype, fill, zero]] of FILLS.entries()) {
    const shown = typeof fill === 'string' && dtype === '<i8' ? Number(fill) : fill;
    t.match(await make(`kind${i}`, { dtype, shape: [1], fill }), { fill: shown }, `${String(dtype)} is described`);
    t.same((await make(`zero${i}`, { dtype, shape: [0] }))['fill'], zero, `${String(dtype)} of zeros`);
  }
  await make('exact', { dtype: '<u8', shape: [0], fill: '18446744073709551615' });
  t.match(await (await server.fetch('/v1/datasets/exact')).text(), /"fill":18446744073709551615,/);
  t.equal((await make('long', { dtype: '<f16', shape: [0] }))['fill'], null, 'no JSON, no text of it');
});

t.test('F order grows along the last axis, and keeps what it had', async t => {
  await make('f', { dtype: '<i2', shape: [2, 3], order: 'F', fill: 9 });
  await put('f', '...', [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  t.match((await resize('f', [2, 4])).body, { shape: [2, 4] });
  t.same(await dataOf('f'), [
    [1, 2, 3, 9],
    [4, 5, 6, 9],
  ]);
  t.match((await resize('f', [2, 2])).body, { shape: [2, 2] });
  t.same(await dataOf('f'), [
    [1, 2],
    [4, 5],
  ]);
  t.match(await resize('f', [3, 2]), { status: 422, body: { code: 'not_growable' } });
});

t.test('refusals and preconditions', async t => {
  const { id, generation } = await make('p', { dtype: '<i4', shape: [3, 2] });
  for (const shape of [[3], [3, 2, 1], [], [3, 3], [4, 3]])
    t.match(await resize('p', shape), { status: 422, body: { code: 'not_growable' } }, `[${shape.join()}]`);
  t.match(await resize('p', [-1, 2]), { status: 422, body: { code: 'bad_shape' } });
  for (const shape of [[1.5, 2], ['3', 2], 3, null, undefined]) t.equal((await resize('p', shape)).status, 400);
  t.equal((await ask('/v1/datasets/p/resize', json('POST', { shape: [3, 2], fill: 1 }))).status, 400);
  t.match(await resize('p', [3, 2]), { status: 200, body: { generation, shape: [3, 2] } }, 'the same moves nothing');
  t.match(await resize('p', [4, 2], '?expected_shape=4,2'), { status: 409, body: { code: 'moved', shape: [3, 2] } });
  t.match(await resize('p', [3, 2], '?expected_shape=4,2'), { status: 409 }, 'asked of the same shape, too');
  t.match(await resize('p', [4, 2], '', { 'if-match': `"${String(id)}.7"` }), { status: 412 });
  t.match(await resize('p', [3, 2], '', { 'if-match': `"${String(id)}.7"` }), { status: 412 });
  t.match(await resize('p', [4, 2], '?expected_shape=3,2', { 'if-match': `"${String(id)}.${generation}"` }), {
    status: 200,
  });
  t.equal((await resize('nobody', [1])).status, 404);
  await ask('/v1/datasets/p', json('PATCH', { mode: 'r' }));
  t.match(await resize('p', [5, 2]), { status: 403, body: { code: 'read_only' } });
  await make('copy', { path: 'arrays/p.npy', mode: 'c' });
  t.match(await resize('copy', [5, 2]), { status: 403, body: { code: 'copy_on_write' } });
  await make('scalar', { dtype: '<i4', shape: [] });
  await make('thin', { dtype: '<i4', shape: [2, 0] });
  t.match(await resize('scalar', []), { status: 422, body: { code: 'not_growable' } });
  t.match(await resize('thin', [3, 0]), { status: 422, body: { code: 'not_growable' } });
  await make('behind', { dtype: '<i4', shape: [2] });
  fs.appendFileSync(fileOf('behind'), 'x');
  for (const length of [1, 3])
    t.match(await resize('behind', [length]), { status: 409, body: { code: 'bytes_behind' } }, `to ${length}`);
});

t.test('what is too large is refused before anything changes', async t => {
  const { generation } = await make('huge', { dtype: '<f8', shape: [2], fill: 1 });
  const before = fs.statSync(fileOf('huge'));
  t.match(await resize('huge', [2 ** 50]), { status: 413, body: { code: 'too_large' } });
  const filled = await resize('huge', [2 ** 42]);
  t.ok([413, 507].includes(filled.status), JSON.stringify(filled.body));
  await make('zeros', { dtype: '<f8', shape: [2] });
  const { status, body } = await resize('zeros', [2 ** 45]);
  t.ok((status === 507 && body.code === 'disk_full') || (status === 413 && body.code === 'too_large'), `${status}`);
  await make('holes', { dtype: '<f8', shape: [2], sparse: true });
  t.match(await resize('holes', [2 ** 50 - 64]), { status: 413, body: { code: 'too_large' } });
  for (const name of ['huge', 'zeros', 'holes']) t.match(await describe(name), { shape: [2] }, name);
  t.match(await describe('huge'), { generation });
  const { size, blocks } = fs.statSync(fileOf('huge'));
  t.same([size, blocks], [before.size, before.blocks]);
  t.equal((await resize('zeros', [3])).status, 200, 'and it goes on');
});

t.test('a fill of many megabytes: reads go on, other writes are told, and all of it is there', async t => {
  const MiB = 2 ** 20;
  const size = caseCount(80, 1500) * MiB;
  await make('wide', { dtype: '<i4', shape: [2, 256], fill: 7 });
  const resized = resize('wide', [size / 1024, 256]);
  const seen = new Set<number>();
  const during = async (): Promise<void> => {
    while (!seen.has(size / 1024)) {
      const read = await ask('/v1/datasets/wide/rows/1');
      if (read.status !== 200) t.fail(JSON.stringify(read.body));
      seen.add((await describe('wide')).shape[0]!);
      const write = await put('wide', '0', 7);
      if (write.status !== 200 && write.body.code !== 'bulk_load') t.fail(JSON.stringify(write.body));
    }
  };
  const [{ status, body }] = await Promise.all([resized, during()]);
  t.same([status, body.shape], [200, [size / 1024, 256]], JSON.stringify(body));
  t.same(
    [...seen].toSorted((a, b) => a - b),
    [2, size / 1024],
    'the old length, then the new one',
  );
  const { results } = (await ask('/v1/datasets/wide/statistics?ops=min,max,count')).body;
  t.same(results, { min: 7, max: 7, count: size / 4 });
  const { offset } = (await describe('wide')) as unknown as { offset: number };
  t.equal(fs.statSync(fileOf('wide')).size, offset + size);
  await server.stop('SIGKILL');
  server = await startServer({ dataDir: server.dataDir });
  t.match((await ask('/v1/datasets/wide/statistics?ops=min,max')).body, { results: { min: 7, max: 7 } });
  await server.fetch('/v1/datasets/wide?data=delete', { method: 'DELETE' });
});

/** Reads an answer slowly: some of it, then what is left when `meanwhile` has ended. Undefined where it was cut. */
async function slowGet(url: string, meanwhile: () => Promise<unknown>): Promise<Buffer | undefined> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(`${server.url}${url}`, { agent: false }, resolve).on('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}`);
  const chunks: Buffer[] = [];
  try {
    await once(response, 'readable');
    chunks.push(response.read(1024) as Buffer);
    await meanwhile();
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

t.test('answers under way while an array shrinks have the old bytes or are cut, and hold up nobody', async t => {
  const MiB = 2 ** 20;
  const outcomes = new Set<string>();
  for (const format of ['npy', 'raw']) {
    for (const slice of ['...', '::-1']) {
      const name = `under-way-${format}`;
      await make(name, { dtype: '<u4', shape: [64, MiB / 4], format, fill: 1 });
      const url = `/v1/datasets/${name}`;
      const shrink = async (): Promise<void> => {
        const started = Date.now();
        for (const rows of [8, 64]) t.equal((await resize(name, [rows, MiB / 4])).status, 200, `${slice} to ${rows}`);
        t.equal((await put(name, ':60', 2)).status, 200);
        t.ok(Date.now() - started < 10_000, `after ${Date.now() - started} ms`);
      };
      const read = await slowGet(`${url}/data.raw?slice=${slice}`, shrink);
      const words = read && new Set(new Uint32Array(read.buffer, read.byteOffset, read.byteLength / 4));
      outcomes.add(words ? 'old' : 'cut');
      if (words) t.same([...words], [1], `${name} ${slice}: nothing but old elements`);
      t.ok((await server.fetch(`${url}?data=delete`, { method: 'DELETE' })).ok);
    }
  }
  t.comment([...outcomes].join());
});

t.test('all registrations of one .npy follow; a raw one that was cut off is refused', async t => {
  await make('w', { dtype: '<i4', shape: [4] });
  await make('twin', { path: 'arrays/w.npy' });
  await make('raw', { path: 'arrays/w.npy', format: 'raw', dtype: '<i4', offset: 128, shape: [3] });
  t.equal((await resize('w', [3])).status, 200);
  t.same(await dataOf('twin'), [0, 0, 0]);
  t.same(await dataOf('raw'), [0, 0, 0], 'all of it is there');
  t.equal((await resize('w', [2])).status, 200);
  t.match(await describe('twin'), { shape: [2] });
  t.same(await dataOf('twin'), [0, 0]);
  t.match(await ask('/v1/datasets/raw/data'), { status: 409, body: { code: 'file_changed' } });
  t.match(await describe('raw'), { shape: [3], state: 'truncated' });
});

t.test('a .npy that others made: its number gets room once; without room it is refused', async t => {
  const folder = fs.mkdtempSync(path.join(server.dataDir, 'arrays', 'x'));
  const file = path.join(folder, 'others.npy');
  fs.writeFileSync(file, npy(header('<i4', '(2, 2)'), Buffer.alloc(16, 1)));
  await make('others', { path: file, mode: 'r+' });
  t.match((await resize('others', [3, 2])).body, { shape: [3, 2], rewritten: true });
  t.notOk('rewritten' in (await resize('others', [1, 2])).body);
  t.same(await dataOf('others'), [[0x01010101, 0x01010101]]);
  const tight = path.join(folder, 'tight.npy');
  fs.writeFileSync(
    tight,
    Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00\x3d\x00', 'latin1'),
      Buffer.from("{'descr':'<i4','fortran_order':False,'shape':(2,2)}".padEnd(60)),
      Buffer.from('\n'),
      Buffer.alloc(16),
    ]),
  );
  await make('tight', { path: tight, mode: 'r+' });
  t.match(await resize('tight', [3, 2]), { status: 422, body: { code: 'not_growable' } });
  t.same(await dataOf('tight'), [
    [0, 0],
    [0, 0],
  ]);
});

t.test('many resizes, appends and writes at once: each is whole, in one order', async t => {
  await make('busy', { dtype: '<i4', shape: [4], fill: 1 });
  const statuses = new Map<number, number>();
  const deadline = Date.now() + 1500;
  const loop = async (call: () => Promise<Answer>): Promise<void> => {
    while (Date.now() < deadline) {
      const { status, body } = await call();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 500 || (status === 409 && body.code !== 'moved')) t.fail(JSON.stringify(body));
    }
  };
  let length = 4;
  await Promise.all([
    loop(() => resize('busy', [(length = (length * 7) % 97)])),
    loop(() => resize('busy', [50])),
    loop(() => ask('/v1/datasets/busy/append', json('POST', [1, 1]))),
    loop(() => put('busy', '2:40', 1)),
    loop(() => ask('/v1/datasets/busy/data')),
    loop(() => ask('/v1/datasets/busy/statistics?ops=sum,count', { headers: { 'cache-control': 'no-cache' } })),
  ]);
  t.ok(statuses.get(200)! >= 12, JSON.stringify([...statuses]));
  const { shape } = await describe('busy');
  t.same(
    await dataOf('busy'),
    Array.from({ length: shape[0]! }, () => 1),
    'nothing but ones',
  );
});

/** A PUT of raw bytes, of which the last ones are sent when `meanwhile` has ended. */
async function slowPut(url: string, bytes: Buffer, meanwhile: () => Promise<unknown>): Promise<Answer> {
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(bytes.subarray(0, 1));
      await sleep(100);
      await meanwhile();
      controller.enqueue(bytes.subarray(1));
      controller.close();
    },
  });
  const headers = { 'content-type': 'application/octet-stream' };
  return ask(url, { method: 'PUT', headers, body, duplex: 'half' });
}

t.test('a write that waited while its place was cut off is told so, and writes nothing', async t => {
  for (const format of ['npy', 'raw']) {
    for (const durability of ['commit', 'none']) {
      const name = `slow-${format}-${durability}`;
      await make(name, { dtype: '<i4', shape: [6], format, fill: 3 });
      const url = (slice: string): string => `/v1/datasets/${name}/data?slice=${slice}&durability=${durability}`;
      const bytes = Buffer.from(Int32Array.of(8, 8).buffer);
      const cut = await slowPut(url('3:5'), bytes, () => resize(name, [4]));
      t.match(cut, { status: 409, body: { code: 'moved', shape: [4] } }, name);
      t.equal((await resize(name, [6])).status, 200);
      const back = async (): Promise<void> => {
        await resize(name, [1]);
        await resize(name, [6]);
      };
      t.match(await slowPut(url('3:5'), bytes, back), { status: 409, body: { code: 'moved' } }, `${name}, and back`);
      t.same(await dataOf(name), [3, 3, 3, 3, 3, 3]);
      t.equal((await slowPut(url(':2'), bytes, () => resize(name, [4]))).status, 200, `${name}: it stayed`);
      t.equal((await slowPut(url('2:4'), bytes, () => resize(name, [5]))).status, 200, `${name}: it grew`);
      t.same(await dataOf(name), [8, 8, 8, 8, 3]);
    }
  }
});

t.test('numpy opens it after each', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  await make('opened', { dtype: '<f8', shape: [3, 2], fill: 2.5, order: 'F' });
  for (const length of [5, 1, 0, 2]) {
    await resize('opened', [3, length]);
    const text = execFileSync(PYTHON!, [
      '-c',
      'import numpy, sys; a = numpy.load(sys.argv[1], mmap_mode="r"); print(a.shape, a.flags.f_contiguous, a.tolist())',
      fileOf('opened'),
    ]).toString();
    t.match(text, `(3, ${length}) True`);
  }
});

/** Bytes of blocks that the file of an array has. */
const blocksOf = (name: string): number => fs.statSync(fileOf(name)).blocks * 512;

t.test('lengths, fills and holes are kept over an end by kill -9, and the next one', async t => {
  const MiB = 2 ** 20;
  const lengths: readonly (readonly number[])[] = [[6], [2], [6, 2], [2, 6], [1, 5, 3]];
  for (const format of ['npy', 'raw']) {
    for (const [i, each] of lengths.entries()) {
      await make(`kept${i}-${format}`, { dtype: '<i4', shape: [4], format, fill: 5 });
      for (const length of each) {
        t.equal((await resize(`kept${i}-${format}`, [length])).status, 200);
        t.equal((await put(`kept${i}-${format}`, '0', length)).status, 200);
      }
    }
  }
  for (const name of ['full', 'sparse']) {
    await make(name, { dtype: '<u1', shape: [1], sparse: name === 'sparse' });
    t.equal((await resize(name, [8 * MiB])).status, 200);
  }
  for (const end of ['SIGKILL', 'SIGTERM'] as const) {
    await server.stop(end);
    server = await startServer({ dataDir: server.dataDir });
    for (const format of ['npy', 'raw']) {
      for (const [i, each] of lengths.entries()) {
        const length = each.at(-1)!;
        const name = `kept${i}-${format}`;
        t.match(await describe(name), { shape: [length], state: 'ready', fill: 5 }, `${name} after ${end}`);
        t.same(await dataOf(name), [length, ...Array.from({ length: length - 1 }, () => 5)], name);
      }
    }
    t.same(await dataOf('twin'), [0, 0]);
    t.same(await dataOf('w'), [0, 0]);
  }
  t.match(await ask('/v1/datasets/kept0-raw/append', json('POST', [8])), { status: 200, body: { shape: [7] } });
  t.same(await dataOf('kept0-raw'), [6, 5, 5, 5, 5, 5, 8], 'it goes on where it ended');
  for (const name of ['full', 'sparse']) t.equal((await resize(name, [16 * MiB])).status, 200);
  t.ok(blocksOf('full') >= 16 * MiB, `real blocks: ${blocksOf('full')}`);
  t.ok(blocksOf('sparse') < MiB, `a hole: ${blocksOf('sparse')}`);
  t.match((await ask('/v1/datasets/sparse/statistics?ops=sum,count')).body, { results: { sum: 0, count: 16 * MiB } });
  for (const [i, [dtype, fill]] of FILLS.entries()) {
    t.equal((await resize(`kind${i}`, [3])).status, 200, String(dtype));
    const { data } = (await ask(`/v1/datasets/kind${i}/data?int64=string`)).body;
    t.same(data, [fill, fill, fill], String(dtype));
    t.equal((await resize(`zero${i}`, [2])).status, 200);
    const raw = Buffer.from(await (await server.fetch(`/v1/datasets/zero${i}/data.raw`)).arrayBuffer());
    t.ok(raw.byteLength > 0 && raw.every(byte => byte === 0), `zeros of ${String(dtype)}`);
  }
});

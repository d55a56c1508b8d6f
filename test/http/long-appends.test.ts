/** Appends beyond the commit limit: laid down behind the end as they come, seen by nobody, and whole. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPythonBeside } from '../helpers/python.js';
import { startServer, type TestServer } from '../helpers/server.js';
import {
  binary,
  create,
  describe,
  eventually,
  get,
  json,
  MiB,
  outcome,
  readRaw,
  rest,
  upload,
  type Upload,
} from '../system/calls.js';

const COMMIT_BYTES_MAX = 256 * 1024;
const OCTETS = 'application/octet-stream';

const env = { HYPERSLAB_COMMIT_BYTES_MAX: String(COMMIT_BYTES_MAX) };
let server: TestServer;
t.before(async () => {
  server = await startServer({ env });
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

interface Appended {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function append(
  name: string,
  data: Uint8Array,
  { type = OCTETS, query = '', chunked = false } = {},
): Promise<Appended> {
  const length = chunked ? {} : { 'content-length': data.byteLength };
  const sent = upload('POST', `${server.url}/v1/datasets/${name}/append${query}`, { 'content-type': type, ...length });
  if (data.byteLength > 0) await sent.send(data);
  const { status, text } = await sent.finish();
  return { status, body: JSON.parse(text) as Appended['body'] };
}

const fileOf = (name: string, suffix = 'npy'): string => path.join(server.dataDir, 'arrays', `${name}.${suffix}`);
const sizeOf = (name: string): number => fs.statSync(fileOf(name)).size;
/** The shape in the header of a file, read without any code of the service. */
function shapeIn(file: string): number[] {
  const text = fs.readFileSync(file).toString('latin1', 0, 256);
  return /'shape': \(([^)]*)\)/
    .exec(text)![1]!
    .split(',')
    .filter(part => part.trim() !== '')
    .map(Number);
}

/** Bytes that differ everywhere, so that no piece can be taken for another. */
function distinct(bytes: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + seed, 2_654_435_761) >>> 0;
  return Buffer.from(words.buffer, 0, bytes);
}

t.test('bodies of any length, with and without Content-Length, raw and as npy', async t => {
  const rowBytes = 3 * 4;
  // Around the commit limit, around a piece, and far beyond both.
  const rows = [0, 1, 21_845, 21_846, Math.floor(MiB / rowBytes), Math.ceil(MiB / rowBytes), 400_000];
  await create(server, { name: 'lengths', dtype: '<i4', shape: [0, 3] });
  let expected = Buffer.alloc(0);
  let { generation } = await describe(server, 'lengths');
  for (const [i, count] of rows.entries()) {
    for (const chunked of [false, true]) {
      const data = distinct(count * rowBytes, i + 1);
      // oxlint-disable-next-line no-await-in-loop
      const { status, body } = await append('lengths', data, { chunked });
      expected = Buffer.concat([expected, data]);
      if (count > 0) generation++;
      t.equal(status, 200, JSON.stringify(body));
      t.match(body, {
        elements: count * 3,
        bytes: data.byteLength,
        durability: 'commit',
        shape: [expected.byteLength / rowBytes, 3],
        generation,
      });
    }
  }
  t.ok((await readRaw(server, 'lengths')).equals(expected));
  const file = fs.readFileSync(fileOf('lengths'));
  t.ok(file.subarray(-expected.byteLength).equals(expected));
  t.equal(file.byteLength, 128 + expected.byteLength, 'nothing stands behind the array');
  t.match(await append('lengths', Buffer.alloc(MiB + 1), { chunked: true }), {
    status: 422,
    body: { code: 'body_size_mismatch' },
  });
  t.match(await append('lengths', Buffer.alloc(MiB + 1)), { status: 422, body: { code: 'body_size_mismatch' } });
  t.equal(sizeOf('lengths'), file.byteLength, 'what is no whole rows leaves nothing');
});

t.test('every format, onto arrays of either order', async t => {
  const shape = [40_000, 5];
  await create(server, { name: 'source', dtype: '<f4', shape, attrs: { columns: ['a', 'b', 'c', 'd', 'e'] } });
  const values = Buffer.from(Float32Array.from({ length: 200_000 }, (_, i) => i / 8).buffer);
  const written = await server.fetch('/v1/datasets/source/data?durability=none', binary('PUT', values));
  t.equal(written.status, 200);
  for (const format of ['raw', 'npy', 'npz', 'csv', 'ndjson', 'arrow', 'parquet']) {
    // oxlint-disable-next-line no-await-in-loop
    const sent = await server.fetch(`/v1/datasets/source/data?format=${format}`);
    // oxlint-disable-next-line no-await-in-loop
    const bytes = Buffer.from(await sent.arrayBuffer());
    const type = format === 'raw' ? OCTETS : sent.headers.get('content-type')!;
    for (const [order, chunked] of [
      ['C', false],
      ['C', true],
    ] as const) {
      const name = `of-${format}-${order}-${String(chunked)}`;
      // oxlint-disable-next-line no-await-in-loop
      await create(server, { name, dtype: '<f4', shape: [1, 5], order, attrs: { columns: ['a', 'b', 'c', 'd', 'e'] } });
      const sends = format === 'parquet' ? bytes.subarray(0, 1000) : bytes;
      // oxlint-disable-next-line no-await-in-loop
      const { status, body } = await append(name, sends, { type, chunked });
      if (format === 'parquet') {
        t.equal(status, 415, 'parquet is an answer alone');
        continue;
      }
      t.equal(status, 200, `${name} ${JSON.stringify(body)}`);
      t.same(body['shape'], [40_001, 5], name);
      // oxlint-disable-next-line no-await-in-loop
      t.ok((await readRaw(server, name, '1:')).equals(values), name);
    }
  }
});

t.test('an array of F order takes the block in C order, however it comes', async t => {
  const [rows, columns] = [300, 700];
  const block = distinct(rows * columns * 2);
  for (const chunked of [false, true]) {
    const name = `f-${String(chunked)}`;
    // oxlint-disable-next-line no-await-in-loop
    await create(server, { name, dtype: '<u2', shape: [rows, 0], order: 'F' });
    // oxlint-disable-next-line no-await-in-loop
    t.match(await append(name, block, { chunked }), { status: 200, body: { shape: [rows, columns] } });
    // oxlint-disable-next-line no-await-in-loop
    t.match(await append(name, block, { chunked }), { status: 200, body: { shape: [rows, 2 * columns] } });
    for (const slice of [`:,:${columns}`, `:,${columns}:`]) {
      // oxlint-disable-next-line no-await-in-loop
      t.ok((await readRaw(server, name, slice)).equals(block), `${name} ${slice}`);
    }
    t.equal(sizeOf(name), 128 + 2 * block.byteLength);
  }
});

t.test('a few characters of JSON may be more than a commit takes', async t => {
  await create(server, { name: 'texts', dtype: '<U100000', shape: [0] });
  const { status } = await server.fetch('/v1/datasets/texts/append', json('POST', ['a', 'b', 'ü', '']));
  t.equal(status, 200);
  const answer = await server.fetch('/v1/datasets/texts/data');
  t.match(await answer.json(), { generation: 2, shape: [4], data: ['a', 'b', 'ü', ''] });
});

t.test('random appends are what numpy joins', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const few = await startServer({ env: { HYPERSLAB_COMMIT_BYTES_MAX: '16384' } });
  t.teardown(async () => {
    await few.stop();
    fs.rmSync(few.dataDir, { recursive: true });
  });
  const arrays = caseCount(8, 400);
  const args = [few.url, path.join(few.dataDir, 'arrays'), '1', String(arrays)];
  t.equal((await runPythonBeside('http/appends_numpy.py', args)).trim(), `${arrays} arrays`);
});

/** Starts an append and sends the first half of it, which reaches the file. */
async function startHalf(name: string, data: Buffer, query = '', chunked = false): Promise<Upload> {
  const before = sizeOf(name);
  const sent = upload('POST', `${server.url}/v1/datasets/${name}/append${query}`, {
    'content-type': OCTETS,
    ...(!chunked && { 'content-length': data.byteLength }),
  });
  await sent.send(data.subarray(0, data.byteLength / 2));
  if (!(await eventually(() => sizeOf(name) > before))) throw new Error('nothing was laid down');
  return sent;
}

t.test('reads go on while rows are laid down, other writes are 503', async t => {
  await create(server, { name: 'busy', dtype: '|u1', shape: [1000, 100], fill: 7 });
  await create(server, { name: 'twin', path: 'arrays/busy.npy' });
  const before = await describe(server, 'busy');
  const bytes = 4 * MiB - ((4 * MiB) % 100);
  const data = distinct(bytes);
  for (const chunked of [false, true]) {
    // oxlint-disable-next-line no-await-in-loop
    const { shape, generation } = await describe(server, 'busy');
    // oxlint-disable-next-line no-await-in-loop
    const sent = await startHalf('busy', data, '', chunked);
    // oxlint-disable-next-line no-await-in-loop
    const during = await describe(server, 'busy');
    t.match(during, { shape, generation, state: 'ready' }, 'it is as it was');
    t.same(shapeIn(fileOf('busy')), shape);
    for (const call of ['busy/data?format=raw&slice=-2:', 'busy/rows/0', 'twin/statistics?ops=sum', 'twin/data.npy']) {
      // oxlint-disable-next-line no-await-in-loop
      t.equal(await outcome(server.fetch(`/v1/datasets/${call}`)), '200', call);
    }
    const entries = json('POST', { writes: [{ slice: '0', data: 1 }] });
    for (const [call, init] of [
      ['data?slice=0', json('PUT', 1)],
      ['data?slice=0&durability=none', json('PUT', 1)],
      ['writes', entries],
      [
        'append',
        json(
          'POST',
          Array.from({ length: 100 }, () => 1),
        ),
      ],
      ['flush', { method: 'POST' }],
      ['', { method: 'DELETE' }],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      const refused = await server.fetch(`/v1/datasets/busy${call === '' ? '' : '/'}${call}`, init);
      t.ok(Number(refused.headers.get('retry-after')) > 0, 'with Retry-After');
      // oxlint-disable-next-line no-await-in-loop
      t.equal(await outcome(refused), '503 bulk_load', call);
    }
    // oxlint-disable-next-line no-await-in-loop
    await sent.send(data.subarray(data.byteLength / 2));
    // oxlint-disable-next-line no-await-in-loop
    const { status, text } = await sent.finish();
    t.equal(status, 200, text);
    t.match(JSON.parse(text), {
      generation: generation + 1,
      durability: 'commit',
      shape: [shape[0]! + bytes / 100, 100],
    });
    // oxlint-disable-next-line no-await-in-loop
    t.ok((await readRaw(server, 'twin', `${shape[0]!}:`)).equals(data), 'all registrations see them');
  }
  t.equal((await describe(server, 'busy')).generation, before.generation + 2);
  t.equal(await outcome(server.fetch('/v1/datasets/busy/data?slice=0', json('PUT', 1))), '200', 'writes go on');
});

t.test('a slow reader is not cut by rows that are laid down', async t => {
  const bytes = 24 * MiB;
  await create(server, { name: 'slow', dtype: '|u1', shape: [bytes], fill: 3 });
  const answer = await get(`${server.url}/v1/datasets/slow/data.raw`);
  t.match(await append('slow', distinct(4 * MiB)), { status: 200, body: { shape: [bytes + 4 * MiB] } });
  const { bytes: read, whole } = await rest(answer);
  t.ok(whole);
  t.equal(read.byteLength, bytes);
  t.ok(read.equals(Buffer.alloc(bytes, 3)));
});

t.test('what is cut, does not convert, or comes too late leaves the file as it was', async t => {
  await create(server, { name: 'cut', dtype: '|u1', shape: [10], fill: 1 });
  const data = distinct(4 * MiB);
  const before = await describe(server, 'cut');
  const size = sizeOf('cut');
  for (const chunked of [false, true]) {
    // oxlint-disable-next-line no-await-in-loop
    const sent = await startHalf('cut', data, '?at=10', chunked);
    sent.request.destroy();
    // oxlint-disable-next-line no-await-in-loop
    t.ok(await eventually(() => sizeOf('cut') === size), 'the half of it goes');
    // oxlint-disable-next-line no-await-in-loop
    t.same(await describe(server, 'cut'), before);
  }
  const values = Float64Array.from({ length: 400_000 }, (_, i) => i % 200);
  values[399_999] = 0.5;
  const npy = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
    Buffer.from(`${"{'descr': '<f8', 'fortran_order': False, 'shape': (400000,), }".padEnd(117)}\n`),
    Buffer.from(values.buffer),
  ]);
  t.match(await append('cut', npy, { type: 'application/x-npy' }), { status: 422, body: { code: 'would_lose' } });
  const ints = Buffer.concat([npy.subarray(0, 128), Buffer.from(values.map(Math.floor).buffer)]);
  ints.write('<i8', ints.indexOf('<f8'));
  const longs = BigInt64Array.from(values, value => BigInt(Math.floor(value)));
  longs[399_999] = 256n;
  Buffer.from(longs.buffer).copy(ints, 128);
  t.match(await append('cut', ints, { type: 'application/x-npy' }), { status: 422, body: { code: 'would_lose' } });
  t.match(await append('cut', ints.subarray(0, -8), { type: 'application/x-npy', chunked: true }), {
    status: 422,
    body: { code: 'body_size_mismatch' },
  });
  t.match(await append('cut', data, { query: '?at=9' }), { status: 409, body: { code: 'moved', length: 10 } });
  t.same(await describe(server, 'cut'), before);
  t.equal(sizeOf('cut'), size);
  t.match(await append('cut', data, { query: '?at=10' }), { status: 200, body: { shape: [10 + data.byteLength] } });
  t.ok((await readRaw(server, 'cut', '10:')).equals(data), 'a later one of the same at is whole');
});

t.test('kill -9 in the middle: the file as it was, and what was laid down is cut off', async t => {
  await create(server, { name: 'killed', dtype: '<u2', shape: [4, 50], fill: 5 });
  await create(server, { name: 'rawly', dtype: '|u1', shape: [10], fill: 5, format: 'raw' });
  t.equal((await append('killed', distinct(100))).status, 200);
  const data = distinct(4 * MiB - ((4 * MiB) % 100));
  const size = sizeOf('killed');
  await startHalf('killed', data);
  const sent = upload('POST', `${server.url}/v1/datasets/rawly/append`, { 'content-type': OCTETS });
  await sent.send(data);
  t.ok(await eventually(() => fs.statSync(fileOf('rawly', 'raw')).size > 10));
  const unknown = { name: 'other', path: 'arrays/rawly.raw', dtype: '|u1' };
  t.equal(
    await outcome(server.fetch('/v1/datasets', json('POST', unknown))),
    '503 bulk_load',
    'nobody knows its length',
  );
  const known = await server.fetch('/v1/datasets', json('POST', { ...unknown, shape: [10] }));
  t.equal(known.status, 201);
  await server.stop('SIGKILL');
  t.same(shapeIn(fileOf('killed')), [5, 50], 'who opens the file sees the old array');
  t.ok(sizeOf('killed') > size);
  server = await startServer({ env, dataDir: server.dataDir });
  t.match(await describe(server, 'killed'), { shape: [5, 50] });
  t.ok((await readRaw(server, 'killed', '4')).equals(distinct(100)));
  t.match(await describe(server, 'rawly'), { shape: [10] });
  t.match(await append('killed', data), { status: 200, body: { shape: [5 + data.byteLength / 100, 50] } });
  t.match(await append('rawly', data), { status: 200, body: { shape: [10 + data.byteLength] } });
  t.ok((await readRaw(server, 'killed', '5:')).equals(data));
  t.ok((await readRaw(server, 'rawly', '10:')).equals(data));
  await server.stop('SIGKILL');
  server = await startServer({ env, dataDir: server.dataDir });
  t.ok((await readRaw(server, 'killed', '5:')).equals(data), 'what was answered is there after another');
  t.ok((await readRaw(server, 'rawly', '10:')).equals(data));
});

t.test('what another program put behind the end is left alone', async t => {
  await create(server, { name: 'foreign', dtype: '|u1', shape: [10], fill: 5 });
  fs.appendFileSync(fileOf('foreign'), 'theirs');
  t.match(await append('foreign', distinct(MiB)), { status: 409, body: { code: 'bytes_behind' } });
  t.equal(fs.readFileSync(fileOf('foreign')).toString('latin1', 138), 'theirs');
});

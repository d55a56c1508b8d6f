/**
 * Files larger than 32-bit arithmetic and larger than one mapped window. They are holes with a few known bytes around
 * the positions where something could wrap; a map of those bytes is the model that every answer is held to.
 */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseDType } from '../../src/dtype/index.js';
import { npyHeader, parseNpyHeader } from '../../src/formats/index.js';
import { IS_FULL } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { create, get, GiB, MiB, readRaw, sparseFile } from './calls.js';

const FILE_BYTES = 6 * GiB;
/** Windows start at multiples of this (src/file/windows.ts). */
const WINDOW_STEP_BYTES = GiB - 16 * MiB;
const EDGES = [
  0,
  2 ** 31,
  2 ** 32,
  2 ** 32 + 2 ** 31,
  FILE_BYTES,
  ...[1, 2, 3, 4, 5, 6].flatMap(i => [i * WINDOW_STEP_BYTES, i * WINDOW_STEP_BYTES + 16 * MiB]),
];
const AROUND_BYTES = 24;

/** Known bytes by position; all others are zero. */
const known = new Map<number, number>();
const random = seededRandom(31);
for (const edge of EDGES) {
  for (let at = Math.max(0, edge - AROUND_BYTES); at < Math.min(FILE_BYTES, edge + AROUND_BYTES); at++) {
    known.set(at, random.integer(1, 250));
  }
}
/** The only byte of this value, so that argmax has one answer. */
const LARGEST_AT = 2 ** 32 + 5;
known.set(LARGEST_AT, 255);

function expected(start: number, stop: number, step = 1): Buffer {
  const values: number[] = [];
  for (let at = start; step > 0 ? at < stop : at > stop; at += step) values.push(known.get(at) ?? 0);
  return Buffer.from(values);
}

const positions = [...known.keys()].sort((a, b) => a - b);

/** True when `bytes` are those of the file from `start`; looks at every byte, at the speed of memcmp. */
function isFileContent(bytes: Uint8Array, start: number): boolean {
  const content = Buffer.from(bytes);
  for (const at of positions) {
    if (at < start || at >= start + content.byteLength) continue;
    if (content[at - start] !== known.get(at)) return false;
    content[at - start] = 0;
  }
  return content.equals(ZEROS.subarray(0, content.byteLength));
}
const ZEROS = Buffer.alloc(4 * MiB);

const folder = temporaryFolder();
let server: TestServer;

t.before(async () => {
  const patches = positions.map(at => [at, Uint8Array.of(known.get(at)!)] as const);
  sparseFile(path.join(folder, 'bytes.raw'), FILE_BYTES, patches);
  server = await startServer({ dataDir: folder });
  await create(server, { name: 'bytes', path: 'bytes.raw' });
});

t.teardown(async () => {
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});

t.test('a file of 6 GiB has its whole length', async t => {
  const { shape, nbytes } = (await (await server.fetch('/v1/datasets/bytes')).json()) as {
    shape: number[];
    nbytes: number;
  };
  t.strictSame(shape, [FILE_BYTES]);
  t.equal(nbytes, FILE_BYTES);
});

t.test('bytes around every edge are exact in raw, JSON and npy', async t => {
  for (const edge of EDGES) {
    const [start, stop] = [Math.max(0, edge - 40), Math.min(FILE_BYTES, edge + 40)];
    const wanted = expected(start, stop);
    const slice = `${start}:${stop}`;
    t.strictSame(await readRaw(server, 'bytes', slice), wanted, `raw ${slice}`);
    const asJson = await server.fetch(`/v1/datasets/bytes/data?slice=${slice}`);
    t.strictSame(((await asJson.json()) as { data: number[] }).data, [...wanted], `json ${slice}`);
    const asNpy = await server.fetch(`/v1/datasets/bytes/data?slice=${slice}&format=npy`);
    const npy = Buffer.from(await asNpy.arrayBuffer());
    t.strictSame(npy.subarray(npy.byteLength - wanted.byteLength), wanted, `npy ${slice}`);
  }
});

t.test('strided slices across the edges are exact, forwards and backwards', async t => {
  for (const edge of EDGES) {
    for (const step of [2, 3, 7, 4096 * 3 + 1]) {
      const [start, stop] = [Math.max(0, edge - 20 * step), Math.min(FILE_BYTES, edge + 20 * step)];
      const forwards = await readRaw(server, 'bytes', `${start}:${stop}:${step}`);
      t.strictSame(forwards, expected(start, stop, step), `${start}:${stop}:${step}`);
      const last = stop - 1;
      const backwards = await readRaw(server, 'bytes', `${last}:${start}:-${step}`);
      t.strictSame(backwards, expected(last, start, -step), `${last}:${start}:-${step}`);
    }
  }
  // Steps that leave every window behind.
  for (const step of [2 ** 31, 2 ** 31 - 1, 2 ** 30 + 1, WINDOW_STEP_BYTES]) {
    t.strictSame(await readRaw(server, 'bytes', `::${step}`), expected(0, FILE_BYTES, step), `::${step}`);
    t.strictSame(await readRaw(server, 'bytes', `::-${step}`), expected(FILE_BYTES - 1, -1, -step), `::-${step}`);
  }
});

t.test('a strided slice of several windows is exact', async t => {
  // Large enough to be gathered in pieces, dense enough to be looked at in place.
  const [start, stop, step] = [2 ** 31 - 20 * MiB, 2 ** 31 + 20 * MiB, 5];
  const bytes = await readRaw(server, 'bytes', `${start}:${stop}:${step}`);
  t.ok(bytes.equals(expected(start, stop, step)));
});

t.test('rows are exact beyond 2^32', async t => {
  for (const row of [2 ** 31, 2 ** 32 - 1, LARGEST_AT, FILE_BYTES - 1]) {
    for (const asked of [row, row - FILE_BYTES]) {
      const response = await server.fetch(`/v1/datasets/bytes/rows/${asked}`);
      t.equal(((await response.json()) as { data: number }).data, known.get(row), `row ${asked}`);
    }
  }
  const rows = await server.fetch(`/v1/datasets/bytes/rows?start=${2 ** 32 - 9}&stop=${2 ** 32 + 9}&step=3&format=raw`);
  t.strictSame(Buffer.from(await rows.arrayBuffer()), expected(2 ** 32 - 9, 2 ** 32 + 9, 3));
  const outside = await server.fetch(`/v1/datasets/bytes/rows/${FILE_BYTES}`);
  t.equal(outside.status, 422);
  await outside.text();
});

t.test('Range requests reach every edge of the raw and of the npy answer', async t => {
  for (const format of ['raw', 'npy']) {
    const url = `/v1/datasets/bytes/data?format=${format}`;
    const head = await server.fetch(url, { method: 'HEAD' });
    const total = Number(head.headers.get('content-length'));
    const headBytes = total - FILE_BYTES;
    t.equal(headBytes > 0, format === 'npy');
    for (const edge of EDGES) {
      const [start, stop] = [Math.max(0, edge - 30), Math.min(FILE_BYTES, edge + 30)];
      const range = `bytes=${headBytes + start}-${headBytes + stop - 1}`;
      const response = await server.fetch(url, { headers: { range } });
      t.equal(response.status, 206, range);
      t.equal(response.headers.get('content-range'), `${range.replace('=', ' ')}/${total}`);
      t.strictSame(Buffer.from(await response.arrayBuffer()), expected(start, stop), `${format} ${range}`);
    }
    const tail = await server.fetch(url, { headers: { range: 'bytes=-50' } });
    t.strictSame(Buffer.from(await tail.arrayBuffer()), expected(FILE_BYTES - 50, FILE_BYTES), `${format} tail`);
    const beyond = await server.fetch(url, { headers: { range: `bytes=${total}-` } });
    t.equal(beyond.status, 416);
    await beyond.text();
  }
});

/** From below 2^31 to above 2^32; in the short form two pieces of that, each across an edge. */
const STREAMS = IS_FULL
  ? [[2 ** 31 - 1000, 2 ** 32 + 1000]]
  : [2 ** 31, 2 ** 32].map(edge => [edge - 32 * MiB, edge + 8 * MiB]);

for (const [start = 0, stop = 0] of STREAMS) {
  t.test(`a stream from ${start} to ${stop} has every byte in its place`, async t => {
    const response = await get(`${server.url}/v1/datasets/bytes/data?format=npy&slice=${start}:${stop}`);
    t.equal(response.statusCode, 200);
    let head = Buffer.alloc(0);
    let at: number | undefined;
    let wrong = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      let data = part;
      if (at === undefined) {
        head = Buffer.concat([head, part]);
        const header = parseNpyHeader(head);
        if ('needBytes' in header) continue;
        t.strictSame([header.dtype.typestr, header.shape], ['|u1', [stop - start]]);
        t.equal(Number(response.headers['content-length']), header.dataOffset + stop - start);
        data = head.subarray(header.dataOffset);
        at = start;
      }
      if (!isFileContent(data, at)) wrong++;
      at += data.byteLength;
    }
    t.equal(at, stop, 'the stream ends where the slice does');
    t.equal(wrong, 0, 'parts with a wrong byte');
  });
}

t.test('statistics over the edges are exact', async t => {
  const statistic = async (slice: string): Promise<Record<string, unknown>> => {
    const ops = 'sum,min,max,argmax,count_nonzero,count';
    const response = await server.fetch(`/v1/datasets/bytes/statistics?ops=${ops}&slice=${encodeURIComponent(slice)}`);
    return ((await response.json()) as { results: Record<string, unknown> }).results;
  };
  const wanted = (start: number, stop: number): Record<string, unknown> => {
    const inside = positions.filter(at => at >= start && at < stop);
    const values = inside.map(at => known.get(at)!);
    const max = Math.max(...values);
    return {
      sum: values.reduce((a, b) => a + b, 0),
      min: 0,
      max,
      argmax: inside[values.indexOf(max)]! - start,
      count_nonzero: inside.length,
      count: stop - start,
    };
  };
  for (const edge of [2 ** 31, 2 ** 32, 3 * WINDOW_STEP_BYTES, 5 * WINDOW_STEP_BYTES + 16 * MiB]) {
    const [start, stop] = [edge - 9 * MiB - 1, edge + 9 * MiB + 3];
    t.strictSame(await statistic(`${start}:${stop}`), wanted(start, stop), `around ${edge}`);
  }
  const [start, stop] = [2 ** 32 - 150 * MiB, 2 ** 32 + 50 * MiB + 1];
  t.strictSame(await statistic(`${start}:${stop}`), wanted(start, stop), 'several chunks per worker');

  // From one end of the file to the other, through its largest byte.
  const step = 2 ** 20 + 7;
  const first = LARGEST_AT % step;
  const { max, argmax, count } = await statistic(`${first}::${step}`);
  t.strictSame([max, argmax, count], [255, (LARGEST_AT - first) / step, Math.ceil((FILE_BYTES - first) / step)]);
});

t.test('a .npy file of two dimensions beyond 4 GiB is exact by rows and columns', async t => {
  const shape = [1536 * 1024, 1024];
  const [rows, columns] = shape as [number, number];
  const header = npyHeader({ dtype: parseDType('>i4'), shape, order: 'C' });
  const cells = new Map<string, number>();
  const patches: [number, Uint8Array][] = [[0, header]];
  for (const row of [0, 2 ** 19 - 1, 2 ** 19, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, rows - 1]) {
    for (const column of [0, 31, 992, 1023]) {
      const value = random.integer(-(2 ** 31), 2 ** 31 - 1);
      cells.set(`${row},${column}`, value);
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(value);
      patches.push([header.byteLength + 4 * (row * columns + column), bytes]);
    }
  }
  sparseFile(path.join(folder, 'cells.npy'), header.byteLength + 4 * rows * columns, patches);
  t.strictSame((await create(server, { name: 'cells', path: 'cells.npy' })).shape, shape);
  const data = async (slice: string): Promise<unknown> => {
    const response = await server.fetch(`/v1/datasets/cells/data?slice=${encodeURIComponent(slice)}`);
    return ((await response.json()) as { data: unknown }).data;
  };
  for (const [cell, value] of cells) t.equal(await data(cell), value, cell);
  const column = Array.from({ length: 6 }, (_, i) => cells.get(`${2 ** 20 - 2 + i},992`) ?? 0);
  t.strictSame(await data(`${2 ** 20 - 2}:${2 ** 20 + 4},992`), column);
  const coarse = Array.from({ length: 24 }, (_, i) => cells.get(`${i * 65536},31`) ?? 0);
  t.strictSame(await data('::65536,31'), coarse);
  const sums = await server.fetch(
    `/v1/datasets/cells/statistics?ops=sum&axis=0&slice=${encodeURIComponent(`${2 ** 20 - 3}:${2 ** 20 + 3},::31`)}`,
  );
  const { results } = (await sums.json()) as { results: { sum: number[] } };
  const wanted = Array.from({ length: 34 }, (_, i) =>
    [...Array(6).keys()].reduce((sum, row) => sum + (cells.get(`${2 ** 20 - 3 + row},${i * 31}`) ?? 0), 0),
  );
  t.strictSame(results.sum, wanted);
  await server.fetch('/v1/datasets/cells', { method: 'DELETE' });
});

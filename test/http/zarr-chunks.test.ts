/**
 * The elements of the Zarr view: each chunk of each array held against a model that goes element by element, and whole
 * arrays read by zarrita. Other readers are asked in test/python.
 */
import path from 'node:path';
import t from 'tap';
import * as zarrita from 'zarrita';
import { caseCount } from '../helpers/cases.js';
import { seededRandom, type Random } from '../helpers/random.js';
import type { Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { binary, create, GiB, sparseFile } from '../system/calls.js';

let server: Service;

t.before(async () => {
  server = await startHere(t);
});

const NUMBERS = ['|b1', '|i1', '<i2', '>i4', '<i8', '|u1', '>u2', '<u4', '>u8', '<f2', '>f4', '<f8'];
const OTHERS = ['<c8', '>c16', '>M8[s]', '<m8[25us]', '|S3', '>U2', '|V5'];
/** Bytes that change places when the byte order does. */
const SWAPPED: Readonly<Record<string, number>> = { '>c16': 8, '>U2': 4 };

interface Made {
  readonly name: string;
  readonly dtype: string;
  readonly itemsize: number;
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
  /** Little-endian, in C order. */
  readonly bytes: Buffer;
}

function itemsizeOf(dtype: string): number {
  const digits = Number(/\d+/.exec(dtype)![0]);
  return dtype[1] === 'U' ? 4 * digits : digits;
}

async function make(random: Random, name: string, dtype: string, rank: number): Promise<Made> {
  const shape = Array.from({ length: rank }, () => random.integer(1, rank > 3 ? 4 : 9));
  const chunks = shape.map(length => random.integer(1, length + 1));
  const itemsize = itemsizeOf(dtype);
  const order = random.pick(['C', 'F']);
  const size = shape.reduce((product, length) => product * length, 1);
  const bytes = Buffer.from(
    Uint8Array.from({ length: size * itemsize }, () => random.below(dtype === '|b1' ? 2 : 256)),
  );
  // Code points have to be some.
  if (dtype.endsWith('U2')) for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(65 + (bytes[i]! % 26), i);
  await create(server, { name, dtype, shape, order, attrs: { chunks } });
  const sent = Buffer.from(bytes);
  if (dtype.startsWith('>')) swap(sent, SWAPPED[dtype] ?? itemsize);
  const written = await server.fetch(`/v1/datasets/${name}/data`, binary('PUT', sent));
  if (written.status !== 200) throw new Error(await written.text());
  return { name, dtype, itemsize, shape, chunks, bytes };
}

function swap(bytes: Buffer, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** Every tuple of numbers below those of a shape, in C order. */
function tuples(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, length) => all.flatMap(each => Array.from({ length }, (_, i) => [...each, i])),
    [[]],
  );
}

function fillOf(dtype: string, itemsize: number): Buffer {
  const kind = dtype[1]!;
  if (kind === 'M' || kind === 'm') return Buffer.from('0000000000000080', 'hex');
  const nan = { 2: '007e', 4: '0000c07f', 8: '000000000000f87f' }[kind === 'c' ? itemsize / 2 : itemsize];
  if (kind === 'f') return Buffer.from(nan!, 'hex');
  return kind === 'c' ? Buffer.from(`${nan}${nan}`, 'hex') : Buffer.alloc(itemsize);
}

/** A chunk, element by element. */
function chunkOf({ shape, chunks, itemsize, bytes, dtype }: Made, index: readonly number[]): Buffer {
  const fill = fillOf(dtype, itemsize);
  return Buffer.concat(
    tuples(chunks).map(at => {
      const place = at.map((each, axis) => each + index[axis]! * chunks[axis]!);
      if (place.some((each, axis) => each >= shape[axis]!)) return fill;
      const element = place.reduce((flat, each, axis) => flat * shape[axis]! + each, 0);
      return bytes.subarray(element * itemsize, (element + 1) * itemsize);
    }),
  );
}

async function bytesOf(where: string, init?: RequestInit): Promise<Buffer> {
  const answer = await server.fetch(where, init);
  if (answer.status >= 300) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer());
}

t.test('every chunk is what a model makes of the array, in both versions', async t => {
  const random = seededRandom(131);
  const cases = caseCount(19, 200);
  for (let i = 0; i < cases; i++) {
    const dtype = [...NUMBERS, ...OTHERS][i % (NUMBERS.length + OTHERS.length)]!;
    const made = await make(random, `a${i}`, dtype, i % 6);
    const grid = made.shape.map((length, axis) => Math.ceil(length / made.chunks[axis]!));
    for (const index of tuples(grid)) {
      const expected = chunkOf(made, index);
      const what = `${dtype} ${made.shape.join('x')} in ${made.chunks.join('x')}, chunk ${index.join(',')}`;
      const key3 = ['c', ...index].join('/');
      const key2 = index.length === 0 ? '0' : index.join('.');
      t.ok((await bytesOf(`/zarr/${made.name}/${key3}`)).equals(expected), what);
      t.ok((await bytesOf(`/zarr2/${made.name}/${key2}`)).equals(expected), what);
      const start = random.below(expected.length);
      const end = random.integer(start, expected.length + 3);
      const part = await server.fetch(`/zarr/${made.name}/${key3}`, { headers: { range: `bytes=${start}-${end}` } });
      t.equal(part.status, 206, what);
      t.ok(Buffer.from(await part.arrayBuffer()).equals(expected.subarray(start, end + 1)), what);
    }
    if (grid.length > 0) {
      const beyond = grid.with ? grid.with(0, grid[0]! + 1) : [grid[0]! + 1, ...grid.slice(1)];
      t.equal((await server.fetch(`/zarr/${made.name}/c/${beyond.join('/')}`)).status, 404);
    }
  }
});

t.test('large chunks come in pieces: padded, converted, of F order and of small rows', async t => {
  const shape = [700, 1000, 3];
  const elements = Float32Array.from({ length: 2_100_000 }, (_, i) => i);
  for (const [name, dtype, order] of [
    ['c', '<f4', 'C'],
    ['f', '<f4', 'F'],
    ['big', '>f4', 'C'],
  ] as const) {
    await create(server, { name, dtype, shape, order, attrs: { chunks: [400, 600, 2] } });
    const body = Buffer.from(elements.slice().buffer);
    if (dtype === '>f4') body.swap32();
    await server.fetch(`/v1/datasets/${name}/data?durability=none`, binary('PUT', body));
    for (const [row, column, plane] of [
      [0, 0, 0],
      [1, 1, 1],
      [1, 0, 1],
    ] as const) {
      const got = await bytesOf(`/zarr/${name}/c/${row}/${column}/${plane}`);
      t.equal(got.length, 4 * 400 * 600 * 2);
      const floats = new Float32Array(got.buffer, got.byteOffset, got.length / 4);
      let wrong = 0;
      for (const [at, value] of floats.entries()) {
        const [i, j, k] = [
          Math.floor(at / 1200) + 400 * row,
          (Math.floor(at / 2) % 600) + 600 * column,
          (at % 2) + 2 * plane,
        ];
        const expected = i < 700 && j < 1000 && k < 3 ? (i * 1000 + j) * 3 + k : Number.NaN;
        if (!Object.is(value, expected)) wrong++;
      }
      t.equal(wrong, 0, `${name} ${row}/${column}/${plane}`);
    }
  }
});

t.test('zarrita reads every number it knows, from both stores', async t => {
  const random = seededRandom(132);
  const hasHalves = 'Float16Array' in globalThis;
  if (!hasHalves) t.comment('float16 is left out: this Node has no Float16Array');
  for (const [i, dtype] of NUMBERS.entries()) {
    if (dtype === '<f2' && !hasHalves) continue;
    for (const rank of [i % 6, (i + 3) % 6]) {
      const made = await make(random, `z${i}-${rank}`, dtype, rank);
      for (const version of ['v3', 'v2'] as const) {
        const store = version === 'v3' ? 'zarr' : 'zarr2';
        const read = await openArray(version, `${server.url}/${store}/${made.name}`);
        t.strictSame(read.shape, made.shape);
        t.strictSame(read.chunks, made.chunks);
        t.ok(
          bytesOfData(await zarrita.get(read), made).equals(made.bytes),
          `${store} ${dtype} ${made.shape.join('x')}`,
        );
      }
    }
  }
  const group = await zarrita.withConsolidatedMetadata(new zarrita.FetchStore(`${server.url}/zarr2`), { format: 'v2' });
  t.ok(group.contents().some(({ path }) => path === '/z0-0'));
});

async function openArray(version: 'v2' | 'v3', url: string): Promise<zarrita.Array<zarrita.DataType>> {
  const store = new zarrita.FetchStore(url);
  return version === 'v3'
    ? zarrita.open.v3(store, { kind: 'array' })
    : zarrita.open.v2(store, { kind: 'array', attrs: true });
}

/** zarrita answers a scalar where an array has no axes. */
function bytesOfData(got: unknown, { itemsize, bytes, dtype }: Made): Buffer {
  const data = typeof got === 'object' && got !== null && 'data' in got ? got.data : got;
  if (typeof data === 'object' && data !== null && 'buffer' in data) {
    const view = data as Uint8Array;
    return Buffer.from(view.buffer, view.byteOffset, bytes.length);
  }
  const constructors: Readonly<Record<string, new (values: never[]) => ArrayBufferView>> = {
    b1: Uint8Array,
    i1: Int8Array,
    i2: Int16Array,
    i4: Int32Array,
    i8: BigInt64Array,
    u1: Uint8Array,
    u2: Uint16Array,
    u4: Uint32Array,
    u8: BigUint64Array,
    f4: Float32Array,
    f8: Float64Array,
  };
  const made = new constructors[dtype.slice(1)]!([data as never]);
  return Buffer.from(made.buffer, 0, itemsize);
}

t.test('the far corner of a sparse array of 5 GiB', async t => {
  sparseFile(path.join(server.dataDir, 'far.raw'), 5 * GiB, [[5 * GiB - 4, Buffer.of(1, 2, 3, 4)]]);
  await create(server, { name: 'far', path: 'far.raw', dtype: '<u2', shape: [5 * 512, 1024, 1024] });
  const read = await openArray('v3', `${server.url}/zarr/far`);
  const corner = await zarrita.get(read, [2559, zarrita.slice(1023, 1024), zarrita.slice(1020, 1024)]);
  t.strictSame([...(corner.data as Uint16Array)], [0, 0, 0x0201, 0x0403]);
});

/** `dtype=`, `casting=` and chosen fields on reads: what arrives is what the headers say, whatever the way it takes. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { npy } from '../helpers/npy.js';
import { startHere } from '../helpers/service-here.js';
import { header } from '../helpers/npy.js';
import type { Service } from '../helpers/server.js';
import { binary, json } from '../system/calls.js';

async function make(
  server: Service,
  name: string,
  dtype: unknown,
  data: NodeJS.ArrayBufferView,
  shape: number[],
): Promise<void> {
  const made = await server.fetch('/v1/datasets', json('POST', { name, dtype, shape }));
  t.equal(made.status, 201);
  const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  t.equal((await server.fetch(`/v1/datasets/${name}/data.raw`, binary('PUT', body))).status, 200);
}

const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

t.test('short answers and long ones are converted alike, in each format', async t => {
  const server = await startHere(t);
  const rows = 700;
  const values = Float32Array.from({ length: rows * 1000 }, (_, i) => (i % 7919) / 8 - 400);
  await make(server, 'a', '<f4', values, [rows, 1000]);
  for (const [slice, wanted] of [
    ['3,:5', [...values.subarray(3000, 3005)]],
    ['::2,::3', [...values].filter((_, i) => Math.floor(i / 1000) % 2 === 0 && (i % 1000) % 3 === 0)],
    [':', [...values]],
  ] as const) {
    for (const dtype of ['float64', '>f8']) {
      const raw = await server.fetch(`/v1/datasets/a/data.raw?slice=${slice}&dtype=${encodeURIComponent(dtype)}`);
      t.equal(raw.headers.get('x-array-dtype'), dtype === 'float64' ? '<f8' : '>f8');
      t.equal(Number(raw.headers.get('content-length')), 8 * wanted.length);
      t.equal(raw.headers.get('accept-ranges'), null);
      const bytes = await bytesOf(raw);
      if (dtype === '>f8') bytes.swap64();
      t.ok(Buffer.from(Float64Array.from(wanted).buffer).equals(bytes), `${slice} as ${dtype}`);
    }
  }
  const text = await server.fetch('/v1/datasets/a/data?slice=3,:5&dtype=i2&casting=unsafe');
  t.match(await text.json(), { dtype: '<i2', data: [...values.subarray(3000, 3005)].map(Math.trunc) });
  const file = await bytesOf(await server.fetch('/v1/datasets/a/data.npy?slice=3,:5&dtype=>f8'));
  t.match(file.toString('latin1'), "'descr': '>f8'");
  t.equal(file.byteLength, 128 + 40);
  t.equal(file.readDoubleBE(128), values[3000]);
  const head = await server.fetch('/v1/datasets/a/data.npy?dtype=c16', { method: 'HEAD' });
  t.equal(Number(head.headers.get('content-length')), 128 + 16 * values.length);
  const part = await server.fetch('/v1/datasets/a/data.raw?dtype=f8&slice=0', { headers: { range: 'bytes=0-7' } });
  t.equal(part.status, 200, 'bytes that the file does not have have no ranges');
  const same = await server.fetch('/v1/datasets/a/data.raw?dtype=f4&slice=0', { headers: { range: 'bytes=0-7' } });
  t.equal(same.status, 206, 'and those that it has do');
});

t.test('what a casting does not allow is refused before anything is read', async t => {
  const server = await startHere(t);
  await make(server, 'a', '<f8', Float64Array.of(1.5, 3e10, NaN), [3]);
  const problem = async (query: string): Promise<unknown> =>
    (await server.fetch(`/v1/datasets/a/data?${query}`)).json();
  t.match(await problem('dtype=f4'), { status: 422, code: 'would_lose', casting: 'safe', from: '<f8', to: '<f4' });
  t.match(await problem('dtype=i4&casting=same_kind'), { status: 422, code: 'would_lose', casting: 'same_kind' });
  t.match(await problem('dtype=U8&casting=unsafe'), { status: 422, code: 'unsupported_dtype' });
  t.match(await problem('dtype=nothing'), { status: 422, code: 'unsupported_dtype' });
  t.match(await problem('dtype=f4&casting=careless'), { status: 400 });
  t.match(await problem('dtype=f4&casting=same_kind'), { dtype: '<f4', data: [1.5, 3e10, 'NaN'] });
  t.match(
    await problem('dtype=i4&casting=unsafe'),
    { data: [1, (3e10 % 2 ** 32) - 2 ** 32, 0] },
    'modulo 2^32, and NaN is 0',
  );
  const head = await server.fetch('/v1/datasets/a/data?dtype=f4', { method: 'HEAD' });
  t.equal(head.status, 422);
});

t.test('dates that overflow in another unit are told, where numpy would answer others', async t => {
  const server = await startHere(t);
  await make(server, 'd', '<M8[Y]', BigInt64Array.of(0n, -(2n ** 63n), 7000n), [3]);
  const read = async (query: string): Promise<unknown> => (await server.fetch(`/v1/datasets/d/data?${query}`)).json();
  t.match(await read('dtype=M8[D]'), { data: ['1970-01-01', 'NaT', '8970-01-01'] });
  t.match(await read('dtype=M8[ns]'), { code: 'would_lose', value: '7000', index: 2 });
  t.match(await read('dtype=M8[ns]&slice=:2'), { data: ['1970-01-01T00:00:00.000000000', 'NaT'] });
});

t.test('several fields are a packed structure in the order that is asked for, and convert like any other', async t => {
  const server = await startHere(t);
  const dtype = [
    ['a', '<i4'],
    ['', '|V4'],
    ['h', '<f2', [2]],
    ['s', '|S3'],
    ['', '|V1'],
  ];
  const items = Buffer.alloc(16 * 50_000, 0xee);
  for (let i = 0; i < 50_000; i++) {
    items.writeInt32LE(i, 16 * i);
    items.writeUInt16LE(0x3c00, 16 * i + 8);
    items.writeUInt16LE(0x4000, 16 * i + 10);
    items.write('xy\0', 16 * i + 12, 'latin1');
  }
  await make(server, 's', dtype, items, [50_000]);
  const picked = await server.fetch('/v1/datasets/s/data.raw?field=s,a');
  t.equal(picked.headers.get('x-array-dtype'), '[["s","|S3"],["a","<i4"]]');
  const bytes = await bytesOf(picked);
  t.equal(bytes.byteLength, 7 * 50_000);
  t.equal(bytes.toString('latin1', 7 * 49_999, 7 * 49_999 + 3), 'xy\0');
  t.equal(bytes.readInt32LE(7 * 49_999 + 3), 49_999);
  const safe = await server.fetch('/v1/datasets/s/data?dtype=safe&slice=1');
  t.match(await safe.json(), {
    dtype: [
      ['a', '<i4'],
      ['h', '<f4', [2]],
      ['s', '|S3'],
    ],
    data: { a: 1, h: [1, 2], s: 'xy' },
  });
  const other = encodeURIComponent('[["x",">f8"],["","|V2"],["y","<i8"]]');
  const cast = await bytesOf(
    await server.fetch(`/v1/datasets/s/data.raw?field=a,h&slice=:3&dtype=${other}&casting=safe`),
  );
  t.match(JSON.parse(cast.toString()), { code: 'would_lose' }, 'a field of two floats is no integer');
  const fits = encodeURIComponent('[["x",">f8"],["","|V2"],["y","<U4"]]');
  const repacked = await bytesOf(await server.fetch(`/v1/datasets/s/data.raw?field=a,s&slice=:3&dtype=${fits}`));
  t.equal(repacked.byteLength, 3 * 26);
  t.equal(repacked.readDoubleBE(26), 1);
  t.equal(repacked.readUInt16LE(26 + 8), 0, 'padding is zero');
  t.equal(repacked.readUInt32LE(26 + 10), 0x78);
});

t.test('items larger than a piece are sent in parts, and converted whole', async t => {
  const server = await startHere(t);
  const length = 700_000;
  const values = Float32Array.from({ length: 3 * length }, (_, i) => i % 100_003);
  await make(server, 'big', [['v', '<f4', [length]]], values, [3]);
  const whole = await server.fetch('/v1/datasets/big/data.raw?slice=::-2');
  const wanted = [values.subarray(2 * length), values.subarray(0, length)];
  t.ok(
    Buffer.concat(wanted.map(each => Buffer.from(each.buffer, each.byteOffset, each.byteLength))).equals(
      await bytesOf(whole),
    ),
  );
  const dtype = encodeURIComponent(JSON.stringify([['v', '<f8', [length]]]));
  const wide = await bytesOf(await server.fetch(`/v1/datasets/big/data.raw?slice=::-2&dtype=${dtype}`));
  t.ok(Buffer.concat(wanted.map(each => Buffer.from(Float64Array.from(each).buffer))).equals(wide));
});

t.test('a .npy body is cast within its kind, and its structure is matched by name', async t => {
  const server = await startHere(t);
  const put = async (name: string, descr: string, shape: string, data: Buffer): Promise<unknown> => {
    const body = npy(`{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`, data);
    return (await server.fetch(`/v1/datasets/${name}/data.npy`, binary('PUT', body, 'application/x-npy'))).json();
  };
  await make(
    server,
    's',
    [
      ['a', '<i4'],
      ['b', '<f8'],
    ],
    new Uint8Array(24),
    [2],
  );
  const swapped = Buffer.alloc(20);
  swapped.writeFloatBE(1.5, 0);
  swapped.writeInt16LE(7, 4);
  swapped.writeFloatBE(-2, 10);
  swapped.writeInt16LE(-7, 14);
  t.match(await put('s', "[('b', '>f4'), ('a', '<i2'), ('', '|V4')]", '(2,)', swapped), { elements: 2 });
  const read = await server.fetch('/v1/datasets/s/data');
  t.match(await read.json(), {
    data: [
      { a: 7, b: 1.5 },
      { a: -7, b: -2 },
    ],
  });
  t.match(await put('s', "[('b', '<f8'), ('c', '<i4')]", '(1,)', Buffer.alloc(12)), {
    code: 'unknown_field',
    field: 'a',
  });
  t.match(await put('s', "[('b', '<f8'), ('a', '<i4'), ('c', '<i4')]", '(1,)', Buffer.alloc(16)), {
    code: 'unknown_field',
    field: 'c',
  });
  t.match(await put('s', "[('b', '<f8'), ('a', '<f4')]", '(1,)', Buffer.alloc(12)), { code: 'would_lose' });
  const large = Buffer.alloc(16);
  large.writeBigInt64LE(2n ** 40n, 8);
  t.match(await put('s', "[('b', '<f8'), ('a', '<i8')]", '(1,)', large), { code: 'would_lose', field: 'a', index: 0 });
  await make(server, 'u', '<U3', new Uint8Array(12), [1]);
  t.match(await put('u', "'|S4'", '(1,)', Buffer.from('abc\0')), { elements: 1 });
  t.match(await put('u', "'|S4'", '(1,)', Buffer.from('abcd')), { code: 'would_lose', value: '"abcd"' });
  await make(server, 'd', '<M8[D]', new Uint8Array(8), [1]);
  const seconds = (count: bigint): Buffer => Buffer.from(BigInt64Array.of(count).buffer);
  t.match(await put('d', "'<M8[s]'", '(1,)', seconds(86_400n * 3n)), { elements: 1 });
  t.match(await put('d', "'<M8[s]'", '(1,)', seconds(86_399n)), { code: 'would_lose', value: '86399' });
});

t.test('a file in the other byte order, of more than a piece, is sent in the one that is asked for', async t => {
  const server = await startHere(t);
  const values = Int32Array.from({ length: 400_000 }, (_, i) => i * 5000);
  const swapped = Buffer.from(values.slice().buffer).swap32();
  fs.writeFileSync(path.join(server.dataDir, 'big.npy'), npy(header('>i4', '(400000,)'), swapped));
  await server.fetch('/v1/datasets', json('POST', { name: 'b', path: 'big.npy' }));
  const plain = Buffer.from(values.buffer);
  t.ok(plain.equals(await bytesOf(await server.fetch('/v1/datasets/b/data.raw?endian=little'))));
  t.ok(plain.equals(await bytesOf(await server.fetch('/v1/datasets/b/data.raw?dtype=safe'))));
  t.ok(swapped.equals(await bytesOf(await server.fetch('/v1/datasets/b/data.raw?dtype=i4&endian=big'))));
});

/** The documents of the Zarr view, its keys, and how they are answered; what is in its chunks is in zarr-chunks.test.ts. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { addKey, bearer } from '../helpers/keys.js';
import { temporaryFolder, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { create, describe, json, MiB, outcome } from '../system/calls.js';

let server: Service;

t.before(async () => {
  server = await startHere(t);
});

async function bytesOf(where: string, init?: RequestInit): Promise<Buffer> {
  const answer = await server.fetch(where, init);
  if (answer.status >= 300) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer());
}
interface ArrayDocument {
  readonly shape: readonly number[];
  readonly data_type: unknown;
  readonly fill_value: unknown;
  readonly dimension_names: readonly string[];
  readonly attributes: object;
  readonly chunk_grid: { readonly configuration: { readonly chunk_shape: readonly number[] } };
}

async function documentOf<T = ArrayDocument>(where: string): Promise<T> {
  return JSON.parse((await bytesOf(where)).toString()) as T;
}

t.test('chunks have about 1 MiB and no 0, and keep their shape while an array grows', async t => {
  const chunksOf = async (name: string): Promise<readonly number[]> =>
    (await documentOf(`/zarr/${name}/zarr.json`)).chunk_grid.configuration.chunk_shape;
  for (const [dtype, shape, order, expected] of [
    ['<f4', [1_000_000, 1000], 'C', [262, 1000]],
    ['<f4', [50_000, 50_000], 'C', [68, 3847]],
    ['<f4', [1000, 1_000_000], 'F', [1000, 262]],
    ['<f8', [3], 'C', [131_072]],
    ['<f8', [], 'C', []],
    ['<f8', [0, 0], 'C', [131_072, 1]],
    ['|u1', [4, 3, 2], 'F', [4, 3, 87_381]],
    ['|S2000000', [2, 3], 'C', [1, 1]],
  ] as const) {
    const name = `s${dtype.slice(1)}-${shape.join('x')}-${order}`;
    await create(server, { name, dtype, shape, order, sparse: true });
    t.strictSame(await chunksOf(name), expected, name);
    // The axis that grows does not matter.
    if (shape.length === 0) continue;
    const longer = order === 'C' ? [shape[0] * 3 + 1, ...shape.slice(1)] : [...shape.slice(0, -1), shape.at(-1)! * 2];
    await create(server, { name, dtype, shape: longer, order, sparse: true, mode: 'w+', overwrite: true });
    t.strictSame(await chunksOf(name), expected, name);
  }
  for (const [chunks, fits] of [
    [[10, 20], true],
    [[100_000, 1], true],
    [[10], false],
    [[0, 1], false],
    [[1.5, 1], false],
    [[100_000, 1000], false],
    ['10,20', false],
  ] as const) {
    await create(server, {
      name: 'asked',
      dtype: '<f8',
      shape: [100, 200],
      attrs: { chunks },
      mode: 'w+',
      overwrite: true,
    });
    t.equal(JSON.stringify(await chunksOf('asked')) === JSON.stringify(chunks), fits, JSON.stringify(chunks));
  }
});

t.test('documents say what an array is: dims, attrs, fill values', async t => {
  await create(server, { name: 'plain', dtype: '>i2', shape: [2, 3], attrs: { n: 1 } });
  t.match(await documentOf('/zarr/plain/zarr.json'), {
    zarr_format: 3,
    node_type: 'array',
    data_type: 'int16',
    fill_value: 0,
    codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    dimension_names: ['plain_0', 'plain_1'],
    attributes: { n: 1 },
  });
  t.match(await documentOf('/zarr2/plain/.zarray'), {
    zarr_format: 2,
    dtype: '<i2',
    fill_value: null,
    compressor: null,
    filters: null,
    order: 'C',
    dimension_separator: '.',
  });
  t.strictSame(await documentOf('/zarr2/plain/.zattrs'), { n: 1, _ARRAY_DIMENSIONS: ['plain_0', 'plain_1'] });
  for (const [dtype, fill3, fill2] of [
    ['|b1', false, null],
    ['<f4', 'NaN', 'NaN'],
    ['<c8', ['NaN', 'NaN'], null],
    ['<M8[D]', 'NaT', null],
  ] as const) {
    await create(server, { name: 'x', dtype, shape: [1], mode: 'w+', overwrite: true, dims: ['t'] });
    const { fill_value, dimension_names } = await documentOf('/zarr/x/zarr.json');
    t.strictSame([fill_value, dimension_names], [fill3, ['t']], dtype);
    t.strictSame((await documentOf('/zarr2/x/.zarray')).fill_value, fill2, dtype);
  }
  // Old readers decode metadata as ASCII.
  await create(server, {
    name: 'umlaut',
    dtype: '|u1',
    shape: [1],
    attrs: { place: 'Köln, 東京 🎈' },
    dims: ['länge'],
  });
  for (const key of ['/zarr/umlaut/zarr.json', '/zarr2/umlaut/.zattrs']) {
    const bytes = await bytesOf(key);
    t.ok(
      bytes.every(byte => byte < 128),
      key,
    );
    t.ok(JSON.stringify(JSON.parse(bytes.toString())).includes('"place":"Köln, 東京 🎈"'), key);
  }
  await create(server, { name: 'long', dtype: '<f16', shape: [2] });
  t.equal(await outcome(server.fetch('/zarr/long/zarr.json')), '422 unsupported_dtype');
  t.match(await documentOf('/zarr2/long/.zarray'), { dtype: '<f16' });
});

interface Store {
  readonly consolidated_metadata: { readonly metadata: Readonly<Record<string, ArrayDocument>> };
  readonly attributes: object;
}

t.test('a structure is a group of its fields, with names that Zarr takes', async t => {
  const dtype = [
    ['a/b', '<i2'],
    ['s', '|S2'],
    ['in', [['..', '>f4', [2]]]],
    ['__x', '|u1'],
    ['zarr.json', '|u1'],
  ];
  await create(server, { name: 'log', dtype, shape: [3], attrs: { by: 'us', chunks: [2] } });
  const item = { 'a/b': 258, s: 'hi', in: { '..': [1, 2] }, __x: 7, 'zarr.json': 9 };
  await server.fetch('/v1/datasets/log/data', json('PUT', item));
  const group = await documentOf<Store>('/zarr/log/zarr.json');
  t.strictSame(group.attributes, { by: 'us', chunks: [2] });
  const { metadata } = group.consolidated_metadata;
  t.strictSame(Object.keys(metadata), ['a%2Fb', 'in', 'in/%2E%2E', '%5F_x', 'zarr%2Ejson'], 'text is not listed');
  t.strictSame(metadata['in/%2E%2E']!.dimension_names, ['log_0', '.._0']);
  t.strictSame(metadata['in/%2E%2E']!.chunk_grid.configuration.chunk_shape, [2, 2]);
  for (const key of ['a%2Fb', 'a%252Fb']) {
    t.strictSame([...(await bytesOf(`/zarr/log/${key}/c/0`))], [2, 1, 2, 1], key);
    t.strictSame([...(await bytesOf(`/zarr2/log/${key}/1`))], [2, 1, 0, 0], key);
  }
  t.strictSame((await bytesOf('/zarr/log/s/c/0')).toString(), 'hihi');
  t.match(await documentOf('/zarr/log/s/zarr.json'), { data_type: { name: 'null_terminated_bytes' } });
  t.strictSame([...(await bytesOf('/zarr/log/%255F_x/c/0'))], [7, 7]);
  t.strictSame([...(await bytesOf('/zarr/log/__x/c/0'))], [7, 7]);
  t.strictSame([...(await bytesOf('/zarr/log/zarr%252Ejson/c/1'))], [9, 0]);
  t.match(await documentOf('/zarr2/log/.zgroup'), { zarr_format: 2 });
  t.match(Object.keys((await documentOf<{ metadata: object }>('/zarr2/log/.zmetadata')).metadata), [
    '.zgroup',
    '.zattrs',
    'a%2Fb/.zarray',
    'a%2Fb/.zattrs',
    's/.zarray',
  ]);
});

t.test('the group of a dataset has the coordinates that fit', async t => {
  await create(server, { name: 'temp', dtype: '<f4', shape: [4, 3, 2], dims: ['day', 'place', 'temp'] });
  await create(server, { name: 'day', dtype: '<M8[D]', shape: [4], attrs: { long_name: 'date' } });
  await create(server, { name: 'place', dtype: '<i4', shape: [4] });
  const members = async (): Promise<string[]> =>
    Object.keys((await documentOf<Store>('/zarr/~temp/zarr.json')).consolidated_metadata.metadata);
  t.strictSame(await members(), ['temp', 'day'], 'place has another length');
  t.match(await documentOf('/zarr/~temp/day/zarr.json'), {
    dimension_names: ['day'],
    attributes: { long_name: 'date' },
  });
  t.strictSame((await documentOf('/zarr/day/zarr.json')).dimension_names, ['day_0']);
  t.equal((await server.fetch('/zarr/~temp/place/zarr.json')).status, 404);
  await create(server, { name: 'place', dtype: '<i4', shape: [3], mode: 'w+', overwrite: true });
  t.strictSame(await members(), ['temp', 'day', 'place']);
  t.equal((await bytesOf('/zarr2/~temp/place/0')).length, MiB);
  t.equal((await server.fetch('/zarr/~nowhere/zarr.json')).status, 404);
});

t.test('chunks are one state of an array: tags, conditions, HEAD', async t => {
  await create(server, { name: 'a', dtype: '<f4', shape: [10], attrs: { chunks: [4] } });
  const url = '/zarr/a/c/2';
  const first = await server.fetch(url);
  const tag = first.headers.get('etag')!;
  t.equal(first.headers.get('cache-control'), 'no-cache');
  const { generation } = await describe(server, 'a');
  t.equal(first.headers.get('x-dataset-generation'), String(generation));
  t.equal((await server.fetch(url, { headers: { 'if-none-match': tag } })).status, 304);
  const head = await server.fetch(url, { method: 'HEAD' });
  t.strictSame([head.status, head.headers.get('content-length'), head.headers.get('etag')], [200, '16', tag]);
  const text = await server.fetch('/zarr/a/zarr.json');
  const textTag = text.headers.get('etag')!;
  t.equal((await server.fetch('/zarr/a/zarr.json', { headers: { 'if-none-match': textTag } })).status, 304);
  const part = await server.fetch('/zarr/a/zarr.json', { headers: { range: 'bytes=1-13', 'if-range': textTag } });
  t.strictSame([part.status, await part.text()], [206, '"zarr_format"']);
  const store = await server.fetch('/zarr/zarr.json');
  const storeTag = store.headers.get('etag')!;
  for (const [header, status] of [
    ['if-none-match', 304],
    ['if-match', 200],
  ] as const) {
    t.equal((await server.fetch('/zarr/zarr.json', { headers: { [header]: storeTag } })).status, status, header);
  }
  await server.fetch('/v1/datasets/a/data?slice=9', json('PUT', 1));
  t.equal((await server.fetch(url, { headers: { 'if-none-match': tag } })).status, 200);
  // Another cut of the same state.
  const before = (await server.fetch(url)).headers.get('etag')!;
  await server.fetch('/v1/datasets/a', json('PATCH', { attrs: { chunks: [3] } }));
  t.equal((await server.fetch(url, { headers: { 'if-none-match': before } })).status, 200);
});

t.test('what is no key is 404, and what fails is another status', async t => {
  await create(server, {
    name: 'a',
    dtype: '<f4',
    shape: [10, 2],
    attrs: { chunks: [4, 2] },
    mode: 'w+',
    overwrite: true,
  });
  await create(server, { name: 'empty', dtype: '<f4', shape: [0, 2] });
  for (const key of [
    'zarr/a/c/3/0',
    'zarr/a/c/0',
    'zarr/a/c/0/0/0',
    'zarr/a/c/00/0',
    'zarr/a/c/-1/0',
    'zarr/a/c',
    'zarr/a/0.0',
    'zarr/a/.zarray',
    'zarr/a/',
    'zarr/a',
    'zarr/a/c/99999999999999999999/0',
    'zarr/empty/c/0/0',
    'zarr/nowhere/zarr.json',
    'zarr/a/constructor',
    'zarr/toString',
    'zarr2/__proto__/.zattrs',
    'zarr/.zmetadata',
    'zarr/x/y/z',
    'zarr2/zarr.json',
    'zarr2/a/0',
    'zarr2/a/3.0',
    'zarr2/a/c/0/0',
    'zarr2/a/.zgroup',
    'zarr2/a/.zmetadata',
    'zarr2/nowhere/.zarray',
  ]) {
    const answer = await server.fetch(`/${key}`);
    t.equal(answer.status, 404, key);
    t.equal(answer.headers.get('content-type')?.split(';')[0], 'application/problem+json');
  }
  t.equal((await server.fetch('/zarr/')).status, 200);
  t.equal((await server.fetch('/zarr/a/c/0/0', { method: 'PUT' })).status, 405);
  fs.writeFileSync(path.join(server.dataDir, 'cut.raw'), Buffer.alloc(80, 1));
  await create(server, { name: 'cut', path: 'cut.raw', dtype: '<f4', shape: [20] });
  t.equal((await server.fetch('/zarr/cut/c/0')).status, 200);
  fs.truncateSync(path.join(server.dataDir, 'cut.raw'), 40);
  for (let i = 0; i < 3; i++) t.equal((await server.fetch('/zarr/cut/c/0')).status, 409);
  fs.rmSync(path.join(server.dataDir, 'cut.raw'));
  for (const key of ['zarr/cut/c/0', 'zarr2/cut/0', 'zarr/cut/zarr.json']) {
    t.equal((await server.fetch(`/${key}`)).status, 409, key);
  }
});

t.test('neither the rate limit nor crowds refuse a chunk', async t => {
  const crowded = await startHere(t, {
    env: { HYPERSLAB_RATE_LIMIT: '5', HYPERSLAB_MEMORY_BYTES: '67108864', HYPERSLAB_CLIENT_SHARE: '10' },
  });
  await create(crowded, { name: 'a', dtype: '>f4', shape: [512, 512], order: 'F', attrs: { chunks: [300, 300] } });
  const statuses = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const answer = await crowded.fetch(i % 9 === 0 ? '/zarr/zarr.json' : `/zarr/a/c/${i % 2}/1`);
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  t.strictSame([...new Set(statuses)], [200]);
  t.equal((await crowded.fetch('/v1/datasets/a')).status, 200);
});

t.test('a store of many datasets is told whole, by whoever may read them', async t => {
  const text = 'x'.repeat(60_000);
  const names = Array.from({ length: 20 }, (_, i) => `d${String(i).padStart(3, '0')}`);
  fs.writeFileSync(path.join(server.dataDir, 'one.raw'), Buffer.alloc(8));
  for (const name of names) await create(server, { name, path: 'one.raw', dtype: '<f8', shape: [1], attrs: { text } });
  await create(server, { name: 'zarr.json', dtype: '<f8', shape: [1] });
  const answer = await server.fetch('/zarr/zarr.json', { headers: { 'accept-encoding': 'identity' } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  t.equal(answer.headers.get('content-length'), String(bytes.length));
  t.ok(bytes.length > MiB);
  const { metadata } = (JSON.parse(bytes.toString()) as Store).consolidated_metadata;
  const listed = Object.keys(metadata).filter(each => !each.includes('/'));
  for (const name of [...names, 'zarr%2Ejson']) t.ok(listed.includes(name), name);
  t.strictSame(listed, listed.toSorted(), 'in the order of names');
  const part = await server.fetch('/zarr/zarr.json', { headers: { range: `bytes=-${MiB}` } });
  t.equal(part.status, 206);
  t.ok(bytes.subarray(-MiB).equals(Buffer.from(await part.arrayBuffer())));
  t.match(await documentOf('/zarr/zarr%252Ejson/zarr.json'), { data_type: 'float64' });
});

t.test('a key sees the datasets that it reaches, coordinates included', async t => {
  const dataDir = temporaryFolder();
  const admin = bearer(await addKey(dataDir, ['admin']));
  const reader = bearer(await addKey(dataDir, ['read'], { datasets: ['temp', 'day'] }));
  const guarded = await startHere(t, { dataDir });
  for (const [name, shape, dims] of [
    ['temp', [2, 3], ['day', 'place']],
    ['day', [2], null],
    ['place', [3], null],
  ] as const) {
    const { headers, ...init } = json('POST', { name, dtype: '<f4', shape, ...(dims && { dims }) });
    await guarded.fetch('/v1/datasets', {
      ...init,
      headers: { ...(headers as Record<string, string>), ...admin.headers },
    });
  }
  const listed = async (where: string, who: RequestInit): Promise<string[]> => {
    const { consolidated_metadata } = (await (await guarded.fetch(where, who)).json()) as Store;
    return Object.keys(consolidated_metadata.metadata);
  };
  t.strictSame(await listed('/zarr/zarr.json', admin), ['day', 'place', 'temp']);
  t.strictSame(await listed('/zarr/~temp/zarr.json', admin), ['temp', 'day', 'place']);
  t.strictSame(await listed('/zarr/zarr.json', reader), ['day', 'temp']);
  t.strictSame(await listed('/zarr/~temp/zarr.json', reader), ['temp', 'day']);
  t.equal((await guarded.fetch('/zarr/~temp/place/c/0', reader)).status, 404);
  t.equal((await guarded.fetch('/zarr/day/c/0')).status, 401);
});

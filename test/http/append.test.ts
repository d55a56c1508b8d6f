/** `append`: each sentence of what clients are promised. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';
import { header, npy } from '../helpers/npy.js';
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

async function ask(url: string, init?: RequestInit): Promise<{ status: number; body: Body }> {
  const response = await server.fetch(url, init);
  return { status: response.status, body: (await response.json()) as Body };
}

async function make(name: string, more: Record<string, unknown>): Promise<void> {
  const { status, body } = await ask('/v1/datasets', json('POST', { name, ...more }));
  if (status !== 201) throw new Error(JSON.stringify(body));
}

const append = (name: string, data: unknown, query = ''): Promise<{ status: number; body: Body }> =>
  ask(`/v1/datasets/${name}/append${query}`, json('POST', data));
const bytes = (data: Uint8Array, type = 'application/octet-stream'): RequestInit => ({
  method: 'POST',
  body: data,
  headers: { 'content-type': type },
});
const dataOf = async (name: string): Promise<unknown> => (await ask(`/v1/datasets/${name}/data`)).body.data;
const fileOf = (name: string, suffix = 'npy'): string => path.join(server.dataDir, 'arrays', `${name}.${suffix}`);

/** The shape that stands in the header of a file, and where its data begin: read without any code of the service. */
function headerOf(file: string): { shape: number[]; offset: number; at: number; length: number } {
  const all = fs.readFileSync(file);
  const offset = 10 + all.readUInt16LE(8);
  const text = all.toString('latin1', 0, offset);
  const found = /'shape': \(([^)]*)\)/.exec(text)!;
  const number = /[0-9]+/.exec(found[1]!)!;
  return {
    shape: found[1]!
      .split(',')
      .filter(part => part.trim() !== '')
      .map(Number),
    offset,
    at: found.index + "'shape': (".length + number.index,
    length: number[0].length,
  };
}

t.test('rows join the end of axis 0, as many or one', async t => {
  await make('c', { dtype: '<i4', shape: [2, 3] });
  const two = await append('c', [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  t.equal(two.status, 200, JSON.stringify(two.body));
  t.match(two.body, { dataset: 'c', elements: 6, bytes: 24, durability: 'commit', shape: [4, 3], generation: 2 });
  const one = await append('c', [7, 8, 9]);
  t.match(one.body, { elements: 3, shape: [5, 3], generation: 3 });
  t.same(await dataOf('c'), [
    [0, 0, 0],
    [0, 0, 0],
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);
  t.match((await ask('/v1/datasets/c')).body, { shape: [5, 3], generation: 3, size: 15, nbytes: 60 });
  t.match((await ask('/v1/datasets')).body, { datasets: [{ name: 'c', shape: [5, 3] }] });
  const file = headerOf(fileOf('c'));
  t.same(file.shape, [5, 3]);
  t.equal(fs.statSync(fileOf('c')).size, file.offset + 60, 'nothing stands behind the array');
  const field = fs.readFileSync(fileOf('c')).toString('latin1', file.at + file.length - 21, file.at + file.length);
  t.match(field, /^ {20}5$/, 'the number has room for 21 digits');
  t.equal(Math.floor((file.at + file.length - 21) / 64), Math.floor((file.at + file.length - 1) / 64), 'in one line');
});

t.test('an array of F order grows along its last axis', async t => {
  await make('f', { dtype: '<i2', shape: [2, 3, 0], order: 'F' });
  const block = [
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    [
      [7, 8],
      [9, 10],
      [11, 12],
    ],
  ];
  t.match((await append('f', block)).body, { shape: [2, 3, 2] });
  t.match(
    (
      await append('f', [
        [13, 14, 15],
        [16, 17, 18],
      ])
    ).body,
    { shape: [2, 3, 3] },
    'a single one has an axis less',
  );
  const raw = Buffer.from(Int16Array.from([21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]).buffer);
  t.match((await ask('/v1/datasets/f/append', bytes(raw))).body, { shape: [2, 3, 5] }, 'raw is the block in C order');
  t.same(await dataOf('f'), [
    [
      [1, 2, 13, 21, 22],
      [3, 4, 14, 23, 24],
      [5, 6, 15, 25, 26],
    ],
    [
      [7, 8, 16, 27, 28],
      [9, 10, 17, 29, 30],
      [11, 12, 18, 31, 32],
    ],
  ]);
});

t.test('one axis, a single value, no rows', async t => {
  await make('v', { dtype: '<f8', shape: [0] });
  t.match((await append('v', 1.5)).body, { shape: [1], generation: 2 });
  t.match((await append('v', [2, 3])).body, { shape: [3], generation: 3 });
  t.match((await append('v', [])).body, { shape: [3], generation: 3, elements: 0 }, 'no rows move nothing');
  t.match((await ask('/v1/datasets/v/append', bytes(new Uint8Array(0)))).body, { shape: [3], generation: 3 });
  t.same(await dataOf('v'), [1.5, 2, 3]);
});

t.test('at is the length before, so that no retry appends twice', async t => {
  await make('a', { dtype: '<u1', shape: [1, 2] });
  t.equal((await append('a', [1, 2], '?at=1')).status, 200);
  const again = await append('a', [1, 2], '?at=1');
  t.match([again.status, again.body], [409, { code: 'moved', length: 2, shape: [2, 2] }]);
  for (const at of ['-1', '1.0', 'x', '', '%201']) {
    t.equal((await append('a', [1, 2], `?at=${at}`)).status, 400, at);
  }
  t.equal((await append('a', [1, 2], `?at=${'9'.repeat(30)}`)).body.code, 'moved');
  t.same(await dataOf('a'), [
    [0, 0],
    [1, 2],
  ]);
});

t.test('every form of a body', async t => {
  await make('forms', { dtype: '<i4', shape: [0, 2] });
  const to = (type: string, body: string | Uint8Array): Promise<{ status: number; body: Body }> =>
    ask('/v1/datasets/forms/append?header=false', bytes(Buffer.from(body), type));
  t.match((await to('text/csv', '1,2\n3,4\n')).body, { shape: [2, 2] });
  t.match((await to('application/x-ndjson', '[5,6]\n')).body, { shape: [3, 2] });
  const row = Buffer.from(Int16Array.from([7, 8]).buffer);
  t.match((await to('application/x-npy', npy(header('<i2', '(1, 2)'), row))).body, { shape: [4, 2] }, 'npy is cast');
  t.match((await to('application/x-npy', npy(header('<i2', '(2,)'), row))).body, { shape: [5, 2] });
  const lossy = npy(header('<f8', '(2,)'), Buffer.alloc(16));
  t.match(await to('application/x-npy', lossy), { status: 422, body: { code: 'would_lose' } });
  t.match(await to('application/octet-stream', Buffer.alloc(12)), {
    status: 422,
    body: { code: 'body_size_mismatch' },
  });
  for (const wrong of [[1, 2, 3], [[1], [2]], [[[1, 2]]], 1]) {
    // oxlint-disable-next-line no-await-in-loop
    t.match(await append('forms', wrong), { status: 422, body: { code: 'shape_mismatch' } }, JSON.stringify(wrong));
  }
  t.same(
    await dataOf('forms'),
    [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
      [7, 8],
    ],
    'what was refused left nothing',
  );
});

t.test('conditions and refusals', async t => {
  await make('p', { dtype: '<i4', shape: [1] });
  const { body: before } = await ask('/v1/datasets/p');
  const conditional = (tag: string, query = ''): Promise<{ status: number; body: Body }> =>
    ask(`/v1/datasets/p/append${query}`, {
      method: 'POST',
      body: '1',
      headers: { 'content-type': 'application/json', 'if-match': tag },
    });
  const tag = `"${String(before['id'])}.${before.generation}"`;
  t.equal((await conditional(tag)).status, 200);
  t.match(await conditional(tag), { status: 412, body: { code: 'generation_moved' } });
  t.match(await append('p', 1, '?expected_shape=1'), { status: 409, body: { code: 'moved', shape: [2] } });
  t.match((await append('p', 1, '?expected_shape=2')).body, { shape: [3] });
  await make('scalar', { dtype: '<i4', shape: [] });
  await make('thin', { dtype: '<i4', shape: [2, 0] });
  t.match(await append('scalar', 1), { status: 422, body: { code: 'not_growable' } });
  t.match(await append('thin', []), { status: 422, body: { code: 'not_growable' } });
  await ask('/v1/datasets/p', json('PATCH', { mode: 'r' }));
  t.match(await append('p', 1), { status: 403, body: { code: 'read_only' } });
  await make('copy', { path: 'arrays/p.npy', mode: 'c' });
  t.match(await append('copy', 1), { status: 403, body: { code: 'copy_on_write' } });
  await make('behind', { dtype: '<i4', shape: [2] });
  fs.appendFileSync(fileOf('behind'), 'x');
  t.match(await append('behind', 1), { status: 409, body: { code: 'bytes_behind' } });
});

t.test('all registrations of one .npy grow with it, a raw one keeps its shape', async t => {
  await make('w', { dtype: '<i4', shape: [2] });
  await make('twin', { path: 'arrays/w.npy' });
  await make('raw', { path: 'arrays/w.npy', format: 'raw', dtype: '<i4', offset: 128, shape: [2] });
  t.equal((await append('w', [5])).status, 200);
  t.same(await dataOf('twin'), [0, 0, 5]);
  t.match((await ask('/v1/datasets/twin')).body, { shape: [3] });
  t.match((await ask('/v1/datasets/raw')).body, { shape: [2] });
  t.same(await dataOf('raw'), [0, 0]);
});

t.test('a raw array grows, and keeps its length over a restart', async t => {
  await make('r', { dtype: '<i4', shape: [1, 2], format: 'raw' });
  t.match(
    (
      await append('r', [
        [1, 2],
        [3, 4],
      ])
    ).body,
    { shape: [3, 2] },
  );
  t.equal(fs.statSync(fileOf('r', 'raw')).size, 24);
  t.match((await ask('/v1/datasets/c')).body, { shape: [5, 3] });
  await server.stop('SIGKILL');
  server = await startServer({ dataDir: server.dataDir });
  t.same(await dataOf('r'), [
    [0, 0],
    [1, 2],
    [3, 4],
  ]);
  t.match((await ask('/v1/datasets/r')).body, { shape: [3, 2] });
  t.match((await ask('/v1/datasets/c')).body, { shape: [5, 3] });
  await server.stop();
  server = await startServer({ dataDir: server.dataDir });
  t.match((await ask('/v1/datasets?prefix=c')).body, { datasets: [{ name: 'c', shape: [5, 3] }, { name: 'copy' }] });
  t.match((await append('r', [5, 6])).body, { shape: [4, 2] });
  t.match((await append('c', [5, 6, 7])).body, { shape: [6, 3] });
});

t.test('a .npy that others made: its number gets room once, where there is room', async t => {
  const folder = fs.mkdtempSync(path.join(server.dataDir, 'arrays', 'x'));
  const file = path.join(folder, 'others.npy');
  fs.writeFileSync(file, npy(header('<i4', '(2, 2)'), Buffer.alloc(16)));
  await make('others', { path: file, mode: 'r+' });
  t.match((await append('others', [1, 2])).body, { shape: [3, 2], rewritten: true });
  const { body } = await append('others', [3, 4]);
  t.match(body, { shape: [4, 2] });
  t.notOk('rewritten' in body);
  t.same(await dataOf('others'), [
    [0, 0],
    [0, 0],
    [1, 2],
    [3, 4],
  ]);
  const tight = path.join(folder, 'tight.npy');
  const full = `${header('<i4', '(2, 2)')}\n`;
  const head = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.of(full.length, 0),
    Buffer.from(full),
  ]);
  const whole = Buffer.concat([head, Buffer.alloc(16)]);
  fs.writeFileSync(tight, whole);
  await make('tight', { path: tight, mode: 'r+' });
  t.match(await append('tight', [1, 2]), { status: 422, body: { code: 'not_growable' } });
  t.ok(fs.readFileSync(tight).equals(whole), 'it is as it was');
  t.equal((await ask('/v1/datasets/tight/data?slice=0', json('PUT', 5))).status, 200, 'and can be written');
});

t.test('what lies in several files, by strides or in a container does not grow', async t => {
  const folder = fs.mkdtempSync(path.join(server.dataDir, 'arrays', 'x'));
  for (const part of ['p1.npy', 'p2.npy']) {
    fs.writeFileSync(path.join(folder, part), npy(header('<i4', '(1, 2)'), Buffer.alloc(8)));
  }
  fs.writeFileSync(path.join(folder, 'mixed.bin'), Buffer.alloc(64));
  const index = JSON.stringify({ a: { dtype: 'I32', shape: [2, 2], data_offsets: [0, 16] } });
  const length = Buffer.alloc(8);
  length.writeUInt32LE(index.length);
  fs.writeFileSync(path.join(folder, 'one.safetensors'), Buffer.concat([length, Buffer.from(index), Buffer.alloc(16)]));
  await make('parts', { path: path.join(folder, 'p*.npy'), mode: 'r+' });
  await make('strided', {
    path: path.join(folder, 'mixed.bin'),
    mode: 'r+',
    dtype: '<i4',
    shape: [4, 2],
    strides: [16, 4],
  });
  await make('member', { path: path.join(folder, 'one.safetensors'), member: 'a', mode: 'r+' });
  for (const name of ['parts', 'strided', 'member']) {
    const before = await ask(`/v1/datasets/${name}`);
    t.match(await append(name, [1, 2]), { status: 422, body: { code: 'not_growable', dataset: name } }, name);
    t.same(await ask(`/v1/datasets/${name}`), before);
  }
});

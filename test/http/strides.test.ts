/** Raw files with strides: what numpy's as_strided sees of the same bytes, and what is refused. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { header, npy } from '../helpers/npy.js';
import { NO_NUMPY, PYTHON, runPythonBeside } from '../helpers/python.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, describe, json, outcome, readRaw } from '../system/calls.js';

const ARRAYS = caseCount(20, 1000);

let root: string;
let server: TestServer;

t.before(async () => {
  root = temporaryFolder();
  server = await startServer({ env: { HYPERSLAB_ROOTS: root } });
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true, force: true });
});

const register = (body: Readonly<Record<string, unknown>>): Promise<Response> =>
  server.fetch('/v1/datasets', json('POST', body));

t.test(
  'random strides read, compute and write what numpy does',
  { skip: PYTHON === undefined && NO_NUMPY },
  async t => {
    const told = await runPythonBeside('http/strides_numpy.py', [server.url, root, '1', String(ARRAYS)]);
    t.equal(told.trim(), `${ARRAYS} arrays`);
  },
);

t.test('interleaved channels and one field of a padded record', async t => {
  // Frames of left, right as int16; and records of an int32, four bytes of padding and a float64.
  fs.writeFileSync(
    path.join(root, 'sound.pcm'),
    Int16Array.from({ length: 20 }, (_, i) => i),
  );
  const right = { path: 'sound.pcm', dtype: '<i2', shape: [10], strides: [4], offset: 2 };
  const told = await create(server, { name: 'right', ...right });
  t.match(told, { shape: [10], strides: [4], order: null, offset: 2, mode: 'r', format: 'raw' });
  t.same(new Int16Array(new Uint8Array(await readRaw(server, 'right')).buffer), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  const back = await create(server, { name: 'back', ...right, strides: [-4], offset: 38, mode: 'r+' });
  t.equal(back.mode, 'r+');
  const put = await server.fetch('/v1/datasets/back/data?slice=1:3', json('PUT', [100, 200]));
  t.equal(put.status, 200);
  await server.fetch('/v1/datasets/back/flush', { method: 'POST' });
  const bytes = fs.readFileSync(path.join(root, 'sound.pcm'));
  t.same(
    [17, 15].map(i => bytes.readInt16LE(2 * i)),
    [100, 200],
  );
  t.same(
    [16, 14, 18].map(i => bytes.readInt16LE(2 * i)),
    [16, 14, 18],
    'the other channel is as it was',
  );

  const records = Buffer.alloc(16 * 5);
  for (let i = 0; i < 5; i++) records.writeDoubleLE(i / 2, 16 * i + 8);
  fs.writeFileSync(path.join(root, 'records.bin'), records);
  await create(server, { name: 'field', path: 'records.bin', dtype: '<f8', shape: [5], strides: [16], offset: 8 });
  const mean = await server.fetch('/v1/datasets/field/statistics?ops=mean,max');
  t.match(await mean.json(), { results: { mean: 1, max: 2 } });
});

t.test('strides that are those of an order are that order', async t => {
  fs.writeFileSync(path.join(root, 'packed.bin'), Buffer.alloc(48));
  const packed = { path: 'packed.bin', dtype: '<i4', shape: [3, 4] };
  t.match(await create(server, { name: 'c', ...packed, strides: [16, 4] }), { order: 'C', strides: [16, 4] });
  t.match(await create(server, { name: 'f', ...packed, strides: [4, 12] }), { order: 'F', strides: [4, 12] });
  t.match(await create(server, { name: 'none', ...packed, strides: [] }), { order: 'C', strides: [16, 4] });
  t.match(await create(server, { name: 'empty', ...packed, shape: [0, 4], strides: [-999, 5] }), { size: 0 });
});

t.test('what does not lie in the file, or cannot be written, is refused', async t => {
  fs.writeFileSync(path.join(root, 'small.bin'), Buffer.alloc(40));
  const small = { name: 'small', path: 'small.bin', dtype: '<f4' };
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ shape: [10], strides: [5] }, '422 file_too_small'],
    [{ shape: [10], strides: [4], offset: 1 }, '422 file_too_small'],
    [{ shape: [2], strides: [-4] }, '422 file_too_small'],
    [{ shape: [2], strides: [-4], offset: 3 }, '422 file_too_small'],
    [{ shape: [2], strides: [Number.MAX_SAFE_INTEGER] }, '422 file_too_small'],
    [{ shape: [1e6, 1e6], strides: [1e12, 1] }, '422 bad_shape'],
    [{ shape: [2, 2], strides: [4] }, '422 bad_shape'],
    [{ strides: [4] }, '400 bad_request'],
    [{ shape: [2], strides: [4.5] }, '400 bad_request'],
    [{ shape: [2], strides: [8], order: 'F' }, '400 bad_request'],
    [{ shape: [2], strides: [8], mode: 'w+' }, '400 bad_request'],
    [{ shape: [2, 2], strides: [4, 4], mode: 'r+' }, '422 overlap'],
    [{ shape: [3], strides: [0], mode: 'r+' }, '422 overlap'],
    [{ shape: [3], strides: [3], mode: 'r+' }, '422 overlap'],
    [{ shape: [3, 2], strides: [6, 4], mode: 'c' }, '422 overlap'],
    [{ shape: [2, 3], strides: [8, 10], mode: 'r+' }, '422 overlap'],
  ];
  for (const [asked, expected] of cases) {
    t.equal(await outcome(register({ ...small, ...asked })), expected, JSON.stringify(asked));
  }
  t.equal(await outcome(server.fetch('/v1/datasets/small')), '404 unknown_dataset');
  // Axes of one element do not count; neither do those of an array without elements.
  for (const [i, asked] of [
    { shape: [1, 5], strides: [0, 8] },
    { shape: [0, 5], strides: [0, 1] },
    { shape: [5, 2], strides: [-8, 4], offset: 32 },
  ].entries()) {
    t.equal(await outcome(register({ ...small, name: `fine${i}`, ...asked, mode: 'r' })), '201');
    t.equal(await outcome(server.fetch(`/v1/datasets/fine${i}`, json('PATCH', { mode: 'r+' }))), '200');
    t.equal(await outcome(server.fetch(`/v1/datasets/fine${i}`, json('PATCH', { mode: 'r' }))), '200');
  }
  t.equal(await outcome(register({ ...small, name: 'seen', shape: [3], strides: [0] })), '201');
  t.equal(await outcome(server.fetch('/v1/datasets/seen', json('PATCH', { mode: 'r+' }))), '422 overlap');
});

t.test('a .npy has the strides that its header says', async t => {
  const file = npy(header('<i4', '(3, 4)').replace('False', 'True '), Buffer.alloc(48));
  fs.writeFileSync(path.join(root, 'fortran.npy'), file);
  const asked = { name: 'fortran', path: 'fortran.npy' };
  t.equal(await outcome(register({ ...asked, shape: [3, 4], strides: [16, 4] })), '422 header_mismatch');
  t.equal(await outcome(register({ ...asked, shape: [3, 4], strides: [4, 12] })), '201');
});

t.test('they outlast a restart', async t => {
  fs.writeFileSync(
    path.join(root, 'lasting.bin'),
    Uint8Array.from({ length: 30 }, (_, i) => i),
  );
  const body = { path: 'lasting.bin', dtype: '|u1', shape: [3, 4], strides: [-10, 0], offset: 25 };
  await create(server, { name: 'lasting', ...body });
  await server.stop();
  server = await startServer({ dataDir: server.dataDir, env: { HYPERSLAB_ROOTS: root } });
  t.match(await describe(server, 'lasting'), { strides: [-10, 0], offset: 25, state: 'ready' });
  t.same([...(await readRaw(server, 'lasting'))], [25, 25, 25, 25, 15, 15, 15, 15, 5, 5, 5, 5]);
  fs.truncateSync(path.join(root, 'lasting.bin'), 25);
  t.equal(
    (await describe(server, 'lasting')) && (await outcome(server.fetch('/v1/datasets/lasting/data'))),
    '409 file_changed truncated',
  );
  t.equal(await outcome(server.fetch('/v1/datasets/lasting/data', binary('PUT', Buffer.alloc(12)))), '403 read_only');
});

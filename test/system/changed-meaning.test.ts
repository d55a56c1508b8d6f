/**
 * What the path of a registered file can come to mean, by whatever another program does: each call is refused once, by
 * 409, before the bytes are given the old meaning; then what is there now is served, where it can be.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { npyOf } from '../helpers/bytes.js';
import { caseStride } from '../helpers/cases.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { create, describe, json, outcome, readRaw, type DatasetAnswer } from './calls.js';

const root = temporaryFolder();
const env = { HYPERSLAB_ROOTS: root, HYPERSLAB_WORKERS: '1' };
let server: TestServer;
t.before(async () => {
  server = await startServer({ env });
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true });
});

const BYTES = Buffer.from(Int32Array.from({ length: 24 }, (_, i) => i + 1).buffer);
const BEFORE = npyOf('<i4', [4, 6], BYTES);
const FLOATS = npyOf('<f4', [4, 6], BYTES);
const SMALLER = npyOf('<i4', [2, 6], BYTES.subarray(0, 48));
const FLAT = npyOf('<i4', [24], BYTES);
const FORTRAN = Buffer.from(
  BEFORE.toString('latin1').replace("'fortran_order': False", "'fortran_order': True "),
  'latin1',
);
/** A header of another length: version 2, as other programs write it. */
const LONGER = (() => {
  const dict = "{'descr': '<i2', 'fortran_order': False, 'shape': (48,), }";
  const head = Buffer.alloc(192, ' ');
  head.write('\x93NUMPY\x02\x00', 'latin1');
  head.writeUInt32LE(180, 8);
  head.write(dict, 12, 'latin1');
  head[191] = 0x0a;
  return Buffer.concat([head, BYTES]);
})();

const replace = (file: string, bytes: Buffer): void => {
  fs.writeFileSync(`${file}.new`, bytes);
  fs.renameSync(`${file}.new`, file);
};
const instead = (file: string, make: (file: string) => void): void => {
  fs.rmSync(file);
  make(file);
};

interface Row {
  readonly title: string;
  readonly raw?: true;
  readonly change: (file: string) => void;
  /** What describe says from then on; absent where nothing can be served until the file is put back. */
  readonly now?: Partial<DatasetAnswer>;
}

const ROWS: readonly Row[] = [
  { title: 'another dtype, in place', change: file => fs.writeFileSync(file, FLOATS), now: { dtype: '<f4' } },
  { title: 'fewer rows, in place', change: file => fs.writeFileSync(file, SMALLER), now: { shape: [2, 6] } },
  { title: 'another rank, in place', change: file => fs.writeFileSync(file, FLAT), now: { shape: [24], dims: null } },
  { title: 'another order, in place', change: file => fs.writeFileSync(file, FORTRAN), now: { order: 'F' } },
  {
    title: 'another offset, in place',
    change: file => fs.writeFileSync(file, LONGER),
    now: { offset: 192, dtype: '<i2' },
  },
  {
    title: 'another file of the same form',
    change: file => replace(file, BEFORE),
    now: { dtype: '<i4', shape: [4, 6] },
  },
  { title: 'another file of another form', change: file => replace(file, LONGER), now: { offset: 192, dtype: '<i2' } },
  { title: 'no array, in place', change: file => fs.writeFileSync(file, Buffer.alloc(BEFORE.byteLength, 'x')) },
  { title: 'another file that is no array', change: file => replace(file, Buffer.alloc(1000, 'x')) },
  { title: 'a header without its data', change: file => fs.writeFileSync(file, FLOATS.subarray(0, 150)) },
  { title: 'a cut file', change: file => fs.truncateSync(file, 150) },
  { title: 'an empty file', change: file => fs.truncateSync(file, 0) },
  { title: 'nothing', change: file => fs.rmSync(file) },
  { title: 'a folder', change: file => instead(file, fs.mkdirSync) },
  { title: 'a pipe', change: file => instead(file, each => execFileSync('mkfifo', [each])) },
  { title: 'a link to elsewhere', change: file => instead(file, each => fs.symlinkSync('/etc/hostname', each)) },
  { title: 'a .npy in the place of raw bytes', raw: true, change: file => fs.writeFileSync(file, BEFORE) },
  {
    title: 'a zip in the place of raw bytes',
    raw: true,
    change: file => fs.writeFileSync(file, container('PK\x03\x04')),
  },
  {
    title: 'an HDF5 file instead of raw bytes',
    raw: true,
    change: file => replace(file, container('\x89HDF\r\n\x1a\n')),
  },
  { title: 'a Parquet file in the place of raw bytes', raw: true, change: file => replace(file, container('PAR1')) },
];

function container(magic: string): Buffer {
  return Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(500)]);
}

const WRITE = json('PUT', 9);

/** Calls that a change may be noticed by first, as a registration of each mode has them. */
const CALLS: readonly (readonly [title: string, mode: 'r' | 'r+', call: (name: string) => Promise<Response>])[] = [
  ['a row', 'r', name => server.fetch(`/v1/datasets/${name}/rows/0`)],
  ['everything', 'r+', name => server.fetch(`/v1/datasets/${name}/data?format=raw`)],
  ['a strided slice', 'r', name => server.fetch(`/v1/datasets/${name}/data?format=npy&slice=::-1`)],
  ['a statistic', 'r+', name => server.fetch(`/v1/datasets/${name}/statistics?ops=sum`)],
  ['a write', 'r+', name => server.fetch(`/v1/datasets/${name}/data?slice=0,...`, WRITE)],
  ['a write past the journal', 'r+', name => server.fetch(`/v1/datasets/${name}/data?durability=none`, WRITE)],
  ['a flush', 'r+', name => server.fetch(`/v1/datasets/${name}/flush`, { method: 'POST' })],
];

let count = 0;

const STRIDE = caseStride(3);

for (const [row, { title, raw = false, change, now }] of ROWS.entries()) {
  t.test(title, async t => {
    const calls = CALLS.filter((_, i) => (i + row) % STRIDE === 0);
    for (const [call, mode, ask] of calls) {
      const name = `n${count++}`;
      const twin = `${name}-twin`;
      const file = path.join(root, `${name}.${raw ? 'raw' : 'npy'}`);
      const original = raw ? BYTES : BEFORE;
      fs.writeFileSync(file, original);
      const form = raw ? { dtype: '<i4', shape: [4, 6] } : {};
      const base = { path: path.basename(file), ...form, attrs: { unit: 'm' }, dims: ['y', 'x'] };
      await create(server, { ...base, name, mode });
      await create(server, { ...base, name: twin });
      t.strictSame(await readRaw(server, name), BYTES);
      t.strictSame(await readRaw(server, twin), BYTES);
      const { generation, id } = await describe(server, name);
      change(file);
      const bytes = bytesAt(file);
      t.match(await outcome(ask(name)), /^409 file_changed/, `${call} is refused`);
      t.strictSame(bytesAt(file), bytes, 'nothing was written');
      if (now) {
        t.equal((await ask(name)).status, 200, `${call} of what is there now`);
        t.match(await outcome(server.fetch(`/v1/datasets/${twin}/rows/0`)), /^409 file_changed/, 'each learns it');
        t.equal(await outcome(server.fetch(`/v1/datasets/${twin}/rows/0`)), '200');
        const [told, other] = [await describe(server, name), await describe(server, twin)];
        t.match(told, { ...now, id, attrs: { unit: 'm' }, state: 'ready' });
        t.ok(told.generation > generation);
        t.strictSame([other.dtype, other.shape, other.generation], [told.dtype, told.shape, told.generation]);
      } else {
        t.match(await outcome(ask(name)), /^409 file_changed/, 'and refused again');
        fs.rmSync(file, { recursive: true, force: true });
        fs.writeFileSync(file, original);
        await outcome(ask(name));
        t.equal((await ask(name)).status, 200, 'until the file is back');
      }
    }
  });
}

function bytesAt(file: string): Buffer | undefined {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() ? fs.readFileSync(file) : undefined;
}

t.test('describe says that a file has changed before anybody was told', async t => {
  const file = path.join(root, 'told.npy');
  fs.writeFileSync(file, BEFORE);
  await create(server, { name: 'told', path: 'told.npy' });
  t.equal((await describe(server, 'told')).state, 'ready');
  fs.writeFileSync(file, FLOATS);
  t.match(await describe(server, 'told'), { state: 'changed', dtype: '<i4' });
  await outcome(server.fetch('/v1/datasets/told/rows/0'));
  t.match(await describe(server, 'told'), { state: 'ready', dtype: '<f4' });
});

t.test('data that another program writes has another generation, once it is noticed', async t => {
  const file = path.join(root, 'data.npy');
  fs.writeFileSync(file, BEFORE);
  const { generation } = await create(server, { name: 'data', path: 'data.npy', mode: 'r+' });
  await readRaw(server, 'data');
  t.equal((await describe(server, 'data')).generation, generation, 'reading moves nothing');
  t.equal(await outcome(server.fetch('/v1/datasets/data/data', json('PUT', 5))), '200');
  await readRaw(server, 'data');
  t.equal((await describe(server, 'data')).generation, generation + 1, 'what we write is one');
  await new Promise(resolve => setTimeout(resolve, 20));
  fs.writeFileSync(file, BEFORE);
  t.strictSame(await readRaw(server, 'data'), BYTES);
  t.ok((await describe(server, 'data')).generation > generation + 1);
});

t.test('an array of the service that somebody wrote over is looked at as carefully', async t => {
  await create(server, { name: 'own', dtype: '<i4', shape: [4, 6] });
  t.equal(await outcome(server.fetch('/v1/datasets/own/data', json('PUT', 5))), '200');
  const before = await server.fetch('/v1/datasets/own/statistics?ops=sum');
  t.match(await before.json(), { results: { sum: 120 } });
  fs.writeFileSync(path.join(server.dataDir, 'arrays', 'own.npy'), SMALLER);
  t.equal(await outcome(server.fetch('/v1/datasets/own/statistics?ops=sum')), '409 file_changed header');
  const after = await server.fetch('/v1/datasets/own/statistics?ops=sum');
  t.match(await after.json(), { results: { sum: 78 } });
});

t.test(
  'what happened while the service was stopped, or to a file whose journal it left, is not taken for the old',
  async t => {
    const names = ['stopped', 'killed', 'same'];
    for (const name of names) {
      fs.writeFileSync(path.join(root, `${name}.npy`), BEFORE);
      await create(server, { name, path: `${name}.npy`, mode: 'r+' });
      if (name !== 'stopped') {
        t.equal(await outcome(server.fetch(`/v1/datasets/${name}/data?slice=0`, json('PUT', 77))), '200');
      }
    }
    await server.stop('SIGKILL');
    for (const name of ['stopped', 'killed']) fs.writeFileSync(path.join(root, `${name}.npy`), FLOATS);
    server = await startServer({ dataDir: server.dataDir, env });
    t.equal(await outcome(server.fetch('/v1/datasets/stopped/rows/0')), '409 file_changed header');
    t.equal(await outcome(server.fetch('/v1/datasets/stopped/rows/0')), '200');
    t.equal((await describe(server, 'stopped')).dtype, '<f4');
    t.match(
      await outcome(server.fetch('/v1/datasets/killed/rows/0')),
      /^503 quarantined another array was written over/,
    );
    t.strictSame(fs.readFileSync(path.join(root, 'killed.npy')), FLOATS, 'no record was replayed into it');
    t.equal((await readRaw(server, 'same')).readInt32LE(0), 77);
    await server.stop();
    server = await startServer({ dataDir: server.dataDir, env });
    t.equal((await describe(server, 'stopped')).dtype, '<f4', 'the manifest says so, too');
    t.equal(await outcome(server.fetch('/v1/datasets/stopped/rows/0')), '200');
  },
);

t.test('raw bytes that became a container while the service was stopped are not served', async t => {
  const raw = { dtype: '<i4', shape: [4, 6] };
  const modes = { looked: 'r', written: 'r+', torn: 'r+', whole: 'r+' } as const;
  for (const [name, mode] of Object.entries(modes)) {
    fs.writeFileSync(path.join(root, `${name}.raw`), BYTES);
    await create(server, { name, path: `${name}.raw`, mode, ...raw });
  }
  fs.writeFileSync(path.join(root, 'zip.raw'), container('PK\x03\x04'));
  await create(server, { name: 'zip', path: 'zip.raw', format: 'raw', ...raw });
  for (const name of ['torn', 'whole']) {
    t.equal(await outcome(server.fetch(`/v1/datasets/${name}/data?slice=0`, json('PUT', 77))), '200');
  }
  await server.stop('SIGKILL');
  const zip = container('PK\x03\x04');
  for (const name of ['looked', 'written', 'torn']) fs.writeFileSync(path.join(root, `${name}.raw`), zip);
  server = await startServer({ dataDir: server.dataDir, env });
  t.equal((await describe(server, 'looked')).state, 'changed');
  for (const name of ['looked', 'written']) {
    t.match(await outcome(server.fetch(`/v1/datasets/${name}/rows/0`)), /^409 file_changed header/, name);
  }
  t.match(await outcome(server.fetch('/v1/datasets/written/data', WRITE)), /^409 file_changed header/);
  t.match(await outcome(server.fetch('/v1/datasets/torn/rows/0')), /^503 quarantined/);
  for (const name of ['written', 'torn']) t.strictSame(fs.readFileSync(path.join(root, `${name}.raw`)), zip, name);
  t.equal((await readRaw(server, 'whole')).readInt32LE(0), 77, 'what stayed raw is served');
  t.equal(
    await outcome(server.fetch('/v1/datasets/zip/rows/0')),
    '200',
    'and what was registered as the zip that it is',
  );
  t.equal((await describe(server, 'zip')).state, 'ready');
  fs.writeFileSync(path.join(root, 'looked.raw'), BYTES);
  await outcome(server.fetch('/v1/datasets/looked/rows/0'));
  t.equal(await outcome(server.fetch('/v1/datasets/looked/rows/0')), '200', 'until the file is back');
});

/**
 * One answer whichever way a file is read: through mmap-io, through mmap(2) by koffi, or by position; also on machines
 * where one or both packages could not be installed.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parseDType } from '../../src/dtype/index.js';
import { npyHeader } from '../../src/formats/index.js';
import { caseStride } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { create, GiB, MiB, readRaw, sparseFile } from './calls.js';

const HIDE_PACKAGES = new URL('../helpers/hide-packages.js', import.meta.url).href;

const STRIDE = caseStride(2);

interface Row {
  readonly choice: 'auto' | 'mmap-io' | 'koffi' | 'positional';
  readonly missing: readonly string[];
  readonly mappings: readonly string[];
}

/** Ordered so that every second, which the short form tries, takes each way to read. */
const ROWS: readonly Row[] = [
  { choice: 'auto', missing: [], mappings: ['mmap-io', 'koffi'] },
  { choice: 'mmap-io', missing: [], mappings: ['mmap-io'] },
  { choice: 'positional', missing: [], mappings: [] },
  { choice: 'koffi', missing: [], mappings: ['koffi'] },
  { choice: 'auto', missing: ['mmap-io'], mappings: ['koffi'] },
  { choice: 'auto', missing: ['mmap-io', 'koffi'], mappings: [] },
  { choice: 'auto', missing: ['koffi'], mappings: ['mmap-io'] },
];

function isLoadable(name: string): boolean {
  try {
    createRequire(import.meta.url)(name);
    return true;
  } catch {
    return false;
  }
}
const absent = ['mmap-io', 'koffi'].filter(name => !isLoadable(name));

const random = seededRandom(47);
const folder = temporaryFolder();
t.teardown(() => fs.rmSync(folder, { recursive: true }));

/** A raw C-order array, a .npy in F order and big-endian, and one beyond 2 GiB whose columns cross every window. */
const SMALL = Uint8Array.from({ length: 4 * 300 * 200 }, () => random.integer(0, 255));
const F_SHAPE = [400, 300];
const F_HEADER = npyHeader({ dtype: parseDType('>f8'), shape: F_SHAPE, order: 'F' });
const F_DATA = Buffer.alloc(8 * 400 * 300);
for (let i = 0; i < 400 * 300; i++) F_DATA.writeDoubleBE(random.next() - 0.5, 8 * i);
const LARGE_SHAPE = [2600, 1_000_000];
const LARGE_COLUMN = Buffer.from(Array.from({ length: 2600 }, () => random.integer(0, 255)));

fs.writeFileSync(path.join(folder, 'small.raw'), SMALL);
fs.writeFileSync(path.join(folder, 'fortran.npy'), Buffer.concat([F_HEADER, F_DATA]));
sparseFile(
  path.join(folder, 'large.raw'),
  2600 * 1_000_000,
  Array.from(LARGE_COLUMN, (value, row) => [row * 1_000_000 + 123_456, Uint8Array.of(value)] as const),
);

const READS: readonly string[] = [
  ...['...', '10:20', '::7,::-3', '5:250:2,10', '...,-1', '-1', '::-1,::-1', 'newaxis,3:9,...', '17,23'].flatMap(
    slice => ['raw', 'npy', 'json'].map(format => `small/data?format=${format}&slice=${encodeURIComponent(slice)}`),
  ),
  ...['::', '3', ':,3', '::5,::2', '::-1', '100:101,7:9', '399,299'].flatMap(slice => [
    `fortran/data?format=raw&slice=${slice}`,
    `fortran/data?format=raw&endian=little&slice=${slice}`,
    `fortran/data?format=npy&slice=${slice}`,
  ]),
  'fortran/data?format=json&slice=10:20',
  ...[':,123456', '::-1,123456', '2140:2160,123450:123460', '2147,480000:490000', '::300,120000:130000:5'].flatMap(
    slice => [`large/data?format=raw&slice=${slice}`, `large/data?format=json&slice=${slice}`],
  ),
  // In pieces: 60 rows of every third byte.
  'large/data?format=raw&slice=2110:2170,::3',
  'small/statistics?ops=sum,min,max,mean,argmax&axis=0',
  'fortran/statistics?ops=sum,std,ptp&axis=1',
  'large/statistics?ops=sum,max,argmax,count_nonzero&slice=2140:2160',
  'large/statistics?ops=sum,max,argmax&slice=:,123456',
];

async function digests(server: TestServer): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const read of READS) {
    const response = await server.fetch(`/v1/datasets/${read}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const stable = read.includes('statistics') ? bytes.toString().replace(/"elapsed_ms":[0-9.]+/, '') : bytes;
    found.set(read, `${response.status} ${createHash('sha256').update(stable).digest('hex')}`);
  }
  return found;
}

let reference: Map<string, string> | undefined;

const TRIED = ROWS.filter((_, i) => i % STRIDE === 0);
for (const { choice, missing, mappings } of TRIED) {
  const title = `HYPERSLAB_MAPPING=${choice}${missing.length > 0 ? ` without ${missing.join(' and ')}` : ''}`;
  const lacking = absent.filter(name => !missing.includes(name) && mappings.includes(name));
  const skip = lacking.length > 0 ? `${lacking.join(', ')} cannot be loaded here` : false;
  t.test(`${title} answers as all others do`, { skip }, async t => {
    const server = await startServer({
      dataDir: folder,
      env: { HYPERSLAB_MAPPING: choice, HYPERSLAB_TEST_HIDE: missing.join(',') },
      nodeArgs: ['--import', HIDE_PACKAGES],
    });
    t.teardown(() => server.stop());
    const ready = (await (await server.fetch('/readyz')).json()) as { mapping: string; mappings: string[] };
    t.strictSame(ready.mappings, mappings);
    t.equal(ready.mapping, mappings[0] ?? 'positional');

    if (!reference) {
      await create(server, { name: 'small', path: 'small.raw', dtype: '<i4', shape: [300, 200], mode: 'r+' });
      await create(server, { name: 'fortran', path: 'fortran.npy' });
      await create(server, { name: 'large', path: 'large.raw', shape: LARGE_SHAPE });
      t.ok((await readRaw(server, 'small')).equals(SMALL));
      t.ok((await readRaw(server, 'fortran', '...,3')).equals(F_DATA.subarray(8 * 3 * 400, 8 * 4 * 400)));
      t.ok((await readRaw(server, 'large', ':,123456')).equals(LARGE_COLUMN));
      reference = await digests(server);
      for (const [read, digest] of reference) t.match(digest, /^200 /, read);
      return;
    }
    t.strictSame(await digests(server), reference);
  });
}

t.test('a file that grows beyond 2 GiB while it is open is still read', async t => {
  const file = path.join(folder, 'growing.raw');
  const bytes = 2 * GiB - MiB;
  const at = bytes - 5 * MiB;
  sparseFile(file, bytes, [[at, Uint8Array.of(1, 2, 3, 4, 5)]]);
  const server = await startServer({ dataDir: folder });
  t.teardown(() => server.stop());
  await create(server, { name: 'growing', path: 'growing.raw' });
  t.strictSame(await readRaw(server, 'growing', '0:8:2'), Buffer.alloc(4));
  fs.truncateSync(file, 3 * GiB);
  t.strictSame(await readRaw(server, 'growing', `${at}:${at + 5}:2`), Buffer.of(1, 3, 5));
});

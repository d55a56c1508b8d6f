import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import type { Patch, SourceDescriptor } from '../../src/descriptor.js';
import { availableBackends } from '../../src/file/mapping.js';
import { FileState } from '../../src/file/file-state.js';
import { PlainFile } from '../../src/file/open-file.js';
import { overlay } from '../../src/file/sources.js';
import { WorkerPool } from '../../src/jobs/pool.js';
import { extentOf, sizeOf, type View } from '../../src/layout/view.js';
import { seededRandom, type Random } from '../helpers/random.js';
import { temporaryFolder } from '../helpers/server.js';
import { packedBytes, randomView } from '../layout/model.js';

const folder = temporaryFolder();
const pool = new WorkerPool(2);
t.teardown(async () => {
  await pool.close();
  fs.rmSync(folder, { recursive: true });
});

function shared(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** Ascending patches with gaps between, as a snapshot gives them. */
function randomPatches(random: Random, fileBytes: number, stepBytes: number): Patch[] {
  const patches: Patch[] = [];
  for (let start = random.integer(0, stepBytes); start < fileBytes;) {
    const bytes = shared(Math.min(random.integer(1, stepBytes), fileBytes - start));
    bytes.set(randomBytes(bytes.byteLength));
    patches.push({ start, bytes });
    start += bytes.byteLength + random.pick([0, 1, random.integer(1, stepBytes)]);
  }
  return patches;
}

async function gathered(source: SourceDescriptor, view: View, itemsize: number): Promise<Uint8Array> {
  const out = shared(sizeOf(view.shape) * itemsize);
  await pool.of().gather(source, view, itemsize, out);
  return out;
}

/** Gathers a view in a worker, by mapping where there is one and by position, and compares with the model. */
async function check(bytes: Buffer, view: View, itemsize: number, patches: readonly Patch[]): Promise<string[]> {
  const expected = Buffer.from(bytes);
  overlay(patches, 0, expected);
  const wrong: string[] = [];
  for (const backend of [...availableBackends('auto'), undefined]) {
    const file = path.join(folder, 'file.raw');
    fs.writeFileSync(file, bytes);
    const fd = fs.openSync(file, 'r+');
    const open = new PlainFile({ fd, realPath: file, writable: true, state: new FileState('f'), backend });
    const release = open.lease();
    const { start, end } = extentOf(view, itemsize);
    // oxlint-disable-next-line no-await-in-loop
    const found = await gathered({ ...open.describe(start, end), patches }, view, itemsize);
    if (!packedBytes(expected, view, itemsize).equals(found)) wrong.push(backend?.name ?? 'positional');
    if (!fs.readFileSync(file).equals(bytes)) wrong.push('the file was changed');
    release();
    open.retire();
  }
  return wrong;
}

t.test('a worker gathers what stood in the file before, whatever the view and the patches', async t => {
  const random = seededRandom(61);
  for (let i = 0; i < 60; i++) {
    const itemsize = random.pick([1, 2, 4, 8]);
    const { view, fileBytes } = randomView(random, itemsize);
    if (sizeOf(view.shape) === 0) continue;
    const patches = randomPatches(random, fileBytes, 30);
    // oxlint-disable-next-line no-await-in-loop
    t.strictSame(await check(randomBytes(fileBytes), view, itemsize, patches), [], JSON.stringify(view));
  }
});

t.test('dense spans, sparse spans of the mapping and lone runs are patched alike', async t => {
  const random = seededRandom(62);
  const bytes = randomBytes(1024 * 1024);
  const views: View[] = [
    { shape: [1000, 10], strides: [40, 4], offset: 8 },
    { shape: [100, 2], strides: [4096, 4], offset: 100 },
    { shape: [8, 16], strides: [128 * 1024, 4], offset: 64 },
    { shape: [16, 8], strides: [4, 128 * 1024], offset: 64 },
    { shape: [1000], strides: [-1000], offset: 999_000 },
  ];
  for (const view of views) {
    for (const stepBytes of [300, 100_000]) {
      // oxlint-disable-next-line no-await-in-loop
      t.strictSame(await check(bytes, view, 4, randomPatches(random, bytes.byteLength, stepBytes)), []);
    }
    // oxlint-disable-next-line no-await-in-loop
    t.strictSame(await check(bytes, view, 4, [{ start: 0, bytes: shared(10) }]), [], 'one patch aside');
  }
});

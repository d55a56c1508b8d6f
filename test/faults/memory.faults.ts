/**
 * An array of 4 GiB in a control group of 256 MiB, page cache included: statistics over all of it, random slices and a
 * long download are right, nothing is killed for want of memory, and what the service holds of its own stays small.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { seededRandom } from '../helpers/random.js';
import { rssAnonBytes } from '../helpers/memory.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { create, freeBytes, get, GiB, KiB, MiB, readRaw, sparseFile } from '../system/calls.js';
import { figure, FULL, rounds } from './harness.js';
import { makeMemoryCgroup } from './memory-cgroup.js';

const LIMIT_BYTES = 256 * MiB;
/** Below the limit by the room that the kernel needs to move pages through. */
const RSS_ANON_BYTES_MAX = 200 * MiB;
const SAMPLE_MS = 20;
const SLICES = rounds(60, 500);
const EDGE = 32 * KiB;
const DOWNLOAD_ROWS = rounds(EDGE / 8, EDGE);

const dataDir = temporaryFolder();
/** Real blocks, where there is room for them; otherwise holes, and rows of data in between. */
const isReal = FULL && freeBytes(dataDir) > 8 * GiB;

/** Every element is its position, where there is data. */
function hasData(row: number): boolean {
  return isReal || row % 512 < 8;
}

function elementAt(row: number, column: number): number {
  return hasData(row) ? row * EDGE + column : 0;
}

function rowAt(row: number): Uint32Array {
  return Uint32Array.from({ length: EDGE }, (_, column) => elementAt(row, column));
}

const cgroup = makeMemoryCgroup(LIMIT_BYTES);
const skip = typeof cgroup === 'string' && cgroup;
t.teardown(async () => {
  fs.rmSync(dataDir, { recursive: true });
  if (typeof cgroup !== 'string') await cgroup.remove();
});

t.test('4 GiB in 256 MiB', { skip }, async t => {
  if (typeof cgroup === 'string') return;
  makeFile(path.join(dataDir, 'large.raw'));
  const server = await startServer({ dataDir, nodeArgs: cgroup.nodeArgs });
  t.teardown(() => server.stop('SIGKILL'));
  await create(server, { name: 'large', path: 'large.raw', dtype: '<u4', shape: [EDGE, EDGE], mode: 'r+' });
  const peaks = { rssAnon: 0, used: 0 };
  const timer = setInterval(() => {
    if (server.child.signalCode !== null) return;
    peaks.rssAnon = Math.max(peaks.rssAnon, rssAnonBytes(server.pid));
    peaks.used = Math.max(peaks.used, cgroup.usedBytes());
  }, SAMPLE_MS);

  await t.test('statistics over all of it', t => checkStatistics(t, server));
  await t.test(`${SLICES} random slices`, t => checkSlices(t, server));
  await t.test('a long download', t => checkDownload(t, server));

  clearInterval(timer);
  t.equal(cgroup.oomKills(), 0, 'nothing was killed for want of memory');
  t.equal(server.child.signalCode, null, 'the service lives');
  t.ok(peaks.rssAnon < RSS_ANON_BYTES_MAX, `RssAnon reached ${inMiB(peaks.rssAnon)}`);
  t.ok(peaks.used > LIMIT_BYTES / 2, `the limit was felt: ${inMiB(peaks.used)} used`);
  figure(t, 'data', isReal ? '4 GiB of real blocks' : '4 GiB, mostly holes');
  figure(t, 'RssAnon, peak', inMiB(peaks.rssAnon));
  figure(t, 'memory charged, peak', `${inMiB(peaks.used)} of ${inMiB(LIMIT_BYTES)}`);
});

function inMiB(bytes: number): string {
  return `${Math.round(bytes / MiB)} MiB`;
}

/** Made outside the group, and then not in memory: its pages are to be charged to the service. */
function makeFile(file: string): void {
  if (isReal) {
    const fd = fs.openSync(file, 'w');
    for (let row = 0; row < EDGE; row++) fs.writeSync(fd, rowAt(row));
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  } else sparseFile(file, 4 * GiB, dataRows());
  spawnSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
}

function* dataRows(): Generator<[number, Uint8Array]> {
  for (let row = 0; row < EDGE; row++) {
    if (hasData(row)) yield [row * EDGE * 4, new Uint8Array(rowAt(row).buffer)];
  }
}

async function checkStatistics(t: Test, server: TestServer): Promise<void> {
  const response = await server.fetch('/v1/datasets/large/statistics?ops=count,sum,mean,std,min,max');
  const text = await response.text();
  t.equal(response.status, 200, text.slice(0, 300));
  const { results } = JSON.parse(text) as { results: Record<string, number> };
  const { sum, squares, max } = expectedSums();
  const count = EDGE * EDGE;
  const mean = Number(sum) / count;
  // In whole numbers: the difference of two large squares has no digits to spare.
  const variance = Number((squares * BigInt(count) - sum * sum) / BigInt(count)) / count;
  t.equal(/"sum":(\d+)/.exec(text)?.[1], String(sum), 'the sum has all its digits');
  t.equal(results['count'], count);
  t.equal(results['min'], 0);
  t.equal(results['max'], max);
  t.ok(Math.abs(results['mean']! / mean - 1) < 1e-14, `mean ${results['mean']} is ${mean}`);
  t.ok(Math.abs(results['std']! / Math.sqrt(variance) - 1) < 1e-9, `std ${results['std']} is ${Math.sqrt(variance)}`);
}

function expectedSums(): { sum: bigint; squares: bigint; max: number } {
  const width = BigInt(EDGE);
  const columns = (width * (width - 1n)) / 2n;
  const columnSquares = ((width - 1n) * width * (2n * width - 1n)) / 6n;
  const found = { sum: 0n, squares: 0n, max: 0 };
  for (let row = 0; row < EDGE; row++) {
    if (!hasData(row)) continue;
    const first = BigInt(row) * width;
    found.sum += first * width + columns;
    found.squares += first * first * width + 2n * first * columns + columnSquares;
    found.max = elementAt(row, EDGE - 1);
  }
  return found;
}

async function checkSlices(t: Test, server: TestServer): Promise<void> {
  const random = seededRandom(11);
  const wrong: string[] = [];
  for (let turn = 0; turn < SLICES; turn++) {
    const rowStep = random.pick([1, 1, 3, 17]);
    const columnStep = random.pick([1, 1, 2, 1000]);
    const row = random.integer(0, EDGE - 1);
    const rowEnd = Math.min(EDGE, row + random.integer(1, 64) * rowStep);
    const column = random.integer(0, EDGE - 1);
    const columnEnd = random.pick([EDGE, Math.min(EDGE, column + 100)]);
    const slice = `${row}:${rowEnd}:${rowStep},${column}:${columnEnd}:${columnStep}`;
    const expected: number[] = [];
    for (let r = row; r < rowEnd; r += rowStep) {
      for (let c = column; c < columnEnd; c += columnStep) expected.push(elementAt(r, c));
    }
    const found = await readRaw(server, 'large', slice);
    if (!found.equals(Buffer.from(Uint32Array.from(expected).buffer))) wrong.push(slice);
  }
  t.strictSame(wrong, [], 'each has the right elements');
}

async function checkDownload(t: Test, server: TestServer): Promise<void> {
  const response = await get(`${server.url}/v1/datasets/large/data?format=raw&slice=:${DOWNLOAD_ROWS}`);
  const rowBytes = 4 * EDGE;
  const pending = Buffer.alloc(rowBytes);
  let filled = 0;
  let row = 0;
  let wrong = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    for (let at = 0; at < part.byteLength;) {
      const taken = part.copy(pending, filled, at);
      at += taken;
      filled += taken;
      if (filled < rowBytes) continue;
      const ends = [pending.readUInt32LE(0), pending.readUInt32LE(rowBytes - 4)];
      if (ends[0] !== elementAt(row, 0) || ends[1] !== elementAt(row, EDGE - 1)) wrong++;
      row++;
      filled = 0;
    }
  }
  t.equal(row, DOWNLOAD_ROWS, 'all rows came');
  t.equal(wrong, 0, 'each begins and ends with its own elements');
  figure(t, 'one answer of', inMiB(DOWNLOAD_ROWS * rowBytes));
}

/**
 * The cost of the promise: commits of 4 kB a second with 1, 8 and 64 writers, and how many commits share a sync; on the
 * disk of the temporary folder, and on one whose flush takes 5 ms. Others write the same blocks in turns with ours.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { DiskRoom, ForgetfulDisk, unlessDisks } from '../../test/faults/disk/forgetful-disk.js';
import { machine, writeInto } from '../table.js';
import { WRITERS_MAX } from './blocks.js';
import { measureDisk, type Disk, type Effort, type Measured } from './measure.js';
import { tables } from './tables.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
const effort: Effort = {
  rounds: Number(options.rounds),
  seconds: Number(options.seconds),
  writers: [1, 8, WRITERS_MAX],
};
const FLUSH_MS = 5;
const SLOW_DISK = `disk with a flush of ${FLUSH_MS} ms`;

/** What has to be undone, last first. */
const cleanups: (() => unknown)[] = [];
process.once('SIGINT', () => void cleanUp().then(() => process.exit(130)));
try {
  await main();
} finally {
  await cleanUp();
}

async function main(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-bench-'));
  cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }));
  const disks: Disk[] = [{ title: 'local disk', folder }];
  const missing = unlessDisks();
  if (!missing) disks.push(await slowDisk());
  const measured: Measured[] = [];
  for (const disk of disks) measured.push(...(await measureDisk(disk, folder, effort)));
  const table = tables(measured, SLOW_DISK, [
    `${new Date().toISOString().slice(0, 10)}; ${machine()}`,
    `${effort.rounds} rounds of ${effort.seconds} s a side; medians`,
    ...(missing ? [`${SLOW_DISK}: left out, ${missing}`] : []),
  ]);
  process.stdout.write(`${table}\n`);
  if (options.write) writeInto(path.join(PACKAGE_ROOT, 'bench/README.md'), table, 'commits');
}

async function slowDisk(): Promise<Disk> {
  const room = new DiskRoom();
  cleanups.push(() => room.close());
  const disk = await ForgetfulDisk.start(room, room.format('slow.img'), { flushMs: FLUSH_MS });
  cleanups.push(() => disk.cut());
  return { title: SLOW_DISK, folder: disk.folder, flushes: () => disk.flushes() };
}

async function cleanUp(): Promise<void> {
  for (let undo = cleanups.pop(); undo; undo = cleanups.pop()) await undo();
}

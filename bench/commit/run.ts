/**
 * The cost of the promise: commits of 4 kB a second with 1, 8 and 64 writers, and how many commits share a sync; on the
 * disk of the temporary folder, and on one whose flush takes 5 ms. Others write the same blocks in turns with ours.
 */
import { parseArgs } from 'node:util';
import { DiskRoom, ForgetfulDisk, unlessDisks } from '../../test/faults/disk/forgetful-disk.js';
import { dateAndMachine, publish, runBench, type Bench } from '../frame.js';
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

await runBench(main);

async function main(bench: Bench): Promise<void> {
  const { folder } = bench;
  const disks: Disk[] = [{ title: 'local disk', folder }];
  const missing = unlessDisks();
  if (!missing) disks.push(await slowDisk(bench));
  const measured: Measured[] = [];
  for (const disk of disks) measured.push(...(await measureDisk(disk, folder, effort)));
  const table = tables(measured, SLOW_DISK, [
    dateAndMachine(),
    `${effort.rounds} rounds of ${effort.seconds} s a side; medians`,
    ...(missing ? [`${SLOW_DISK}: left out, ${missing}`] : []),
  ]);
  publish(table, { write: options.write, place: 'commits' });
}

async function slowDisk({ later }: Bench): Promise<Disk> {
  const room = new DiskRoom();
  later(() => room.close());
  const disk = await ForgetfulDisk.start(room, room.format('slow.img'), { flushMs: FLUSH_MS });
  later(() => disk.cut());
  return { title: SLOW_DISK, folder: disk.folder, flushes: () => disk.flushes() };
}

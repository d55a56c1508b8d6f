/**
 * Power cuts: the data folder is on a disk that forgets what was not flushed. Live, by killing the disk and the service
 * under load; and replayed, at random points of what a disk was told, with random sectors of the unflushed surviving.
 * Nothing that was confirmed is lost, nothing is torn, and the service starts on whatever is left.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { seededRandom } from '../helpers/random.js';
import type { TestServer } from '../helpers/server.js';
import { DiskRoom, ForgetfulDisk, isWhole, unlessDisks } from './disk/forgetful-disk.js';
import { figure, inMs, quantile, rounds } from './harness.js';
import { hasBatches, makeArrays, Oracle, runLoad, type WriterPlan } from './load.js';
import { writesOf } from './recorded-oracle.js';
import { pointsOf, record, replay, someAcks, startOn } from './recording.js';

const ROUNDS = rounds(3, 20);
const RECORDINGS = rounds(1, 4);
const CUTS = rounds(7, 50);
const SEED = 1;
const LOAD_MS_MAX = 400;
/** Recovery takes far less; other work on the machine may not. */
const READY_MS_MAX = 60_000;

/** Blocks from one page to a megabyte, in one run and in thousands. Only the second file is flushed now and then. */
const WRITERS: readonly WriterPlan[] = [
  { title: '4 KiB of a row', dataset: 'main', slices: ['0,:1024'], steps: ['raw'] },
  { title: '100 KiB of rows', dataset: 'main', slices: ['1:3,:12800'], steps: ['raw'] },
  { title: 'a tile of 16 runs', dataset: 'main', slices: ['16:32,100:4100'], steps: ['raw'] },
  { title: 'every 64th column', dataset: 'main', slices: ['32:36,::64'], steps: ['raw'] },
  { title: 'a value that fills rows', dataset: 'main', slices: ['36:40'], steps: ['json'] },
  { title: 'a batch of three slices', dataset: 'main', slices: ['44', '45:47', '47,::4'], steps: ['batch'] },
  { title: 'a megabyte, nearly', dataset: 'second', slices: ['4:16'], steps: ['raw'] },
  { title: 'commit, none and flush in turn', dataset: 'second', slices: ['0:4'], steps: ['raw', 'none', 'flush'] },
];

const skip = unlessDisks();
const random = seededRandom(SEED);
const readyMs: number[] = [];
let room: DiskRoom;
if (!skip) {
  room = new DiskRoom();
  t.teardown(() => room.close());
}

t.test('the disk keeps what was flushed and forgets what was not', { skip }, async t => {
  const image = room.format('plain.img');
  let disk = await ForgetfulDisk.start(room, image);
  const file = (name: string): string => path.join(disk.folder, name);
  fs.writeFileSync(file('flushed'), 'kept', { flush: true });
  const position = disk.position();
  fs.writeFileSync(file('flushed'), 'lost');
  fs.writeFileSync(file('forgotten'), 'lost');
  t.ok(position > 0, `${position} writes and flushes arrived`);
  await disk.cut();
  disk = await ForgetfulDisk.start(room, image);
  t.equal(fs.readFileSync(file('flushed'), 'utf8'), 'kept');
  t.notOk(fs.existsSync(file('forgotten')));
  fs.writeFileSync(file('unplugged'), 'kept');
  await disk.unplug();
  disk = await ForgetfulDisk.start(room, image);
  t.equal(fs.readFileSync(file('unplugged'), 'utf8'), 'kept', 'an unmount flushes');
  await disk.cut();
  t.ok(isWhole(image), 'e2fsck agrees');
});

t.test(`${ROUNDS} times the power is cut under load`, { skip }, async t => {
  const image = room.format('live.img');
  let oracle: Oracle | undefined;
  for (let round = 0; round <= ROUNDS; round++) {
    const disk = await ForgetfulDisk.start(room, image);
    const started = performance.now();
    const server = await startOn(disk.folder);
    if (round > 0) readyMs.push(performance.now() - started);
    try {
      if (oracle) await oracle.check(server, `after cut ${round}`);
      else {
        await makeArrays(server);
        oracle = new Oracle({ hasBatches: await hasBatches(server), writers: WRITERS });
      }
      if (round < ROUNDS) await loadUntilCut({ disk, server, oracle, diskFirst: round % 2 === 1 });
    } finally {
      await server.stop('SIGKILL');
      await disk.cut();
    }
    tell(t, oracle.faults.splice(0), round === 0 ? 'before the first cut' : `after cut ${round}`);
  }
  figure(t, 'power cut under load, rounds', ROUNDS);
  figure(t, 'acknowledged writes in them', oracle!.acks);
});

for (let number = 1; number <= RECORDINGS; number++) {
  t.test(`${CUTS} power cuts replayed from recording ${number}`, { skip }, async t => {
    const recording = await record(room, `recording-${number}`, writesOf(WRITERS));
    const { oracle, whole, recovery, cuts } = recording;
    tell(t, oracle.faults, 'while it was recorded');
    for (const cut of pointsOf(recording, CUTS, random)) {
      const result = await replay(room, recording, cut, random);
      tell(t, result.faults, `cut ${cut} of ${whole.from}..${whole.to}`);
      if (result.readyMs !== undefined) readyMs.push(result.readyMs);
    }
    cuts.close();
    t.ok(
      oracle.blocks.every(({ acks }) => acks > 0),
      `${oracle.acks} acknowledged, by every writer`,
    );
    figure(t, `recording ${number}: writes and flushes of the disk`, whole.to - whole.from);
    figure(t, `recording ${number}: of which in a recovery`, recovery.to - recovery.from);
    figure(t, `recording ${number}: acknowledged writes`, oracle.acks);
    figure(t, `recording ${number}: replayed cuts`, CUTS);
  });
}

t.test('the service is back soon', { skip }, async t => {
  t.ok(quantile(readyMs, 1) < READY_MS_MAX);
  figure(t, 'ready after a power cut, median', inMs(quantile(readyMs, 0.5)));
  figure(t, 'ready after a power cut, longest', inMs(quantile(readyMs, 1)));
});

/** The disk dies in the middle of it; or the service does, and the disk with it. */
async function loadUntilCut(live: { disk: ForgetfulDisk; server: TestServer; oracle: Oracle; diskFirst: boolean }) {
  const { disk, server, oracle, diskFirst } = live;
  const clients = runLoad(server, oracle);
  await someAcks(oracle);
  await sleep(random.integer(0, LOAD_MS_MAX));
  const before = oracle.faults.length;
  if (diskFirst) {
    disk.kill();
    await sleep(50);
  }
  server.child.kill('SIGKILL');
  disk.kill();
  await Promise.all(clients);
  // Without a disk the service may refuse everything. What it confirms then is compared with what is on the disk.
  const isRefusal = (fault: string): boolean => diskFirst && /: 50[37] \{/.test(fault);
  oracle.faults.push(...oracle.faults.splice(before).filter(fault => !isRefusal(fault)));
}

function tell(t: Test, faults: readonly string[], when: string): void {
  t.strictSame(faults.slice(0, 5), [], `${when}: ${faults.length} faults`);
}

/**
 * Power cuts while arrays grow and shrink, replayed at random points of what a disk was told, with random sectors of the
 * unflushed surviving: what was confirmed is there, whole and once, the header of each file says how long it is, nothing
 * is left behind its end, and the service goes on from there.
 */
import t from 'tap';
import { seededRandom } from '../helpers/random.js';
import { DiskRoom, unlessDisks } from './disk/forgetful-disk.js';
import { GROWTH_ENV, growOnce, GrowthOracle, makeGrowing, runGrowth } from './growth-load.js';
import { figure, inMs, quantile, rounds } from './harness.js';
import { pointsOf, record, replay, type Work } from './recording.js';

const RECORDINGS = rounds(1, 4);
const CUTS = rounds(7, 50);
const SEED = 1;

const skip = unlessDisks();
const random = seededRandom(SEED);
let room: DiskRoom;
if (!skip) {
  room = new DiskRoom();
  t.teardown(() => room.close());
}

const growth: Work<GrowthOracle> = {
  begin: async (server, position) => new GrowthOracle(await makeGrowing(server), position),
  run: (server, oracle) => runGrowth(server, oracle, random),
  flushed: 'rows',
  env: GROWTH_ENV,
  async writeOnce(server, oracle) {
    for (const block of oracle.blocks) {
      const isDone = await growOnce(server, oracle, block, 'few', random);
      if (!isDone) oracle.faults.push(`${block.plan.name}: nothing can be appended after the cut`);
    }
    await oracle.check(server, 'after an append behind the cut');
  },
};

for (let number = 1; number <= RECORDINGS; number++) {
  t.test(`${CUTS} power cuts replayed from recording ${number}`, { skip }, async t => {
    const recording = await record(room, `growth-${number}`, growth);
    const { oracle, whole, recovery, cuts } = recording;
    t.strictSame(oracle.faults.slice(0, 5), [], `while it was recorded: ${oracle.faults.length} faults`);
    const readyMs: number[] = [];
    for (const cut of pointsOf(recording, CUTS, random)) {
      const result = await replay(room, recording, cut, random);
      t.strictSame(result.faults.slice(0, 5), [], `cut ${cut} of ${whole.from}..${whole.to}`);
      if (result.readyMs !== undefined) readyMs.push(result.readyMs);
    }
    cuts.close();
    t.ok(
      oracle.blocks.every(({ acks }) => acks > 0),
      `${oracle.acks} acknowledged, by every writer`,
    );
    figure(t, `recording ${number}: writes and flushes of the disk`, whole.to - whole.from);
    figure(t, `recording ${number}: of which in a recovery`, recovery.to - recovery.from);
    figure(t, `recording ${number}: acknowledged appends and resizes`, oracle.acks);
    figure(t, `recording ${number}: replayed cuts`, CUTS);
    figure(t, `recording ${number}: ready after a cut, longest`, inMs(quantile(readyMs, 1)));
  });
}

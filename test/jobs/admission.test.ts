/** What a statistic may cost, in which lane it runs, and how many large ones run at once. */
import t from 'tap';
import { Admission, type Cost } from '../../src/jobs/admission.js';
import type { Lane } from '../../src/jobs/turn.js';
import { LIMITS } from '../../src/limits.js';

const MiB = 2 ** 20;
const NO_LIMITS = { statisticsBytesMax: 0, statisticsRunningMax: 2, jobBytesMax: 0 };

function costing(bytes: number, more: Partial<Cost> = {}): Cost {
  return { bytes, passes: 1, chunks: 1, cells: 1, groups: 1, ...more };
}

t.test('0 is no limit; any other is one', async t => {
  const free = new Admission(NO_LIMITS);
  t.doesNotThrow(() => free.check(costing(Number.MAX_SAFE_INTEGER), 'call'));
  const bounded = new Admission({ ...NO_LIMITS, statisticsBytesMax: 100, jobBytesMax: 1000 });
  t.doesNotThrow(() => bounded.check(costing(100, { passes: 2 }), 'call'));
  t.throws(() => bounded.check(costing(102, { passes: 2 }), 'call'), {
    code: 'too_large',
    values: { limit: 100, asked: 102, passes: 2 },
    message: /102 bytes in 2 passes; a call may read 100.*respond-async/,
  });
  t.doesNotThrow(() => bounded.check(costing(1000), 'job'));
  t.throws(() => bounded.check(costing(1001), 'job'), { code: 'too_large', values: { limit: 1000 } });
  try {
    bounded.check(costing(1001), 'call');
    t.fail('is refused');
  } catch (error) {
    t.notMatch((error as Error).message, /respond-async/, 'a job would be refused as well');
  }
});

t.test('cells and groups are bounded together', async t => {
  const admission = new Admission(NO_LIMITS);
  t.doesNotThrow(() => admission.check(costing(1, { cells: LIMITS.cellsMax, groups: 1 }), 'call'));
  t.throws(() => admission.check(costing(1, { cells: 1024, groups: 1025 }), 'job'), {
    code: 'too_large',
    values: { limit: LIMITS.cellsMax, asked: 1024 * 1025 },
  });
});

t.test('small statistics are interactive, until a call has asked for many of them; jobs never are', async t => {
  const admission = new Admission(NO_LIMITS);
  const laneOf = (kind: 'call' | 'job', cost: Cost, bytesBefore = 0): Promise<Lane> =>
    admission.run({ kind, cost, bytesBefore }, async lane => lane);
  t.equal(await laneOf('call', costing(64 * MiB)), 'interactive');
  t.equal(await laneOf('call', costing(64 * MiB + 1)), 'bulk');
  t.equal(await laneOf('call', costing(96 * MiB, { passes: 3 })), 'bulk');
  t.equal(await laneOf('call', costing(1, {}), 64 * MiB), 'bulk');
  t.equal(await laneOf('job', costing(1)), 'bulk');
});

t.test('one client has a share of the places, and its statistics do not wait for those of another', async t => {
  const admission = new Admission({ ...NO_LIMITS, statisticsRunningMax: 4 }, 0.75, { waitMs: 60_000, waitersMax: 4 });
  const ends: (() => void)[] = [];
  const started: string[] = [];
  const ask = (id: string): Promise<void> => {
    const work = (): Promise<void> => {
      started.push(id);
      return new Promise(resolve => ends.push(resolve));
    };
    return admission.run({ kind: 'call', cost: costing(65 * MiB), client: { id, share: 0.75 } }, work);
  };
  const all = Array.from({ length: 6 }, () => ask('ann'));
  await t.rejects(ask('ann'), { code: 'busy' }, 'nor does one client have all of the line');
  all.push(ask('bob'));
  await new Promise(setImmediate);
  t.strictSame(started, ['ann', 'ann', 'ann', 'bob']);
  all.push(ask('bob'));
  ends.shift()!();
  await new Promise(setImmediate);
  t.strictSame(started.slice(4), ['bob'], 'who has fewer goes first');
  while (ends.length > 0) {
    ends.shift()!();
    // oxlint-disable-next-line no-await-in-loop
    await new Promise(setImmediate);
  }
  await Promise.all(all);
  t.match(admission, { running: 0, waiting: 0 });
});

t.test('large calls wait for a place, within bounds, and give it back whatever happens', async t => {
  const admission = new Admission(NO_LIMITS, 1, { waitMs: 50, waitersMax: 1 });
  const large = { kind: 'call', cost: costing(65 * MiB) } as const;
  const ends: (() => void)[] = [];
  const first = admission.run(large, () => new Promise<void>(resolve => ends.push(resolve)));
  const second = admission.run(large, () => new Promise<void>((_, reject) => ends.push(() => reject(new Error('no')))));
  const third = admission.run(large, async () => 'ran');
  await new Promise(setImmediate);
  t.match(admission, { running: 2, waiting: 1 });
  await t.rejects(
    admission.run(large, async () => 'ran'),
    {
      code: 'busy',
      values: { limit: 2, running: 2, waiting: 1 },
    },
  );
  t.equal(await admission.run({ kind: 'call', cost: costing(1) }, async () => 'small'), 'small');
  t.equal(await admission.run({ kind: 'job', cost: costing(65 * MiB) }, async () => 'job'), 'job');
  ends[1]!();
  await t.rejects(second, { message: 'no' });
  t.equal(await third, 'ran');
  const late = [admission.run<unknown>(large, () => first), admission.run(large, async () => 'late')];
  await t.rejects(late[1]!, { code: 'busy' }, 'not for ever');
  ends[0]!();
  await Promise.all([first, late[0]]);
  t.match(admission, { running: 0, waiting: 0 });
});

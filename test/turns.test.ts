/** Turns on the event loop: in the order of asking, and never two without the rest of the loop between them. */
import { setImmediate as afterLoop } from 'node:timers/promises';
import t from 'tap';
import { collectTurns, nextTurn, runTurns } from '../src/turns.js';

t.test('one turn at a time, each behind those that were asked for before', async t => {
  const seen: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      seen.push(`${name}${i}`);
    }
  };
  const all = Promise.all(['a', 'b', 'c'].map(work));
  const perLoop: number[] = [];
  for (let before = 0; seen.length < 9; before = seen.length) {
    await afterLoop();
    perLoop.push(seen.length - before);
  }
  await all;
  t.strictSame(seen, ['a0', 'b0', 'c0', 'a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
  t.ok(Math.max(...perLoop) <= 1, `turns in one pass of the loop: ${perLoop.join(', ')}`);
});

t.test('a generator of one step takes no turn', async t => {
  const isDone = { now: false };
  // oxlint-disable-next-line require-yield
  const steps = function* (): Generator<void, number> {
    return 7;
  };
  void runTurns(steps()).then(() => (isDone.now = true));
  await Promise.resolve();
  await Promise.resolve();
  t.ok(isDone.now);
  t.strictSame(await collectTurns([1, 2, 3].values() as Generator<number, void>), [1, 2, 3]);
});

/** Memory that is found to be needed: in steps, within the budget, and given back whole. */
import t from 'tap';
import { ByteBudget } from '../../src/budget.js';
import { GrowingMemory } from '../../src/jobs/growing-memory.js';

const MiB = 2 ** 20;
const { signal } = new AbortController();

t.test('it is taken in steps, small tables pay nothing, and all of it is given back', async t => {
  const budget = new ByteBudget(8 * MiB);
  const memory = new GrowingMemory(budget, 0, signal);
  await memory.reach(100_000);
  t.equal(budget.usedBytes, 0);
  await memory.reach(MiB + 1);
  t.equal(budget.usedBytes, 1.25 * MiB);
  await memory.reach(MiB);
  t.equal(memory.reach(1.25 * MiB), undefined, 'it is there already');
  await memory.reach(3 * MiB);
  t.equal(budget.usedBytes, 3 * MiB);
  memory.release(2 * MiB);
  t.equal(budget.usedBytes, 2 * MiB);
  memory.release();
  memory.release();
  t.equal(budget.usedBytes, 0);
});

t.test('more than there is in all is refused at once, what others hold is waited for', async t => {
  const budget = new ByteBudget(8 * MiB, { waitMs: 50, waitersMax: 1 });
  const base = await budget.take(2 * MiB);
  const memory = new GrowingMemory(budget, 2 * MiB, signal);
  await memory.reach(5 * MiB);
  await t.rejects(memory.reach(6 * MiB + 1)!, {
    code: 'too_large',
    values: { limit: 8 * MiB, asked: 8 * MiB + 1 },
  });
  await memory.reach(5.9 * MiB);
  t.equal(budget.usedBytes, 8 * MiB);
  const another = new GrowingMemory(budget, 0, signal);
  await t.rejects(another.reach(MiB)!, { code: 'busy', values: { limit: 8 * MiB, asked: MiB } });
  const waiting = another.reach(2 * MiB);
  memory.release();
  await waiting;
  t.equal(budget.usedBytes, 4 * MiB);
  another.release();
  base();
  t.equal(budget.usedBytes, 0);
});

t.test('nothing is taken for whoever has gone', async t => {
  const budget = new ByteBudget(8 * MiB);
  const controller = new AbortController();
  const memory = new GrowingMemory(budget, 0, controller.signal);
  controller.abort();
  await t.rejects(memory.reach(MiB)!, { code: 'cancelled' });
  t.equal(budget.usedBytes, 0);
});

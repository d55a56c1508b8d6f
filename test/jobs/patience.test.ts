/** Memory for jobs: they wait for it as long as it takes, and not when nobody wants them any more. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { ByteBudget } from '../../src/budget.js';
import { takePatiently } from '../../src/jobs/patience.js';

t.test('a job takes its turn in the line as often as it has to', async t => {
  const budget = new ByteBudget(10, { waitMs: 1, waitersMax: 1 });
  const release = await budget.take(10);
  const taking = takePatiently(budget, 5, new AbortController().signal);
  setTimeout(release, 50);
  (await taking)();
  t.equal(budget.usedBytes, 0);
});

t.test('one that is cancelled between two turns asks no more', async t => {
  const budget = new ByteBudget(10, { waitMs: 1, waitersMax: 0 });
  const release = await budget.take(10);
  const controller = new AbortController();
  const taking = takePatiently(budget, 5, controller.signal);
  await nextTurn();
  controller.abort();
  release();
  await t.rejects(taking, { code: 'cancelled' });
  t.equal(budget.usedBytes, 0);
});

t.test('what is larger than all memory is refused at once', async t => {
  await t.rejects(takePatiently(new ByteBudget(10), 11, new AbortController().signal), { code: 'too_large' });
});

t.test('one that is cancelled in the line leaves it at once', async t => {
  const budget = new ByteBudget(10, { waitMs: 1_000_000, waitersMax: 1 });
  await budget.take(10);
  const controller = new AbortController();
  const taking = takePatiently(budget, 5, controller.signal);
  await nextTurn();
  controller.abort();
  await t.rejects(taking, { code: 'cancelled' });
  t.equal(budget.waiting, 0);
});

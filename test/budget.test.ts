import t from 'tap';
import { ByteBudget } from '../src/budget.js';

/** Lets everything that is ready happen. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

t.test('what is larger than the whole is refused at once', async t => {
  const budget = new ByteBudget(10);
  await t.rejects(budget.take(11), { code: 'too_large', values: { limit: 10, asked: 11 } });
  t.equal(budget.usedBytes, 0);
});

t.test('what does not fit waits in line, first come, first served', async t => {
  const budget = new ByteBudget(10);
  const order: string[] = [];
  const first = await budget.take(8);
  const large = budget.take(10).then(release => {
    order.push('large');
    return release;
  });
  const small = budget.take(1).then(release => {
    order.push('small');
    return release;
  });
  t.equal(budget.tryTake(1), undefined, 'nobody overtakes');
  await turn();
  t.strictSame(order, []);
  t.equal(budget.waiting, 2);
  first();
  first();
  await turn();
  t.strictSame(order, ['large'], 'a release counts once');
  (await large)();
  await turn();
  t.strictSame(order, ['large', 'small']);
  (await small)();
  t.equal(budget.usedBytes, 0);
});

t.test('the line is bounded in length and in time, and who gives up makes room for those behind', async t => {
  const budget = new ByteBudget(10, { waitMs: 50, waitersMax: 2 });
  const release = await budget.take(5);
  const tooMuch = t.rejects(budget.take(6), { code: 'busy' });
  const behind = budget.take(5);
  await t.rejects(budget.take(1), { code: 'busy' }, 'a third has no place');
  await tooMuch;
  (await behind)();
  release();
  t.equal(budget.usedBytes, 0);
  t.equal(budget.waiting, 0);
});

t.test('work that fails gives its bytes back', async t => {
  const budget = new ByteBudget(10);
  await t.rejects(
    budget.with(10, () => Promise.reject(new Error('failed'))),
    { message: 'failed' },
  );
  t.equal(budget.usedBytes, 0);
});

t.test('whoever is not waited for any more leaves the line at once, and those behind move up', async t => {
  const budget = new ByteBudget(10, { waitMs: 1_000_000, waitersMax: 2 });
  const release = await budget.take(5);
  const controller = new AbortController();
  const gone = budget.take(6, controller.signal);
  const behind = budget.take(5);
  controller.abort();
  await t.rejects(gone, { code: 'cancelled' });
  (await behind)();
  await t.rejects(budget.take(1, controller.signal), { code: 'cancelled' }, 'nor does it get in');
  release();
  t.match(budget, { usedBytes: 0, waiting: 0 });
});

t.test('a signal that fires later takes nothing from whoever was let in', async t => {
  const budget = new ByteBudget(10);
  const controller = new AbortController();
  const first = await budget.take(10);
  const second = budget.take(10, controller.signal);
  first();
  const release = await second;
  controller.abort();
  t.match(budget, { usedBytes: 10, waiting: 0 });
  release();
  t.equal(budget.usedBytes, 0);
});

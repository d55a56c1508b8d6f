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

t.test('the requests of one client leave room for others, and wait for themselves', async t => {
  const budget = new ByteBudget(100, undefined, 0.75);
  const [ann, bob] = [budget.of('ann'), budget.of('bob')];
  const releases = await Promise.all([ann.take(40), ann.take(30)]);
  t.equal(ann.tryTake(10), undefined, 'over her share, though there is room');
  const waiting = ann.take(10);
  await turn();
  t.equal(budget.waiting, 1);
  const others = bob.tryTake(20);
  t.ok(others, 'nobody else waits behind her');
  t.equal(budget.usedBytes, 90);
  releases[1]();
  const late = await waiting;
  for (const release of [releases[0], others!, late]) release();
  t.equal(budget.usedBytes, 0);
  t.equal(budget.waiting, 0);
});

t.test('one request alone may take the whole, also in steps', async t => {
  const budget = new ByteBudget(100, undefined, 0.5);
  const ann = budget.of('ann');
  const first = await ann.take(60);
  const second = await ann.take(40, undefined, 60);
  t.equal(budget.usedBytes, 100);
  first();
  second();
  (await ann.take(100))();
});

t.test('of those who wait the one goes first whose client holds least', async t => {
  const budget = new ByteBudget(100, undefined, 0.75);
  const order: string[] = [];
  const all = await budget.take(100);
  const take = async (client: string, bytes: number): Promise<void> => {
    const release = await budget.of(client).take(bytes);
    order.push(`${client} ${bytes}`);
    setImmediate(release);
  };
  const waiting = [take('ann', 50), take('ann', 20), take('ann', 4), take('bob', 30), take('cy', 60)];
  await turn();
  all();
  await Promise.all(waiting);
  // When the first of hers is back, she holds as little as he does, and was there before.
  t.strictSame(order, ['ann 50', 'bob 30', 'ann 20', 'cy 60', 'ann 4']);
  await turn();
  t.equal(budget.usedBytes, 0);
});

t.test('a client has a share of the line, too', async t => {
  const budget = new ByteBudget(100, { waitMs: 10_000, waitersMax: 4 }, 0.5);
  const all = await budget.take(100);
  const ann = budget.of('ann');
  const waiting = [ann.take(1), ann.take(1)];
  await t.rejects(ann.take(1), { code: 'busy' });
  waiting.push(budget.of('bob').take(1));
  await turn();
  t.equal(budget.waiting, 3);
  all();
  for (const release of await Promise.all(waiting)) release();
  t.equal(budget.usedBytes, 0);
});

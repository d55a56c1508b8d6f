import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { ReadWriteLock } from '../../src/file/lock.js';
import { LIMITS } from '../../src/limits.js';
import { seededRandom } from '../helpers/random.js';

t.test('a writer is alone, readers are together, and everybody gets in', async t => {
  const random = seededRandom(6);
  const lock = new ReadWriteLock();
  let readers = 0;
  let writers = 0;
  let together = 0;
  const pause = async (): Promise<void> => {
    for (let turns = random.integer(0, 3); turns > 0; turns--) await nextTurn();
  };
  const work = Array.from({ length: 400 }, async (_, i) => {
    await pause();
    if (i % 4 === 0) {
      await lock.withWrite(async () => {
        writers++;
        if (writers !== 1 || readers !== 0) t.fail('a writer was not alone');
        await pause();
        writers--;
      });
    } else {
      await lock.withRead(async () => {
        readers++;
        together = Math.max(together, readers);
        if (writers !== 0) t.fail('a reader met a writer');
        await pause();
        readers--;
      });
    }
  });
  await Promise.all(work);
  t.ok(together > 1, 'readers were inside together');
  t.equal(await lock.withWrite(() => 'free'), 'free', 'in the end');
});

t.test('a reader that comes behind a waiting writer waits for it', async t => {
  const lock = new ReadWriteLock();
  const order: string[] = [];
  let letGo!: () => void;
  const first = lock.withRead(() => new Promise<void>(resolve => (letGo = resolve)));
  const write = lock.withWrite(() => void order.push('write'));
  t.notOk(lock.isOpenToReaders);
  const read = lock.withRead(() => void order.push('read'));
  t.strictSame(order, [], 'while the first reader reads');
  letGo();
  await Promise.all([first, write, read]);
  t.strictSame(order, ['write', 'read']);
});

t.test('an error inside lets go of the lock', async t => {
  const lock = new ReadWriteLock();
  await t.rejects(
    lock.withWrite(() => {
      throw new Error('inside');
    }),
  );
  t.equal(await lock.withWrite(() => 'free'), 'free');
});

t.test('the line for one file is bounded, and whoever had a place in it gets in', async t => {
  const lock = new ReadWriteLock();
  let done = 0;
  let open: () => void;
  const first = lock.withWrite(() => new Promise<void>(resolve => (open = resolve)));
  const line = Array.from({ length: LIMITS.lockWaitersMax }, () => lock.withRead(() => done++));
  await t.rejects(
    lock.withRead(() => done++),
    { code: 'busy' },
  );
  // What a writer brings is committed already, and there is one at a time.
  const writer = lock.withWrite(() => done++);
  open!();
  await Promise.all([first, writer, ...line]);
  t.equal(done, LIMITS.lockWaitersMax + 1);
  t.equal(lock.isOpenToReaders, true);
});

t.test('one client has a share of the line, and the rest is for others', async t => {
  const lock = new ReadWriteLock();
  let open: () => void;
  const first = lock.withWrite(() => new Promise<void>(resolve => (open = resolve)));
  const read = (id: string): Promise<void> => lock.withRead(() => undefined, { client: { id, share: 0.75 } });
  const line = Array.from({ length: LIMITS.lockWaitersMax * 0.75 }, () => read('ann'));
  await t.rejects(read('ann'), { code: 'busy' });
  line.push(read('bob'));
  open!();
  await Promise.all([first, ...line]);
});

t.test('a reader or writer that gives up leaves the line, and a writer lets the readers behind it in', async t => {
  const lock = new ReadWriteLock();
  const order: string[] = [];
  const [controller, another] = [new AbortController(), new AbortController()];
  let letGo!: () => void;
  const first = lock.withRead(() => new Promise<void>(resolve => (letGo = resolve)));
  const writer = lock.withWrite(() => void order.push('write'), another.signal);
  const reader = lock.withRead(() => void order.push('given up'), { signal: controller.signal });
  const behind = lock.withRead(() => void order.push('read'));
  controller.abort();
  another.abort();
  await Promise.all([t.rejects(writer, { code: 'cancelled' }), t.rejects(reader, { code: 'cancelled' }), behind]);
  t.strictSame(order, ['read']);
  await t.rejects(
    lock.withRead(() => void order.push('late'), { signal: controller.signal }),
    { code: 'cancelled' },
  );
  letGo();
  await first;
  t.equal(await lock.withWrite(() => 'free'), 'free', 'in the end');
  t.strictSame(order, ['read']);
});

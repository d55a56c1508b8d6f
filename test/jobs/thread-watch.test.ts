/** Threads that cannot be started are asked for again, and waited for only so long. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ThreadWatch } from '../../src/jobs/thread-watch.js';

t.test('a thread that ends is asked for again, once at a time', async t => {
  const seen = { count: 0, starts: 0, givenUp: 0 };
  const watch = new ThreadWatch(
    {
      wanted: 2,
      count: () => seen.count,
      isAnyReady: () => false,
      start: () => void seen.starts++,
      giveUp: () => void seen.givenUp++,
    },
    1_000_000,
  );
  for (let i = 0; i < 100; i++) watch.ended();
  // oxlint-disable-next-line no-await-in-loop
  while (seen.starts === 0) await sleep(20);
  t.equal(seen.starts, 1);
  seen.count = 2;
  await sleep(700);
  t.equal(seen.starts, 1, 'and no more when there are enough');
  t.equal(seen.givenUp, 0, 'patience has not run out');
  watch.close();
});

t.test('it gives up when all starts have failed for a while, and is up again when one has not', t => {
  const seen = { isAnyReady: true, givenUp: 0 };
  const watch = new ThreadWatch(
    {
      wanted: 2,
      count: () => 1,
      isAnyReady: () => seen.isAnyReady,
      start: () => undefined,
      giveUp: () => void seen.givenUp++,
    },
    0,
  );
  for (let i = 0; i < 5; i++) watch.ended();
  t.notOk(watch.isDown, 'a thread is ready');
  watch.ready();
  seen.isAnyReady = false;
  watch.ended();
  watch.ended();
  t.notOk(watch.isDown, 'both may have ended by themselves');
  watch.ended();
  t.ok(watch.isDown);
  t.equal(seen.givenUp, 1);
  watch.ended();
  t.equal(seen.givenUp, 2, 'also what came meanwhile');
  watch.ready();
  t.notOk(watch.isDown);
  watch.close();
  t.end();
});

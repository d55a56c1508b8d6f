/** How fast a job goes, and how long it still takes. */
import t from 'tap';
import { Meter } from '../../src/jobs/progress.js';

const at = (bytes: number, bytesTotal = 10_000) => ({ chunks: bytes / 100, chunksTotal: 100, bytes, bytesTotal });

t.test('nothing is known before something was read', async t => {
  const meter = new Meter(at(0), 0);
  t.strictSame(meter.pace(0), { bytesPerSecond: null, secondsLeft: null });
  t.strictSame(meter.pace(5000), { bytesPerSecond: null, secondsLeft: null });
});

t.test('the rate is that since it began, then that of the last seconds', async t => {
  const meter = new Meter(at(0), 0);
  meter.restart(10_000);
  meter.update(at(100), 10_100);
  t.strictSame(meter.pace(10_100), { bytesPerSecond: 1000, secondsLeft: 9.9 });
  for (let ms = 10_200; ms <= 13_000; ms += 100) meter.update(at(ms - 10_000), ms);
  t.strictSame(meter.pace(13_000), { bytesPerSecond: 1000, secondsLeft: 7 });
  // Ten times slower from here on: known after two seconds at most.
  for (let ms = 13_100; ms <= 15_200; ms += 100) meter.update(at(3000 + (ms - 13_000) / 10), ms);
  t.equal(Math.round(meter.pace(15_200).bytesPerSecond!), 100);
  t.equal(meter.average(15_200).bytesPerSecond, (3220 * 1000) / 5200);
});

t.test('a job that stands still slows down, and one that has read more than planned has no time left', async t => {
  const meter = new Meter(at(0), 0);
  meter.update(at(1000), 1000);
  meter.update(at(2000), 2000);
  t.equal(meter.pace(2000).bytesPerSecond, 1000);
  t.equal(meter.pace(4000).bytesPerSecond, 1000 / 3);
  meter.update(at(12_000), 12_000);
  t.equal(meter.pace(12_000).secondsLeft, 0);
});

t.test('totals may grow', async t => {
  const meter = new Meter(at(0, 1000), 0);
  meter.update(at(500, 2000), 500);
  t.strictSame(meter.pace(500), { bytesPerSecond: 1000, secondsLeft: 1.5 });
  t.equal(meter.progress.bytesTotal, 2000);
});

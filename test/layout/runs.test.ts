import t from 'tap';
import { coveringRuns } from '../../src/layout/runs.js';
import { packedView, sizeOf } from '../../src/layout/view.js';
import { seededRandom } from '../helpers/random.js';
import { offsetsOf, randomView } from './model.js';

const EVERYTHING = { start: 0, end: Number.MAX_SAFE_INTEGER };

t.test('covering runs hold every byte of a view inside the bounds, ascend, and are few', async t => {
  const faults: string[] = [];
  const random = seededRandom(41);
  for (let i = 0; i < 3000; i++) {
    const itemsize = random.pick([1, 2, 4, 8]);
    const { view, fileBytes } = randomView(random, itemsize);
    const start = random.integer(0, fileBytes);
    const within = random.next() < 0.3 ? EVERYTHING : { start, end: start + random.integer(0, fileBytes) };
    const bounds = { gapBytesMax: random.integer(0, 40), runsMax: random.integer(1, 30) };
    const runs = coveringRuns(view, itemsize, within, bounds);
    const said = JSON.stringify({ view, itemsize, within, bounds, runs });
    const wanted = sizeOf(view.shape) === 0 ? [] : offsetsOf(view);
    const missed = wanted
      .flatMap(offset => Array.from({ length: itemsize }, (_, byte) => offset + byte))
      .filter(byte => byte >= within.start && byte < within.end)
      .filter(byte => !runs.some(run => byte >= run.start && byte < run.end));
    if (missed.length > 0) faults.push(`bytes ${missed.join()} are missed: ${said}`);
    if (runs.length > bounds.runsMax) faults.push(`too many: ${said}`);
    let end = within.start;
    for (const run of runs) {
      if (run.start < end || run.end <= run.start || run.end > within.end)
        faults.push(`not in order, or outside: ${said}`);
      ({ end } = run);
    }
  }
  t.strictSame(faults.slice(0, 5), [], '3,000 views');
});

t.test('rows far apart stay apart, and a column of a large array costs no more than it is asked for', async t => {
  const bounds = { gapBytesMax: 10, runsMax: 4 };
  const rows = { shape: [3, 10], strides: [1000, 4], offset: 8 };
  t.strictSame(coveringRuns(rows, 4, EVERYTHING, bounds), [
    { start: 8, end: 48 },
    { start: 1008, end: 1048 },
    { start: 2008, end: 2048 },
  ]);
  const array = packedView([10 ** 9, 1000], 4, 'C', 0);
  const column = { shape: [10 ** 9], strides: [array.strides[0]!], offset: 20 };
  const within = { start: 4000 * 10 ** 6, end: 4000 * 10 ** 6 + 9000 };
  t.strictSame(
    coveringRuns(column, 4, within, bounds),
    [20, 4020, 8020].map(offset => ({ start: within.start + offset, end: within.start + offset + 4 })),
  );
  t.strictSame(coveringRuns(column, 4, EVERYTHING, bounds), [{ start: 20, end: 4000 * (10 ** 9 - 1) + 24 }]);
});

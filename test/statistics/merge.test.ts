import { test } from 'tap';
import { parseDType } from '../../src/dtype.js';
import { packedView } from '../../src/layout/view.js';
import { parseQuery, planStatistics, type StatisticsResult } from '../../src/statistics/index.js';
import { addPairTo, combineSquares } from '../../src/statistics/kernels/combine.js';
import { exactInteger } from '../../src/statistics/exact.js';
import { computePlan, sourceFrom } from '../../src/statistics/run.js';
import { integerBelow, randomOf } from './cases.js';

const BOUNDS = { chunkBytesMax: 4000, chunkSpanBytesMax: 1e9, tileBytesMax: 900, chunkCellsMax: 16 };

/** Partials computed in a shuffled order. */
function computeShuffled(seed: number): StatisticsResult {
  const dtype = parseDType('<f8');
  const view = packedView([40, 30, 20], 8, 'C', 0);
  const random = randomOf(7);
  const values = Float64Array.from({ length: 24_000 }, () => (random() - 0.5) * 10 ** (6 * random()));
  const query = parseQuery({ ops: ['sum', 'mean', 'var', 'std', 'prod', 'argmin', 'ptp'], axis: 1 }, 3);
  const plan = planStatistics(query, dtype, view, { bounds: BOUNDS });
  const shuffle = randomOf(seed);
  return computePlan(plan, [sourceFrom(new Uint8Array(values.buffer))], numbers => {
    const order = [...numbers];
    for (let i = order.length - 1; i > 0; i--) {
      const j = integerBelow(shuffle, i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  });
}

test('the answer has the same bits in whatever order chunks were computed', async t => {
  const first = computeShuffled(1);
  for (let seed = 2; seed < 8; seed++) {
    for (const [i, result] of computeShuffled(seed).results.entries()) {
      const expected = first.results[i]!.values as Float64Array;
      const actual = result.values as Float64Array;
      t.same(new BigUint64Array(actual.buffer), new BigUint64Array(expected.buffer), result.op);
    }
  }
});

test('sums of 10^12 extreme integers are exact', async t => {
  // Partials as chunks of a million elements make them: sums below 2 ** 53.
  const sum = new Float64Array(1);
  const rest = new Float64Array(1);
  const value = (2 ** 32 - 1) * 1_048_575 + 1;
  for (let i = 0; i < 1_000_000; i++) addPairTo(sum, rest, 0, value, 0);
  t.equal(exactInteger(sum[0]!, rest[0]), BigInt(value) * 1_000_000n);
  for (let i = 0; i < 1_000_000; i++) addPairTo(sum, rest, 0, -value, 0);
  t.equal(exactInteger(sum[0]!, rest[0]), 0);
});

test('squares of two sets combine to those of both', async t => {
  t.equal(combineSquares(0, Number.NaN, 0, 3, 2, 5), 5);
  t.equal(combineSquares(3, 2, 5, 0, Number.NaN, 0), 5);
  // [1, 3] and [5, 9]: means 2 and 7, squares 2 and 8; of all four: mean 4.5, squares 35.
  t.equal(combineSquares(2, 2, 2, 2, 7, 8), 35);
  t.equal(combineSquares(2, 1e300, 0, 2, -1e300, 0), Number.POSITIVE_INFINITY);
  t.ok(Number.isNaN(combineSquares(2, 1, Number.NaN, 2, 3, 0)));
});

import { test } from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { packedView } from '../../src/layout/view.js';
import {
  computePlan,
  parseQuery,
  planStatistics,
  sourceFrom,
  type StatisticsResult,
} from '../../src/statistics/index.js';
import { seededRandom } from '../helpers/random.js';
import { addPairTo } from '../../src/statistics/accumulators/sum.js';
import { combineMoments, type MomentFields } from '../../src/statistics/accumulators/moments.js';
import { exactInteger } from '../../src/statistics/accumulators/accumulator.js';

const BOUNDS = { chunkBytesMax: 4000, chunkSpanBytesMax: 1e9, tileBytesMax: 900, chunkCellsMax: 16 };

/** Partials computed in a shuffled order. */
function computeShuffled(seed: number): StatisticsResult {
  const dtype = numberDType('<f8');
  const view = packedView([40, 30, 20], 8, 'C', 0);
  const random = seededRandom(7);
  const values = Float64Array.from({ length: 24_000 }, () => (random.next() - 0.5) * 10 ** (6 * random.next()));
  const query = parseQuery({ ops: ['sum', 'mean', 'var', 'std', 'prod', 'argmin', 'ptp'], axis: 1 }, 3);
  const plan = planStatistics(query, dtype, view, { bounds: BOUNDS });
  const shuffle = seededRandom(seed);
  return computePlan(plan, [sourceFrom(new Uint8Array(values.buffer))], numbers => {
    const order = [...numbers];
    for (let i = order.length - 1; i > 0; i--) {
      const j = shuffle.below(i + 1);
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

/** Count, mean and squares of one cell. */
function momentsOf(count: number, mean: number, m2: number): MomentFields {
  const [a, b, c, d] = [count, mean, 0, m2].map(value => Float64Array.of(value)) as [
    ...[Float64Array, Float64Array, Float64Array, Float64Array],
  ];
  return { count: a, mean: b, meanRest: c, m2: d };
}

function combined(a: MomentFields, b: MomentFields): { mean: number; m2: number } {
  combineMoments(a, 0, b, 0, 1);
  return { mean: a.mean[0]! + a.meanRest[0]!, m2: a.m2[0]! };
}

test('moments of two sets combine to those of both', async t => {
  t.strictSame(combined(momentsOf(0, 0, 0), momentsOf(3, 2, 5)), { mean: 2, m2: 5 });
  t.strictSame(combined(momentsOf(3, 2, 5), momentsOf(0, 0, 0)), { mean: 2, m2: 5 });
  // [1, 3] and [5, 9]: means 2 and 7, squares 2 and 8; of all four: mean 4.5, squares 35.
  t.strictSame(combined(momentsOf(2, 2, 2), momentsOf(2, 7, 8)), { mean: 4.5, m2: 35 });
  t.equal(combined(momentsOf(2, 1e300, 0), momentsOf(2, -1e300, 0)).m2, Number.POSITIVE_INFINITY);
  t.ok(Number.isNaN(combined(momentsOf(2, 1, Number.NaN), momentsOf(2, 3, 0)).m2));
});

test('means of many sets keep what a double cannot hold', async t => {
  // Each set has one element, a tenth of a unit in the last place from the others.
  const all = momentsOf(1, 2 ** 53, 0);
  for (let count = 1; count < 1000; count++) {
    all.count[0] = count;
    combineMoments(all, 0, { ...momentsOf(1, 2 ** 53, 0), meanRest: Float64Array.of(0.1) }, 0, 1);
  }
  t.equal(all.mean[0], 2 ** 53);
  t.ok(Math.abs(all.meanRest[0]! - 0.0999) < 1e-12);
});

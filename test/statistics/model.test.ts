import { test } from 'tap';
import { isErrorCode, type ErrorCode } from '../../src/errors.js';
import { computeInProcess, parseQuery } from '../../src/statistics/index.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';
import { makeCase, POSITIONAL, type Case, type CaseOptions } from './cases.js';
import { differenceOf, scaleOf } from './compare.js';
import { expectedOf } from './oracle.js';

/** Undefined, or what is wrong. */
function check(each: Case): string | undefined {
  const query = parseQuery(each.query, each.view.shape.length);
  const expected = expectedOf(query, each.dtype.kind === 'f', each.view.shape, each.values);
  let actual;
  try {
    actual = computeInProcess(query, each.dtype, each.view, each.file, each.bounds);
  } catch (error) {
    if (typeof expected === 'string' && isErrorCode(error, expected as ErrorCode)) return undefined;
    return `${String(error)} instead of ${typeof expected === 'string' ? expected : 'an answer'}`;
  }
  if (typeof expected === 'string') return `an answer instead of ${expected}`;
  const counts = typeof actual.count === 'number' ? [actual.count] : Array.from(actual.count.values, Number);
  const first = expected.counts[0];
  if (expected.counts.some((count, i) => count !== (counts.length === 1 ? counts[0] : counts[i]))) {
    return `count is ${counts.join()} instead of ${expected.counts.join()}`;
  }
  if (typeof actual.count !== 'number' && expected.counts.every(count => count === first)) return 'count is nested';
  for (const result of actual.results) {
    if (result.shape.join() !== expected.shape.join()) return `the shape is ${result.shape.join()}`;
    const difference = differenceOf(result, expected.results[result.op]!, scaleOf(each));
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function differences(count: number, firstSeed: number, options?: CaseOptions): string[] {
  const found: string[] = [];
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const each = makeCase(seededRandom(seed), options);
    const difference = check(each);
    if (difference !== undefined) {
      const { dtype, order, view, query, bounds } = each;
      found.push(
        `seed ${seed}: ${difference}: ${JSON.stringify({ dtype: dtype.typestr, order, view, query, bounds })}`,
      );
    }
  }
  return found;
}

test('small arrays cut into many pieces agree with the model', async t => {
  t.same(differences(caseCount(300, 2500), 1).slice(0, 5), []);
});

/** Without prod, which the model computes in whole numbers of any length. */
const SUMS = 'sum mean var std min max ptp any all count_nonzero'.split(' ');

test('arrays longer than a block agree with the model', async t => {
  const shapes = [
    [9000],
    [150, 700],
    [4, 5000],
    [5000, 3],
    [3000, 9],
    [70, 8, 20],
    [2, 1100, 4],
    [40, 3, 100],
    [10_000, 2],
  ];
  t.same(differences(caseCount(9, 50), 10_000, { shapes, ops: SUMS }).slice(0, 5), []);
});

test('argmin, argmax, first and last agree with the model on arrays longer than a block', async t => {
  const shapes = [[9000], [150, 70], [5000, 3], [3000, 9], [70, 8, 20]];
  t.same(differences(caseCount(5, 25), 20_000, { shapes, ops: [...POSITIONAL, 'min', 'max'] }).slice(0, 5), []);
});

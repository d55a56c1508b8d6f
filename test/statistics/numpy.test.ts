/** Reductions of random selections against numpy, with float64 and object references. */
import { test } from 'tap';
import { HyperslabError } from '../../src/errors.js';
import { computeInProcess, parseQuery } from '../../src/statistics/index.js';
import { NO_NUMPY, PYTHON } from '../helpers/python.js';
import { seededRandom } from '../helpers/random.js';
import { makeCase, type Case } from './cases.js';
import { scaleOf } from './compare.js';
import { askNumpy, LIVE_CASES, liveCases, reductionDifference, type Listed } from './live-numpy.js';

/** numpy's answer for one operation: an array, or the code of the error that it amounts to. */
type Answer = string | Listed;

/** Each operation by itself, so that an error of one does not hide the others. */
function differencesIn(each: Case, numpy: Record<string, Answer>): string[] {
  return each.query.ops.flatMap(op => {
    const answer = numpy[String(op)]!;
    const difference = differenceIn({ ...each, query: { ...each.query, ops: [op] } }, answer);
    return difference === undefined ? [] : [`${difference}: ${JSON.stringify({ ...each.query, view: each.view })}`];
  });
}

function differenceIn(each: Case, answer: Answer): string | undefined {
  try {
    const query = parseQuery(each.query, each.view.shape.length);
    const [result] = computeInProcess(query, each.dtype, each.view, each.file, each.bounds).results;
    if (typeof answer === 'string') return `an answer instead of ${answer}`;
    return reductionDifference(answer, result!, scaleOf(each));
  } catch (error) {
    if (error instanceof HyperslabError && error.code === answer) return undefined;
    return `${String(error)} instead of ${JSON.stringify(answer)}`;
  }
}

test('numpy answers the same', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const asked = Array.from({ length: liveCases('reductions') }, (_, i) => {
    const each = makeCase(seededRandom(50_000 + i));
    return { ...each, asks: each.query };
  });
  const answers = askNumpy<Record<string, Answer>>(t.testdir(), 'reductions', asked);
  const found = asked.flatMap((each, i) =>
    differencesIn(each, answers[i]!).map(text => `case ${i} ${each.dtype.typestr} ${text}`),
  );
  t.same(found.slice(0, 5), []);
});

test('numpy is asked for as many cases as are promised', async t => {
  const sum = Object.values(LIVE_CASES).reduce((total, [, full]) => total + full, 0);
  t.ok(sum >= 3000, `${sum} cases`);
  t.ok(LIVE_CASES.where[1] >= 1200 && LIVE_CASES.groups[1] >= 400);
});

/** Every operation over the rows that random filters keep, sliced in random ways, against numpy's `a[mask][slice]`. */
import t from 'tap';
import { OP_NAMES } from '../../../src/statistics/index.js';
import { caseCount, IS_FULL } from '../../helpers/cases.js';
import { NO_NUMPY, PYTHON } from '../../helpers/python.js';
import { seededRandom } from '../../helpers/random.js';
import { differenceFrom, liveCases } from '../live-numpy.js';
import { askRows, differenceIn, differencesOf, resultsDifference, type LiveAnswers } from './live-rows.js';
import { makeRowCase, type RowCase } from './row-cases.js';
import { textOf } from './run-row-case.js';

interface Answer extends LiveAnswers {
  /** Rows that the filter keeps. */
  readonly kept: number;
}

function differenceOf(each: RowCase, numpy: Answer): string | undefined {
  const errorsOf = (op: string): readonly string[] => {
    const answer = numpy.results[op]!;
    return typeof answer === 'string' ? [answer] : [];
  };
  return differenceIn(each, errorsOf, ({ count, results }) => {
    if (typeof numpy.count === 'string') return `a count instead of ${numpy.count}`;
    const { shape } = numpy.count;
    const counts = typeof count === 'number' ? numpy.count.values.map(() => count) : Array.from(count.values, Number);
    const difference = differenceFrom(numpy.count, { shape, values: counts });
    return difference === undefined ? resultsDifference(each, results, numpy) : `count: ${difference}`;
  });
}

/** Operations, subjects, comparisons, nests and joins that have to be among the cases, as in their JSON. */
const MEMBERS = [
  // Distinct elements, and covariances, have cases of their own.
  ...[
    ...OP_NAMES.filter(op => !['unique', 'cov', 'corrcoef'].includes(op)),
    ...'column self dataset gt ge lt le eq ne in between is_nan and or not'.split(' '),
  ].map(name => `"${name}"`),
  '"in":{"dataset":"codes"}',
  '"in":{"dataset":"codes","where":',
];

/** How many cases each kind of query and answer has at least. */
const SEEN_MIN = IS_FULL ? 40 : 1;

/** Cases of datasets that many tasks share. */
const LONG = caseCount(12, 100);

const skip = PYTHON === undefined && NO_NUMPY;

t.test('rows that a filter keeps have the statistics of numpy', { skip }, async t => {
  const cases = Array.from({ length: liveCases('where') - LONG }, (_, i) =>
    makeRowCase(seededRandom(300_000 + i), { ops: [], isGrouped: false, isMixed: true }),
  );
  const answers = askRows<Answer>(t.testdir(), 'where', cases);
  t.same(differencesOf(cases, answers, differenceOf), []);

  const casesWhere = (is: (each: RowCase, answer: Answer) => boolean): number =>
    cases.filter((each, i) => is(each, answers[i]!)).length;
  const rowsOf = (each: RowCase): number => each.datasets[0]!.shape[0]!;
  const seen = {
    'keeps nothing': casesWhere((each, { kept }) => kept === 0 && rowsOf(each) > 0),
    'keeps one row': casesWhere((each, { kept }) => kept === 1 && rowsOf(each) > 1),
    'keeps all rows': casesWhere((each, { kept }) => kept === rowsOf(each) && kept > 0),
    'keeps some rows': casesWhere((each, { kept }) => kept > 1 && kept < rowsOf(each)),
    'answers with an error': casesWhere((_, { results }) =>
      Object.values(results).some(each => typeof each === 'string'),
    ),
    'keeps axis 0': casesWhere(({ query: { axis } }) => axis !== null && ![axis].flat().includes(0)),
  };
  for (const [what, count] of Object.entries(seen)) t.ok(count >= SEEN_MIN, `${count} cases: ${what}`);
  const asked = cases.map(({ query }) => textOf(query));
  for (const member of MEMBERS) {
    const count = asked.filter(text => text.includes(member)).length;
    t.ok(count >= SEEN_MIN, `${count} cases have ${member}`);
  }
});

t.test('rows of longer datasets have them, too', { skip }, async t => {
  const cases = Array.from({ length: LONG }, (_, i) =>
    makeRowCase(seededRandom(350_000 + i), { ops: [], isGrouped: false, isMixed: true, rowsMost: 3000 }),
  );
  t.same(differencesOf(cases, askRows<Answer>(t.testdir(), 'where', cases), differenceOf), []);
});

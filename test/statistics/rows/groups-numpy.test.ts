/** Every grouped operation against numpy, which loops over the groups that np.unique and comparisons of bins find. */
import t from 'tap';
import type { StatisticsResult } from '../../../src/statistics/index.js';
import { caseCount, IS_FULL } from '../../helpers/cases.js';
import { NO_NUMPY, PYTHON } from '../../helpers/python.js';
import { seededRandom } from '../../helpers/random.js';
import { differenceFrom, liveCases, type Listed } from '../live-numpy.js';
import { askRows, differenceIn, differencesOf, resultsDifference, type LiveAnswers } from './live-rows.js';
import { makeRowCase, type RowCase } from './row-cases.js';
import { partOf, textOf } from './run-row-case.js';

interface Answer {
  /** Per key its value in each group: of a key with bins the number of the bin. */
  readonly keys: readonly Listed[];
  readonly groups: readonly LiveAnswers[];
  /** Where there is no group: what a group would answer, whose rows have no elements. */
  readonly none: LiveAnswers | null;
}

function differenceOfGroups(each: RowCase, numpy: Answer): string | undefined {
  const groups = numpy.none ? [numpy.none] : numpy.groups;
  const errorsOf = (op: string): string[] =>
    groups.flatMap(({ results }) => (typeof results[op] === 'string' ? [results[op]] : []));
  return differenceIn(each, errorsOf, actual => keysDifference(each, actual, numpy) ?? inGroups(each, actual, numpy));
}

function keysDifference(
  { query }: RowCase,
  { grouped }: StatisticsResult,
  { keys, groups }: Answer,
): string | undefined {
  if (grouped?.groups !== groups.length) return `${grouped?.groups} groups, not ${groups.length}`;
  if (grouped.isList !== Array.isArray(query.group_by)) return 'keys are listed in the wrong way';
  if (grouped.keys.length !== keys.length) return `${grouped.keys.length} keys`;
  for (const [i, key] of grouped.keys.entries()) {
    if (key.kind !== 'numbers' && key.kind !== 'bins') return `key ${i} is ${key.kind}`;
    const { values } = key;
    const difference = differenceFrom(keys[i]!, { shape: [values.length], values });
    if (difference !== undefined) return `key ${i}: ${difference}`;
    if (key.kind === 'numbers' && key.dtype.typestr !== keys[i]!.dtype)
      return `key ${i} is of ${key.dtype.typestr}, not ${keys[i]!.dtype}`;
  }
  return undefined;
}

function inGroups(each: RowCase, { grouped, results }: StatisticsResult, { groups }: Answer): string | undefined {
  for (const [i, group] of groups.entries()) {
    const counts = partOf(grouped!.counts, i, groups.length);
    const difference =
      typeof group.count === 'string'
        ? `a count instead of ${group.count}`
        : (differenceFrom(group.count, counts) ??
          resultsDifference(
            each,
            results.map(result => partOf(result, i, groups.length)),
            group,
          ));
    if (difference !== undefined) return `group ${i}: ${difference}`;
  }
  return undefined;
}

/** How many cases each kind of query and answer has at least. */
const SEEN_MIN = IS_FULL ? 20 : 1;

/** Cases of datasets that many tasks share. */
const LONG = caseCount(8, 60);

const skip = PYTHON === undefined && NO_NUMPY;

t.test('groups of rows have the keys and the statistics of numpy', { skip }, async t => {
  const cases = Array.from({ length: liveCases('groups') - LONG }, (_, i) =>
    makeRowCase(seededRandom(400_000 + i), { ops: [], isGrouped: true, isMixed: true }),
  );
  const answers = askRows<Answer>(t.testdir(), 'groups', cases);
  t.same(differencesOf(cases, answers, differenceOfGroups), []);

  const casesWhere = (is: (each: RowCase, answer: Answer) => boolean): number =>
    cases.filter((each, i) => is(each, answers[i]!)).length;
  const keysOf = ({ query }: RowCase): string => textOf(query.group_by);
  const seen = {
    'have no group': casesWhere((_, { groups }) => groups.length === 0),
    'have ten groups or more': casesWhere((_, { groups }) => groups.length >= 10),
    'have a group of NaN': casesWhere((_, { keys }) => keys.some(({ values }) => values.includes('NaN'))),
    'have a filter': casesWhere(({ query }) => query.where !== undefined),
    'have none': casesWhere(({ query }) => query.where === undefined),
    'have a key in a column': casesWhere(each => keysOf(each).includes('"column"')),
    'have a key in themselves': casesWhere(each => keysOf(each).includes('"self"')),
    'have a key in another dataset': casesWhere(each => keysOf(each).includes('"near"')),
    'have bins': casesWhere(each => keysOf(each).includes('"bins"')),
    'have two keys': casesWhere((_, { keys }) => keys.length === 2),
    'have three keys': casesWhere((_, { keys }) => keys.length === 3),
    'have medians': casesWhere(({ query }) => query.ops.includes('median')),
    'have quantiles': casesWhere(({ query }) => query.ops.some(op => typeof op === 'object')),
    'keep an axis': casesWhere(
      ({ datasets, query: { axis } }) => axis !== null && [axis].flat().length < datasets[0]!.shape.length,
    ),
  };
  for (const [what, count] of Object.entries(seen)) t.ok(count >= SEEN_MIN, `${count} cases ${what}`);
});

t.test('groups of longer datasets have them, too', { skip }, async t => {
  const cases = Array.from({ length: LONG }, (_, i) =>
    makeRowCase(seededRandom(450_000 + i), { ops: [], isGrouped: true, isMixed: true, rowsMost: 2000 }),
  );
  t.same(differencesOf(cases, askRows<Answer>(t.testdir(), 'groups', cases), differenceOfGroups), []);
});

/** Filters and groups on many small random cases, cut into many pieces, against a model that goes row by row. */
import { test } from 'tap';
import { HyperslabError } from '../../../src/errors.js';
import { normalise } from '../../../src/selection.js';
import { parseQuery, type OperationResult, type StatisticsResult } from '../../../src/statistics/index.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom } from '../../helpers/random.js';
import { POSITIONAL, REDUCING, type Value } from '../cases.js';
import { differenceOf, scaleOf } from '../compare.js';
import type { Expected } from '../oracle.js';
import { makeRowCase, type RowCase, type RowCaseOptions } from './row-cases.js';
import { compute, partOf, shown } from './run-row-case.js';
import { expectedQuantiles, type Near } from './quantile-model.js';
import { expectedGroups, expectedRows } from './row-model.js';

/** The parsed query of a case: where and keys are the model's own business. */
function queryOf({ query: { where: _w, group_by: _g, ...query }, parts, datasets }: RowCase) {
  const integers = parts.filter(part => part.kind === 'index').length;
  const added = parts.filter(part => part.kind === 'newaxis').length;
  return parseQuery(query, datasets[0]!.shape.length - integers + added);
}

type Check = (each: RowCase, actual: StatisticsResult) => string | undefined;

function differences(
  count: number,
  firstSeed: number,
  options: RowCaseOptions,
  errorOf: (each: RowCase) => string | undefined,
  check: Check,
): string[] {
  const found: string[] = [];
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const each = makeRowCase(seededRandom(seed), options);
    const difference = differenceIn(each, errorOf, check);
    if (difference === undefined) continue;
    found.push(`seed ${seed}: ${difference}: ${shown(each)}`);
  }
  return found.slice(0, 5);
}

function differenceIn(each: RowCase, errorOf: (each: RowCase) => string | undefined, check: Check): string | undefined {
  let code: string | undefined;
  try {
    code = errorOf(each);
    const actual = compute(each, each.query);
    return code === undefined ? check(each, actual) : `an answer instead of ${code}`;
  } catch (error) {
    if (error instanceof HyperslabError && error.code === code) return undefined;
    return `${error instanceof Error ? error.stack : String(error)} instead of ${code ?? 'an answer'}`;
  }
}

function compareResults(
  results: readonly OperationResult[],
  expected: Expected,
  each: RowCase,
  values: readonly Value[],
): string | undefined {
  const scale = scaleOf({ dtype: each.datasets[0]!.dtype, values });
  for (const result of results) {
    if (result.shape.join() !== expected.shape.join()) return `${result.op} has the shape ${result.shape.join()}`;
    const difference = differenceOf(result, expected.results[result.op]!, scale);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function checkRows(each: RowCase, actual: StatisticsResult): string | undefined {
  const { expected, values } = expectedRows(each, queryOf(each));
  if (typeof expected === 'string') return 'no error';
  const counts = typeof actual.count === 'number' ? [actual.count] : Array.from(actual.count.values, Number);
  if (expected.counts.some((count, i) => count !== (counts.length === 1 ? counts[0] : counts[i]))) {
    return `count is ${counts.join()} instead of ${expected.counts.join()}`;
  }
  return compareResults(actual.results, expected, each, values);
}

function errorOfRows(each: RowCase): string | undefined {
  const { expected } = expectedRows(each, queryOf(each));
  return typeof expected === 'string' ? expected : undefined;
}

test('rows that a filter keeps, and slices of them, agree with the model', async t => {
  t.same(differences(caseCount(120, 1500), 1, { ops: REDUCING, isGrouped: false }, errorOfRows, checkRows), []);
});

/** The values of median and quantiles, cell by cell: the quantiles of a cell in their order. */
function selectedOf(results: readonly OperationResult[], cells: number): Value[][] {
  return Array.from({ length: cells }, (_, cell) =>
    results
      .filter(({ op }) => op === 'median' || op === 'quantile')
      .toSorted((a, b) => (a.op < b.op ? -1 : 1))
      .flatMap(({ values }) => Array.from({ length: values.length / cells }, (_, i) => values[i * cells + cell]!)),
  );
}

function compareSelected(
  results: readonly OperationResult[],
  expected: readonly (readonly Near[])[],
): string | undefined {
  for (const [cell, values] of selectedOf(results, expected.length).entries()) {
    const wanted = expected[cell]!;
    if (values.length !== wanted.length) return `${values.length} values are selected instead of ${wanted.length}`;
    const at = values.findIndex((value, i) => !isNear(value, wanted[i]!));
    if (at >= 0) return `selected ${values[at]} instead of ${wanted[at]!.value}`;
  }
  return undefined;
}

function isNear(found: Value, { value, within }: Near): boolean {
  // Whole numbers to the digit; a zero has no sign.
  return String(found) === String(value) || (within > 0 && Math.abs(Number(found) - Number(value)) <= within);
}

function checkSelected(each: RowCase, actual: StatisticsResult): string | undefined {
  const query = queryOf(each);
  const { values, shape } = expectedRows(each, query);
  return compareSelected(actual.results, expectedQuantiles(query, each.datasets[0]!.dtype, shape, values));
}

test('medians and quantiles of the rows that are kept agree with the model', async t => {
  t.same(
    differences(
      caseCount(40, 400),
      30_000,
      { ops: ['count'], isGrouped: false, isSelecting: true },
      errorOfRows,
      checkSelected,
    ),
    [],
  );
});

test('positions count the rows that are kept', async t => {
  t.same(differences(caseCount(40, 500), 50_000, { ops: POSITIONAL, isGrouped: false }, errorOfRows, checkRows), []);
});

function checkGroups(each: RowCase, actual: StatisticsResult): string | undefined {
  const groups = expectedGroups(each, queryOf(each));
  const { grouped } = actual;
  if (!grouped) return 'no groups';
  if (grouped.groups !== groups.length) return `${grouped.groups} groups instead of ${groups.length}`;
  for (const [i, group] of groups.entries()) {
    const key = grouped.keys.map(({ values }) => values[i]!);
    if (key.map(String).join() !== group.key.map(String).join())
      return `group ${i} is ${key.join()} instead of ${group.key.join()}`;
    if (typeof group.answer === 'string') return `${group.answer} in group ${i}`;
    const counts = Array.from(partOf(grouped.counts, i, groups.length).values, Number);
    if (counts.join() !== group.answer.counts.join())
      return `count is ${counts.join()} instead of ${group.answer.counts.join()}`;
    const results = actual.results.map(result => partOf(result, i, groups.length));
    const difference = compareResults(results, group.answer, each, group.values);
    if (difference !== undefined) return `group ${i}: ${difference}`;
  }
  return undefined;
}

function checkSelectedGroups(each: RowCase, actual: StatisticsResult): string | undefined {
  const difference = checkGroups(each, { ...actual, results: actual.results.filter(({ op }) => op === 'count') });
  if (difference !== undefined) return difference;
  const query = queryOf(each);
  const groups = expectedGroups(each, query);
  for (const [i, group] of groups.entries()) {
    const expected = expectedQuantiles(query, each.datasets[0]!.dtype, group.shape, group.values);
    const results = actual.results.map(result => partOf(result, i, groups.length));
    const wrong = compareSelected(results, expected);
    if (wrong !== undefined) return `group ${i}: ${wrong}`;
  }
  return undefined;
}

function errorOfGroups(each: RowCase): string | undefined {
  if (hasEmptyRows(each)) return 'empty_selection';
  const answers = expectedGroups(each, queryOf(each)).map(({ answer }) => answer);
  return answers.find(answer => typeof answer === 'string');
}

/** Known before any row is: no group can have an element. */
function hasEmptyRows(each: RowCase): boolean {
  const { axis, ops } = queryOf(each);
  const inner = normalise(each.parts, each.datasets[0]!.shape).shape.slice(1);
  const cells = inner.filter((_, i) => axis !== null && !axis.includes(i + 1));
  return inner.includes(0) && !cells.includes(0) && ops.some(op => ['min', 'max', 'ptp'].includes(op));
}

test('groups agree with the model', async t => {
  t.same(
    differences(caseCount(120, 1500), 100_000, { ops: REDUCING, isGrouped: true }, errorOfGroups, checkGroups),
    [],
  );
});

test('medians and quantiles of groups agree with the model', async t => {
  const options = { ops: ['count'], isGrouped: true, isSelecting: true };
  t.same(differences(caseCount(40, 500), 200_000, options, errorOfGroups, checkSelectedGroups), []);
});

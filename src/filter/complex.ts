/**
 * Tests of complex numbers, which are tests of both of their parts: equal where both parts are, NaN where one is, as in numpy.
 */
import { numberDType, type ComplexDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { listed } from '../shown.js';
import type { AnyColumn } from './columns.js';
import { COMPARISONS, nanSet, type ComparisonName } from './comparisons.js';
import { combined, valueTypeOf, type Filter, type RowColumn } from './filter.js';
import type { FilterTree } from './parse.js';
import { placeOf, refuseValue } from './places.js';
import { negated, testOf } from './tests.js';

/** Values of one list: each is two tests. */
const LISTED_MAX = 64;

const TAKEN: readonly ComparisonName[] = ['eq', 'ne', 'in'];

/** @throws bad_operation, too_large */
export function* complexTest(
  { source, offset, stride }: AnyColumn,
  dtype: ComplexDType,
  { at, comparisons, isNan, join }: Extract<FilterTree, { kind: 'test' }>,
): Generator<void, Filter> {
  const itemsize = dtype.itemsize / 2;
  const part = numberDType(`${dtype.byteOrder}f${itemsize}`);
  const parts: readonly [RowColumn, RowColumn] = [
    { source, dtype: part, offset, stride },
    { source, dtype: part, offset: offset + itemsize, stride },
  ];
  const tests: Filter[] = [];
  if (join) refuseComparison(dtype, `${at}.in`, 'the values of a dataset');
  for (const { name, values } of comparisons) {
    const under = `${at}.${name}`;
    if (!TAKEN.includes(name)) refuseComparison(dtype, under, name);
    if (values.length > LISTED_MAX) {
      fail('too_large', `${under} has ${values.length} values; at most ${LISTED_MAX} complex ones are possible.`, {
        at: under,
        limit: LISTED_MAX,
        asked: values.length,
      });
    }
    const equals: Filter[] = [];
    for (const value of values) equals.push(yield* equalTest(dtype, parts, value, under));
    const any = combined('or', equals);
    tests.push(name === 'ne' ? negated(any) : any);
  }
  if (isNan !== undefined) {
    const nans: Filter[] = [];
    for (const each of parts) nans.push(yield* testOf(each, nanSet(valueTypeOf(each), true)));
    const any = combined('or', nans);
    tests.push(isNan ? any : negated(any));
  }
  return combined('and', tests);
}

function* equalTest(
  dtype: ComplexDType,
  parts: readonly [RowColumn, RowColumn],
  value: unknown,
  at: string,
): Generator<void, Filter> {
  // A number alone lies on the real axis.
  const pair: readonly unknown[] = Array.isArray(value) ? value : [value, 0];
  if (pair.length !== 2) refuseValue(dtype, value, at, 'pairs such as [1.5, -2]');
  const tests: Filter[] = [];
  for (const [i, column] of parts.entries()) {
    const place = placeOf(column.dtype as ReturnType<typeof numberDType>, pair[i], at);
    tests.push(yield* testOf(column, COMPARISONS.eq.keeps([place], valueTypeOf(column))));
  }
  return combined('and', tests);
}

function refuseComparison(dtype: ComplexDType, at: string, what: string): never {
  return fail(
    'bad_operation',
    `${at}: complex numbers have no order, and are not compared with ${what}; there are ${listed([...TAKEN, 'is_nan'], 'and')}.`,
    { at, dtype: dtype.typestr, supported: [...TAKEN, 'is_nan'] },
  );
}

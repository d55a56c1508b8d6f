/**
 * A parsed filter meets its datasets: names become sources, columns become places in files, comparisons become sets of
 * native values. What comes out is plain data that every thread can work with, and is trusted from here on.
 */
import { isComplex, isText, isTime, type TextDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { mapTurns, sortTurns } from '../turns.js';
import { codesOf, comparable, locate, type Rows, type SourceList } from './columns.js';
import { comparisonRow, nanSet } from './comparisons.js';
import { complexTest } from './complex.js';
import { combined, KEEPS_ALL, valueTypeOf, type Filter, type RowColumn, type RowFilter } from './filter.js';
import type { Comparison, FilterTree, JoinTree } from './parse.js';
import { placeOf, refuseValue, type Place } from './places.js';
import { areComparable } from './time-units.js';
import { keyOfText, sealTexts, type SealedTexts } from './texts.js';
import { negated, testOf } from './tests.js';
import { everyNumber, intersection, type ValueSet } from './value-set.js';

/**
 * Which rows of a dataset a filter keeps. Datasets that it names are added to the list. `codes` are the values
 * that are taken of these rows, where they are those of a join.
 * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, unknown_field, unsupported_dtype, too_large
 */
export function* resolveFilter(
  tree: FilterTree | undefined,
  sources: SourceList,
  rows: Rows,
  codes?: RowColumn,
): Generator<void, RowFilter> {
  const joins: RowFilter[] = [];
  const filter = tree ? yield* new Resolver(sources, rows, joins).node(tree) : KEEPS_ALL;
  const { number } = rows;
  return {
    codes,
    total: sources.list[number]!.shape[0] ?? 1,
    filter,
    joins,
  };
}

/** Joins of a query, those inside joins included. */
function joinsIn(joins: readonly RowFilter[]): number {
  return joins.reduce((count, join) => count + 1 + joinsIn(join.joins), 0);
}

class Resolver {
  readonly #sources: SourceList;
  readonly #rows: Rows;
  readonly #joins: RowFilter[];

  constructor(sources: SourceList, rows: Rows, joins: RowFilter[]) {
    this.#sources = sources;
    this.#rows = rows;
    this.#joins = joins;
  }

  *node(tree: FilterTree): Generator<void, Filter> {
    if (tree.kind === 'test') return yield* this.#test(tree);
    if (tree.kind === 'not') return negated(yield* this.node(tree.of));
    const of: Filter[] = [];
    for (const each of tree.of) of.push(yield* this.node(each));
    return combined(tree.kind, of);
  }

  *#test(test: Extract<FilterTree, { kind: 'test' }>): Generator<void, Filter> {
    const { at, subject, comparisons, isNan, join } = test;
    const located = locate(subject, this.#sources, this.#rows, at);
    if (isComplex(located.dtype)) return yield* complexTest(located, located.dtype, test);
    const column = comparable(located, at);
    const parts: Filter[] = [];
    if (comparisons.length > 0 || isNan !== undefined) {
      if (isText(column.dtype) && isNan !== undefined) refuseNan(column.dtype, at);
      const { texts, placed } = isText(column.dtype)
        ? yield* placeTexts(column.dtype, comparisons, at)
        : { texts: undefined, placed: undefined };
      const type = valueTypeOf(column);
      let set: ValueSet | undefined;
      for (const [i, { name, values }] of comparisons.entries()) {
        const places = placed?.[i] ?? (yield* placesOf(column, values, `${at}.${name}`));
        const row = comparisonRow(name);
        const kept = row.takes === 'list' ? yield* row.keeps(places, type) : row.keeps(places, type);
        set = set ? intersection(set, kept) : kept;
        // As long as the longest list.
        if (set.intervals.length > 1) yield;
      }
      if (isNan !== undefined) set = intersection(set ?? everyNumber(type, true), nanSet(type, isNan));
      parts.push(yield* testOf(texts ? { ...column, texts } : column, set!));
    }
    if (join) parts.push({ kind: 'join', column, join: yield* this.#join(join, column) });
    return combined('and', parts);
  }

  *#join({ dataset, field, where, at }: JoinTree, column: RowColumn): Generator<void, number> {
    const number = this.#sources.numberOf(dataset);
    const codes = comparable(codesOf(number, field, this.#sources, at), at);
    checkAlike(column, codes, at);
    const { shape } = this.#sources.list[number]!;
    const { dtype, offset, stride } = codes;
    // Of a join with a field that field is what is asked about.
    const own =
      field === undefined ? undefined : { dtype, view: { shape: shape.slice(0, 1), strides: [stride], offset } };
    this.#joins.push(yield* resolveFilter(where, this.#sources, { number, own }, codes));
    if (joinsIn(this.#joins) > LIMITS.joinsMax) {
      fail(
        'too_large',
        `The query takes the values of ${joinsIn(this.#joins)} datasets with in; at most ${LIMITS.joinsMax} are possible. Split the query.`,
        { limit: LIMITS.joinsMax },
      );
    }
    return this.#joins.length - 1;
  }
}

function placesOf(
  { dtype }: RowColumn,
  values: readonly unknown[],
  at: string,
): Generator<void, readonly (Place | undefined)[]> {
  return mapTurns(values, value => (isText(dtype) ? undefined : placeOf(dtype, value, at)));
}

/** All texts that a test compares with, and for each comparison the places of its own among the column's values. */
function* placeTexts(
  dtype: TextDType,
  comparisons: readonly Comparison[],
  at: string,
): Generator<void, { texts: SealedTexts; placed: readonly (readonly Place[])[] }> {
  const keys: string[][] = [];
  for (const { name, values } of comparisons) {
    const expected = (value: unknown): string =>
      typeof value === 'string' ? value : refuseValue(dtype, value, `${at}.${name}`, 'text');
    keys.push(yield* mapTurns(values, value => keyOfText(expected(value))));
  }
  const distinct = yield* sortTurns([...new Set(keys.flat())]);
  const { texts, placeOf: placeAt } = yield* sealTexts(dtype, distinct);
  const positions = new Map(distinct.map((key, i) => [key, i]));
  const placed: Place[][] = [];
  for (const own of keys) placed.push(yield* mapTurns(own, key => placeAt(positions.get(key)!)));
  return { texts, placed };
}

function refuseNan(dtype: TextDType, at: string): never {
  return fail('bad_operation', `${at}: elements of ${dtype.name} are never NaN. Leave is_nan out.`, {
    at,
    dtype: dtype.typestr,
  });
}

/** Values are matched with those of their own kind; dates and durations where numpy compares their units. */
function checkAlike({ dtype: own }: RowColumn, { dtype: others }: RowColumn, at: string): void {
  const kindOf = (dtype: RowColumn['dtype']): string =>
    isText(dtype) ? 'text' : isTime(dtype) ? dtype.kind : 'number';
  const isAlike = kindOf(own) === kindOf(others) && !(isTime(own) && isTime(others) && !areComparable(own, others));
  if (isAlike) return;
  fail(
    'bad_operation',
    `${at} has elements of ${others.name}, and is matched with elements of ${own.name}, which are never equal to them. Use a dataset of values of the same kind.`,
    { at, dtype: others.typestr, expected: own.typestr },
  );
}

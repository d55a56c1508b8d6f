/**
 * A parsed filter meets its datasets: names become sources, columns become places in files, comparisons become sets of
 * native values. What comes out is plain data that every thread can work with, and is trusted from here on.
 */
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { mapTurns } from '../turns.js';
import { comparisonRow, nanSet } from './comparisons.js';
import { nativeTypeOf } from '../kernels/native-types.js';
import { combined, KEEPS_ALL, type Filter, type RowColumn, type RowFilter, type RowSource } from './filter.js';
import type { FilterTree, JoinTree, Subject } from './parse.js';
import { everyNumber, intersection, isEveryNumber, sealSet, type ValueSet } from './value-set.js';
import { placeOf } from './places.js';

/** Finds a dataset by name for whoever asks. @throws unknown_dataset */
export type FindSource = (name: string) => RowSource;

/** The datasets that a query reads, by number; the first is the one that is asked about. */
export class SourceList {
  readonly list: RowSource[];
  readonly #find: FindSource;

  constructor(self: RowSource, find: FindSource) {
    this.list = [self];
    this.#find = find;
  }

  /** The number of a dataset, which is added where it is new. @throws unknown_dataset, too_large */
  numberOf(name: string): number {
    const known = this.list.findIndex(source => source.name === name);
    if (known >= 0) return known;
    const source = this.#find(name);
    if (this.list.length > LIMITS.alignedDatasetsMax) {
      fail(
        'too_large',
        `The query reads ${this.list.length} other datasets; at most ${LIMITS.alignedDatasetsMax} are possible. Split the query.`,
        {
          limit: LIMITS.alignedDatasetsMax,
        },
      );
    }
    return this.list.push(source) - 1;
  }
}

/**
 * One value per row of a dataset, as a subject names it.
 * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, too_large
 */
export function resolveColumn(subject: Subject, sources: SourceList, number: number, at: string): RowColumn {
  const self = sources.list[number]!;
  switch (subject.kind) {
    case 'self':
      if (self.shape.length !== 1) refuseRank(at, 'self', 1, self);
      return columnOf(self, number, 0);
    case 'column':
      if (self.shape.length !== 2) refuseRank(at, 'column', 2, self);
      return columnOf(self, number, columnIn(subject.column, self.shape[1]!, at));
    case 'dataset':
      return alignedColumn(subject.name, sources, self, at);
    case 'field':
      return fail(
        'bad_operation',
        `${at} names the field ${JSON.stringify(subject.field.slice(0, 40))}; ${self.name} has the dtype ${self.dtype.name}, which has no fields. Name a column, self, or another dataset.`,
        { at, dtype: self.dtype.typestr },
      );
  }
}

function alignedColumn(name: string, sources: SourceList, self: RowSource, at: string): RowColumn {
  const number = sources.numberOf(name);
  const source = sources.list[number]!;
  if (source.shape.length !== 1) refuseRank(at, 'dataset', 1, source);
  if (source.shape[0] !== self.shape[0]) {
    fail(
      'not_aligned',
      `${at} reads ${source.name}, which has ${source.shape[0]} elements; ${self.name} has ${self.shape[0] ?? 'no'} rows. Use a dataset with one element per row.`,
      { at, dataset: source.name, length: source.shape[0], rows: self.shape[0] },
    );
  }
  return columnOf(source, number, 0);
}

function columnOf({ dtype, view }: RowSource, source: number, column: number): RowColumn {
  return {
    source,
    dtype,
    offset: view.offset + column * (view.strides[1] ?? 0),
    stride: view.strides[0]!,
  };
}

function columnIn(column: number, length: number, at: string): number {
  const resolved = column < 0 ? column + length : column;
  if (resolved < 0 || resolved >= length) {
    fail(
      'index_out_of_bounds',
      `${at}: column ${column} is out of bounds; there are ${length} columns.${length > 0 ? ` Use ${-length} to ${length - 1}.` : ''}`,
      {
        at,
        index: column,
        length,
      },
    );
  }
  return resolved;
}

const REMEDIES: Readonly<Record<string, string>> = {
  self: ' Of two axes, name a column: {"column": 0}.',
  column: ' Of one axis, write {"self": true}.',
};

function refuseRank(at: string, member: string, rank: number, source: RowSource): never {
  return fail(
    'bad_operation',
    `${at}: ${member} takes a dataset of ${rank === 1 ? 'one axis' : 'two axes'}; ${source.name} has the shape [${source.shape.join(', ')}].${REMEDIES[member] ?? ''}`,
    { at, dataset: source.name, shape: source.shape },
  );
}

/**
 * Which rows of dataset `number` a filter keeps. Datasets that it names are added to the list.
 * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, too_large
 */
export function* resolveFilter(
  tree: FilterTree | undefined,
  sources: SourceList,
  number: number,
): Generator<void, RowFilter> {
  const joins: RowFilter[] = [];
  const filter = tree ? yield* new Resolver(sources, number, joins).node(tree) : KEEPS_ALL;
  const source = sources.list[number]!;
  return {
    self: source.shape.length === 1 ? columnOf(source, number, 0) : undefined,
    total: source.shape[0] ?? 1,
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
  readonly #number: number;
  readonly #joins: RowFilter[];

  constructor(sources: SourceList, number: number, joins: RowFilter[]) {
    this.#sources = sources;
    this.#number = number;
    this.#joins = joins;
  }

  *node(tree: FilterTree): Generator<void, Filter> {
    if (tree.kind === 'test') return yield* this.#test(tree);
    if (tree.kind === 'not') {
      const of = yield* this.node(tree.of);
      return of.kind === 'constant' ? { kind: 'constant', keeps: !of.keeps } : { kind: 'not', of };
    }
    const of: Filter[] = [];
    for (const each of tree.of) of.push(yield* this.node(each));
    return combined(tree.kind, of);
  }

  *#test({ at, subject, comparisons, isNan, join }: Extract<FilterTree, { kind: 'test' }>): Generator<void, Filter> {
    const column = resolveColumn(subject, this.#sources, this.#number, at);
    const parts: Filter[] = [];
    if (comparisons.length > 0 || isNan !== undefined) {
      const type = nativeTypeOf(column.dtype);
      let set: ValueSet | undefined;
      for (const { name, values } of comparisons) {
        const under = `${at}.${name}`;
        const places = yield* mapTurns(values, value => placeOf(column.dtype, value, under));
        const row = comparisonRow(name);
        const kept = row.takes === 'list' ? yield* row.keeps(places, type) : row.keeps(places, type);
        set = set ? intersection(set, kept) : kept;
        // As long as the longest list.
        if (set.intervals.length > 1) yield;
      }
      if (isNan !== undefined) set = intersection(set ?? everyNumber(type, true), nanSet(type, isNan));
      parts.push(yield* testOf(column, set!));
    }
    if (join) parts.push({ kind: 'join', column, join: yield* this.#join(join) });
    return combined('and', parts);
  }

  *#join({ dataset, where, at }: JoinTree): Generator<void, number> {
    const number = this.#sources.numberOf(dataset);
    const codes = this.#sources.list[number]!;
    if (codes.shape.length !== 1) refuseRank(at, 'in', 1, codes);
    this.#joins.push(yield* resolveFilter(where, this.#sources, number));
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

/** A test of a column, or a constant where it does not depend on the column's values. */
export function* testOf(column: RowColumn, set: ValueSet): Generator<void, Filter> {
  const type = nativeTypeOf(column.dtype);
  const isFloat = column.dtype.kind === 'f';
  const keepsNan = set.nan || !isFloat;
  if (set.intervals.length === 0 && !(isFloat && set.nan)) return { kind: 'constant', keeps: false };
  if (keepsNan && isEveryNumber(type, set)) return KEEPS_ALL;
  return { kind: 'test', column, set: yield* sealSet(type, set) };
}

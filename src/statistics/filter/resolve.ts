/**
 * A parsed filter meets its datasets: names become sources, columns become places in files, comparisons become sets of
 * native values. What comes out is plain data that every thread can work with, and is trusted from here on.
 */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { comparisonRow, nanSet } from './comparisons.js';
import { nativeTypeOf } from '../native-types.js';
import type { Filter, RowColumn, RowFilter, RowSource } from './filter.js';
import type { FilterTree, JoinTree, Subject } from './parse.js';
import { everyNumber, intersection, sealSet, type ValueSet } from './value-set.js';
import { placeOf } from './values.js';

/** Finds a dataset by name for whoever asks. @throws unknown_dataset */
export type FindSource = (name: string) => RowSource;

/** The datasets of one query whose rows belong together; the first is the one that is asked about. */
export class Sources {
  readonly #find: FindSource;
  readonly list: RowSource[];

  constructor(self: RowSource, find: FindSource) {
    this.#find = find;
    this.list = [self];
  }

  /**
   * One value per row, as a subject names it.
   * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, too_large
   */
  column(subject: Subject, at: string): RowColumn {
    const self = this.list[0]!;
    const { rank } = { rank: self.shape.length };
    switch (subject.kind) {
      case 'self':
        if (rank !== 1) refuseRank(at, 'self', 1, self);
        return columnOf(self, 0, 0);
      case 'column': {
        if (rank !== 2) refuseRank(at, 'column', 2, self);
        return columnOf(self, 0, resolveColumn(subject.column, self.shape[1]!, at));
      }
      case 'dataset':
        return this.#aligned(subject.name, at);
      case 'field':
        return fail(
          'bad_operation',
          `${at} names the field ${JSON.stringify(subject.field.slice(0, 40))}; ${self.name} has the dtype ${self.dtype.name}, and structured dtypes are not served yet. Name a column, self, or another dataset.`,
          { at, dtype: self.dtype.typestr },
        );
    }
  }

  #aligned(name: string, at: string): RowColumn {
    const known = this.list.findIndex(source => source.name === name);
    const source = known >= 0 ? this.list[known]! : this.#find(name);
    if (source.shape.length !== 1) refuseRank(at, 'dataset', 1, source);
    const self = this.list[0]!;
    if (source.shape[0] !== self.shape[0]) {
      fail(
        'not_aligned',
        `${at} reads ${source.name}, which has ${source.shape[0]} elements; ${self.name} has ${self.shape[0]} rows. Use a dataset with one element per row.`,
        { at, dataset: source.name, length: source.shape[0], rows: self.shape[0] },
      );
    }
    if (known >= 0) return columnOf(source, known, 0);
    if (this.list.length > LIMITS.alignedDatasetsMax) {
      fail('too_large', `A query reads at most ${LIMITS.alignedDatasetsMax} other datasets.`, {
        limit: LIMITS.alignedDatasetsMax,
      });
    }
    this.list.push(source);
    return columnOf(source, this.list.length - 1, 0);
  }
}

function columnOf({ dtype, view }: RowSource, source: number, column: number): RowColumn {
  return {
    source,
    dtype,
    offset: view.offset + column * (view.strides[1] ?? 0),
    stride: view.strides[0]!,
  };
}

function resolveColumn(column: number, length: number, at: string): number {
  const resolved = column < 0 ? column + length : column;
  if (resolved < 0 || resolved >= length) {
    fail('index_out_of_bounds', `${at}: column ${column} is out of bounds; there are ${length} columns.`, {
      at,
      index: column,
      length,
    });
  }
  return resolved;
}

function refuseRank(at: string, member: string, rank: number, source: RowSource): never {
  return fail(
    'bad_operation',
    `${at}: ${member} takes a dataset of ${rank === 1 ? 'one axis' : 'two axes'}; ${source.name} has the shape [${source.shape.join(', ')}].`,
    { at, dataset: source.name, shape: source.shape },
  );
}

/**
 * Which rows of `sources.list[0]` a filter keeps. Sources that it names are added to the list.
 * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, too_large
 */
export function resolveFilter(tree: FilterTree, sources: Sources, find: FindSource): RowFilter {
  const joins: RowFilter[] = [];
  const filter = new Resolver(sources, find, joins).node(tree);
  return { sources: sources.list, filter, joins };
}

/** Joins of a query, those inside joins included. */
function joinsIn(joins: readonly RowFilter[]): number {
  return joins.reduce((count, join) => count + 1 + joinsIn(join.joins), 0);
}

class Resolver {
  readonly #sources: Sources;
  readonly #find: FindSource;
  readonly #joins: RowFilter[];

  constructor(sources: Sources, find: FindSource, joins: RowFilter[]) {
    this.#sources = sources;
    this.#find = find;
    this.#joins = joins;
  }

  node(tree: FilterTree): Filter {
    if (tree.kind === 'test') return this.#test(tree);
    if (tree.kind === 'not') {
      const of = this.node(tree.of);
      return of.kind === 'constant' ? { kind: 'constant', keeps: !of.keeps } : { kind: 'not', of };
    }
    return combined(
      tree.kind,
      tree.of.map(each => this.node(each)),
    );
  }

  #test({ at, subject, comparisons, isNan, join }: Extract<FilterTree, { kind: 'test' }>): Filter {
    const column = this.#sources.column(subject, at);
    const parts: Filter[] = [];
    if (comparisons.length > 0 || isNan !== undefined) {
      const type = nativeTypeOf(column.dtype);
      let set: ValueSet = everyNumber(type, true);
      for (const { name, values } of comparisons) {
        const places = values.map(value => placeOf(column.dtype, value, `${at}.${name}`));
        set = intersection(set, comparisonRow(name).keeps(places, type));
      }
      if (isNan !== undefined) set = intersection(set, nanSet(type, isNan));
      parts.push(testOf(column, set));
    }
    if (join) parts.push({ kind: 'join', column, join: this.#join(join) });
    return combined('and', parts);
  }

  #join({ dataset, where, at }: JoinTree): number {
    const codes = this.#find(dataset);
    if (codes.shape.length !== 1) refuseRank(at, 'in', 1, codes);
    const sources = new Sources(codes, this.#find);
    const rows: RowFilter = where
      ? resolveFilter(where, sources, this.#find)
      : { sources: sources.list, filter: { kind: 'constant', keeps: true }, joins: [] };
    this.#joins.push(rows);
    if (joinsIn(this.#joins) > LIMITS.joinsMax) {
      fail('too_large', `A query takes the values of at most ${LIMITS.joinsMax} datasets.`, { limit: LIMITS.joinsMax });
    }
    return this.#joins.length - 1;
  }
}

/** A test of a column, or a constant where it does not depend on the column's values. */
export function testOf(column: RowColumn, set: ValueSet): Filter {
  const isFloat = column.dtype.kind === 'f';
  if (set.intervals.length === 0 && !(isFloat && set.nan)) return { kind: 'constant', keeps: false };
  return { kind: 'test', column, set: sealSet(nativeTypeOf(column.dtype), set) };
}

function combined(kind: 'and' | 'or', parts: readonly Filter[]): Filter {
  // What decides alone, and what decides nothing.
  const decisive = kind === 'or';
  if (parts.some(part => part.kind === 'constant' && part.keeps === decisive))
    return { kind: 'constant', keeps: decisive };
  const of = parts.filter(part => part.kind !== 'constant');
  if (of.length === 0) return { kind: 'constant', keeps: !decisive };
  return of.length === 1 ? of[0]! : { kind, of };
}

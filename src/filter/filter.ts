/** Which rows a query uses, as plain data: what the door makes, and what threads evaluate. */
import type { NumberDType } from '../dtype/index.js';
import type { View } from '../layout/view.js';
import type { SealedSet } from './value-set.js';

/** A dataset as filters and keys see it. */
export interface RowSource {
  readonly name: string;
  readonly dtype: NumberDType;
  readonly shape: readonly number[];
  readonly view: View;
}

/** One value per row: that of row r stands at `offset + r * stride` bytes of the file of a source. */
export interface RowColumn {
  /** Position in the list of the query's sources; 0 is the dataset itself. */
  readonly source: number;
  readonly dtype: NumberDType;
  readonly offset: number;
  readonly stride: number;
}

export type Filter =
  | { readonly kind: 'constant'; readonly keeps: boolean }
  | { readonly kind: 'test'; readonly column: RowColumn; readonly set: SealedSet }
  /** The column's value is one of those of a join, which have to be found first. */
  | { readonly kind: 'join'; readonly column: RowColumn; readonly join: number }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter };

/** Rows of a dataset: those that the filter keeps. As a join it stands for the values of a dataset of one axis. */
export interface RowFilter {
  /** A value per row of the dataset itself, where it has one axis. */
  readonly self: RowColumn | undefined;
  /** Length of the dataset's axis 0. */
  readonly total: number;
  readonly filter: Filter;
  /** What has to be read first, in the order in which `join` nodes number it. */
  readonly joins: readonly RowFilter[];
}

export const KEEPS_ALL: Filter = { kind: 'constant', keeps: true };

/** Both filters. */
export function both(a: Filter, b: Filter): Filter {
  return combined('and', [a, b]);
}

/** Constants decide at once, or not at all. */
export function combined(kind: 'and' | 'or', parts: readonly Filter[]): Filter {
  const decisive = kind === 'or';
  if (parts.some(part => part.kind === 'constant' && part.keeps === decisive)) {
    return { kind: 'constant', keeps: decisive };
  }
  const of = parts.filter(part => part.kind !== 'constant');
  if (of.length === 0) return { kind: 'constant', keeps: !decisive };
  return of.length === 1 ? of[0]! : { kind, of };
}

/** The columns that a filter reads. */
export function columnsOf(filter: Filter): RowColumn[] {
  switch (filter.kind) {
    case 'constant':
      return [];
    case 'test':
    case 'join':
      return [filter.column];
    case 'not':
      return columnsOf(filter.of);
    case 'and':
    case 'or':
      return filter.of.flatMap(columnsOf);
  }
}

/** Which rows a query uses, as plain data: what the door makes, and what threads evaluate. */
import type { DType } from '../../dtype.js';
import type { View } from '../../layout/view.js';
import type { SealedSet } from './value-set.js';

/** A dataset as filters and keys see it. */
export interface RowSource {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly view: View;
}

/** One value per row: that of row r stands at `offset + r * stride` bytes of the file of a source. */
export interface RowColumn {
  /** Position in the list of the query's sources; 0 is the dataset itself. */
  readonly source: number;
  readonly dtype: DType;
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

/**
 * Rows of a dataset, `sources[0]`: those that the filter keeps. As a join it stands for the values of its dataset, which
 * then has one axis.
 */
export interface RowFilter {
  readonly sources: readonly RowSource[];
  readonly filter: Filter;
  /** In the order in which `join` nodes number them. */
  readonly joins: readonly RowFilter[];
}

/** The sources whose columns a filter reads. */
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

/** What workers are told of columns, and what they answer. Plain data. */
import type { RowColumn } from '../filter/filter.js';

/**
 * Where the columns of a tile stand: along the axis of its elements that is kept, each complex number as two columns; or in
 * places of their own, as fields of structures do.
 */
export type ColumnPlaces =
  | { readonly kind: 'axis'; readonly isComplex: boolean }
  | { readonly kind: 'apart'; readonly columns: readonly RowColumn[] };

export interface ColumnsSpec {
  readonly kind: 'columns';
  /** Real numbers of a row. */
  readonly columns: number;
  readonly places: ColumnPlaces;
  /** Rows with a NaN are looked for, counted and left out. */
  readonly dropsNan: boolean;
}

export interface ColumnsPartial {
  /** moments.ts says what stands where. */
  readonly record: Float64Array;
}

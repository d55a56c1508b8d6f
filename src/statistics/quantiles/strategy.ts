/** How the elements that a query wants are found: in memory where cells fit into it, else in rounds over the data. */
import type { DType } from '../../dtype.js';
import { LIMITS } from '../../limits.js';
import { nativeTypeOf } from '../native-types.js';
import type { Query } from '../query.js';
import { keyBytesOf } from './bits.js';
import type { SearchBounds } from './search.js';
import type { Wanted } from './wanted.js';

/** Bounds that tests lower to search small arrays in many rounds. */
export interface SelectBounds extends SearchBounds {
  /** Keys of the cells of one chunk. */
  readonly cellBytesMax: number;
  /** A single cell of more elements is searched by all workers instead of gathered by one, */
  readonly soleCellElementsMax: number;
  /** unless so many quantiles are asked for that it would be searched too often. */
  readonly roundsQuantilesMax: number;
}

export const SELECT_BOUNDS: SelectBounds = {
  tablesMax: LIMITS.searchTablesMax,
  collectedMax: LIMITS.searchCollectedMax,
  cellBytesMax: LIMITS.cellBytesGatheredMax,
  soleCellElementsMax: LIMITS.soleCellElementsMax,
  roundsQuantilesMax: 4 * LIMITS.searchTablesMax,
};

/** What a query wants of the sorted data; undefined for nothing. */
export function wantedOf({ ops, parameters }: Query, dtype: DType): Wanted | undefined {
  const median = ops.includes('median');
  const quantile = parameters?.quantile;
  return median || quantile ? { dtype, median, quantile } : undefined;
}

/** True where cells of `cellSize` elements, more than none, are gathered. */
export function isGathered(wanted: Wanted, cells: number, cellSize: number, bounds: SelectBounds): boolean {
  if (cellSize * keyBytesOf(nativeTypeOf(wanted.dtype)) > bounds.cellBytesMax) return false;
  const isOften = (wanted.quantile?.q.length ?? 0) > bounds.roundsQuantilesMax;
  return cells > 1 || cellSize <= bounds.soleCellElementsMax || isOften;
}

/** True where a search begins with the range of its elements: for integers that have more bits than a table has indices. */
export function usesExtentOf(wanted: Wanted, cells: number, cellSize: number, bounds: SelectBounds): boolean {
  const { kind, itemsize } = wanted.dtype;
  return kind !== 'f' && itemsize > 2 && cells <= bounds.tablesMax && !isGathered(wanted, cells, cellSize, bounds);
}

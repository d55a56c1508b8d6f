/** How the elements that a query wants are found: in memory where its cells fit there, else in passes over the data. */
import { isTime, type DType } from '../../dtype/index.js';
import { LIMITS } from '../../limits.js';
import type { Box } from '../../scan/box.js';
import { NATIVE_BYTES, nativeTypeOf } from '../../kernels/native-types.js';
import type { Query } from '../query.js';
import type { ScanBounds } from '../../scan/scan.js';
import { keyBytesOf } from '../../kernels/sort-keys.js';
import type { Wanted } from './wanted.js';

/** Bounds that tests lower to search small arrays in many passes; see also SearchBounds. */
export interface QuantileBounds {
  /** Cells that are searched together. */
  readonly tablesMax: number;
  /** Keys of the cells of one chunk. */
  readonly cellBytesMax: number;
  /** A single cell of more elements is searched by all workers instead of gathered by one, */
  readonly soleCellElementsMax: number;
  /** unless so many quantiles are asked for that it would be searched too often. */
  readonly searchedQuantilesMax: number;
}

export const QUANTILE_BOUNDS: QuantileBounds = {
  tablesMax: LIMITS.searchTablesMax,
  cellBytesMax: LIMITS.cellBytesGatheredMax,
  soleCellElementsMax: LIMITS.soleCellElementsMax,
  searchedQuantilesMax: 4 * LIMITS.searchTablesMax,
};

/** What is wanted of the sorted data, and how it is found. */
export interface QuantilePlan {
  readonly wanted: Wanted;
  readonly bounds: QuantileBounds;
  /** Each chunk of the scan has all elements of its cells. */
  readonly isGathered: boolean;
  /** The search begins with the range of the elements, which accumulators measure. */
  readonly usesExtent: boolean;
}

/** What a query wants of the sorted data; undefined for nothing. */
export function wantedOf({ ops, parameters }: Pick<Query, 'ops' | 'parameters'>, dtype: DType): Wanted | undefined {
  const median = ops.includes('median');
  const quantile = parameters?.quantile;
  return median || quantile ? { dtype, median, quantile } : undefined;
}

/** Undefined where nothing is wanted. `keepsRows`: cells are those of chosen rows, however few these may turn out to be. */
export function planQuantiles(
  query: Query,
  dtype: DType,
  cells: number,
  cellSize: number,
  keepsRows: boolean,
  bounds: QuantileBounds,
): QuantilePlan | undefined {
  const wanted = wantedOf(query, dtype);
  if (!wanted) return undefined;
  const isOften = (wanted.quantile?.q.length ?? 0) > bounds.searchedQuantilesMax;
  const isGathered =
    cellSize * keyBytesOf(nativeTypeOf(dtype)) <= bounds.cellBytesMax &&
    (keepsRows || cells > 1 || cellSize <= bounds.soleCellElementsMax || isOften);
  // Integers that have more bits than a table has indices; NaT lies outside the range of times, and is counted with it.
  const isLong = dtype.kind !== 'f' && dtype.itemsize > 2;
  const isRanged = isTime(dtype) || (isLong && cells <= bounds.tablesMax);
  const usesExtent = isRanged && !isGathered && cells * cellSize > 0;
  return { wanted, bounds, isGathered, usesExtent };
}

/** Cells that a chunk gathers at most: a strip of neighbours where cells lie side by side. */
export function gatheredCellsOf(
  { wanted, bounds: { cellBytesMax } }: QuantilePlan,
  cellSize: number,
  box: Box,
  { chunkBytesMax, chunkCellsMax }: ScanBounds,
): number {
  const keyBytes = keyBytesOf(nativeTypeOf(wanted.dtype));
  const isStrip = box.axes.at(-1)?.kept === true;
  const bytesMax = isStrip ? cellBytesMax : Math.min(chunkBytesMax, cellBytesMax);
  return Math.max(1, Math.min(chunkCellsMax, Math.floor(bytesMax / (cellSize * keyBytes))));
}

/** Elements that are looked for, neighbours counted once: they mostly lie in one interval. */
function soughtOf({ median, quantile }: Wanted): number {
  return (median ? 1 : 0) + (quantile?.q.length ?? 0);
}

/** How often the data is read, as a rule: elements that are many times there, or far apart, take more. */
export function passesOf({ wanted, bounds, isGathered, usesExtent }: QuantilePlan): number {
  const bytes = NATIVE_BYTES[nativeTypeOf(wanted.dtype)];
  if (isGathered || bytes <= 2) return 1;
  // The more elements are looked for, the fewer bits of their keys does a pass find.
  const bits = Math.min(16, Math.floor(Math.log2((TABLE_LENGTH * bounds.tablesMax) / soughtOf(wanted))));
  return (usesExtent ? 2 : 1) + Math.ceil(16 / bits) + (bytes === 8 ? 1 : 0);
}

/** Bytes of the tables of a search, and of those on their way from the workers. */
export function tableBytesOf({ wanted, bounds, isGathered }: QuantilePlan, cells: number): number {
  if (isGathered) return 0;
  const tables = Math.min(bounds.tablesMax, Math.max(cells, soughtOf(wanted)));
  return tables * TABLE_LENGTH * 4 * (Float64Array.BYTES_PER_ELEMENT / 4 + PARTIALS_UNDER_WAY);
}

const TABLE_LENGTH = 65_536;
const PARTIALS_UNDER_WAY = 4;

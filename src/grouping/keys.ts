/** What tells the groups of `group_by` apart, as plain data for the workers. */
import type { RowColumn } from '../filter/filter.js';
import type { TimeBlocks } from '../kernels/time-blocks.js';

/** A key of a row: what it has in a column, or where it stands itself. */
export type GroupKey = ColumnKey | RowsKey;

/** The value of a column, or the number of the bin, or of the block of time, that it lies in. */
export interface ColumnKey {
  readonly column: RowColumn;
  /** Bits of its codes. */
  readonly bits: number;
  /** Codes of the lower ends of the bins, ascending, in shared memory. Rows outside them are left out by the filter. */
  readonly bins?: BigUint64Array | undefined;
  readonly blocks?: TimeBlocks | undefined;
}

/** The number of the stretch of so many rows that it lies in. */
interface RowsKey {
  readonly column?: undefined;
  readonly bits: number;
  readonly rows: number;
}

/** The columns that keys are read from. */
export function columnsOfKeys(keys: readonly GroupKey[]): RowColumn[] {
  return keys.flatMap(({ column }) => column ?? []);
}

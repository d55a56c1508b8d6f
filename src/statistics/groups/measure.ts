/** What a round over groups measures, and what comes back: plain data between threads. */
import type { RowColumn } from '../filter/filter.js';
import type { NativeType } from '../../kernels/native-types.js';

/** A key of a row: the value of a column, or the number of the bin that it lies in. */
export interface GroupKey {
  readonly column: RowColumn;
  /** Bits of its codes. */
  readonly bits: number;
  /** Codes of the lower ends of the bins, ascending, in shared memory. Rows outside them are left out by the filter. */
  readonly bins: BigUint64Array | undefined;
}

/** Keys side by side in one code of 64 bits; those of many bits have one each. Codes order as the keys do. */
export function partsOf(keys: readonly GroupKey[]): readonly (readonly GroupKey[])[] {
  const parts: GroupKey[][] = [];
  let free = 0;
  for (const key of keys) {
    if (key.bits > free) {
      parts.push([]);
      free = 64;
    }
    parts.at(-1)!.push(key);
    free -= key.bits;
  }
  return parts;
}

/**
 * What is kept per cell of a group. Records are those of the kernels (kernels/scalar/groups.ts); `wide` is the sum of
 * 64-bit integers. `present` counts the elements that are not NaN.
 */
export const RECORDS = {
  present: { bytes: 4 },
  nonzero: { bytes: 4 },
  sum: { bytes: 16 },
  wide: { bytes: 16 },
  moments: { bytes: 48 },
  extremes: { bytes: 16 },
  product: { bytes: 24 },
} as const;

export type RecordName = keyof typeof RECORDS;

export interface GroupsMeasure {
  readonly kind: 'groups';
  readonly keys: readonly GroupKey[];
  readonly records: readonly RecordName[];
  readonly type: NativeType;
  /** NaN are left out of all records. */
  readonly dropsNan: boolean;
}

/** Bytes of the records, as the kernels left them. */
export type RecordBytes = { readonly [R in RecordName]?: Uint8Array<ArrayBuffer> };

/** Groups as they were found in one chunk, in the order in which they appeared; one may be there more than once. */
export interface GroupsPartial extends RecordBytes {
  /** Cells of the answer's cells that the chunk has, of each group. */
  readonly cellStart: number;
  /** Cells of all its groups. */
  readonly cellCount: number;
  readonly groups: number;
  /** Codes of each group, part by part. */
  readonly keys: BigUint64Array<ArrayBuffer>;
  /** Rows of each group; 0 where another chunk has counted them. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** What rounds that look for elements of groups measure, and what comes back: plain data between threads. */
import type { GroupKey } from '../measure.js';
import type { Scale } from './scale.js';

/** A few rows: how many groups there may be, and what the values are like. */
export interface SampleMeasure {
  readonly kind: 'group-sample';
  readonly keys: readonly GroupKey[];
}

export interface SamplePartial {
  readonly cellStart: number;
  readonly cellCount: number;
  readonly rows: number;
  /** Different ones, part by part. */
  readonly keys: BigUint64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** Groups as they appear, and how many of their values lie in each bucket of a scale. */
export interface BucketsMeasure {
  readonly kind: 'group-buckets';
  readonly keys: readonly GroupKey[];
  readonly scale: Scale;
}

/** As narrow as their values allow. */
export type Counters = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** A group may be there more than once. */
export interface BucketsPartial {
  readonly cellStart: number;
  readonly cellCount: number;
  readonly groups: number;
  readonly keys: BigUint64Array<ArrayBuffer>;
  /** Elements of each cell of each group: those that are NaN, and the others. */
  readonly missing: Uint32Array<ArrayBuffer>;
  readonly present: Uint32Array<ArrayBuffer>;
  /** Buckets of each cell of each group; undefined where there were too many groups. */
  readonly counters: Counters | undefined;
}

/** Where a round looks: ranges of codes of some consecutive cells. In shared memory. */
export interface Ranges {
  readonly firstCell: number;
  readonly cellCount: number;
  /** The lowest and the highest value in the ranges of each cell, of the type of the elements. */
  readonly hulls: Uint8Array;
  /** The number of the first range of each cell, and behind the last one. */
  readonly starts: Uint32Array;
  /** Lowest code and distance to the highest of each range. */
  readonly ranges: BigUint64Array;
}

/** All groups, in the order of their ordinals, and where to look for which of their elements. */
interface RangesMeasure {
  readonly keys: readonly GroupKey[];
  /** Codes of all groups, part by part, ascending. */
  readonly known: BigUint64Array;
  readonly cellsPerGroup: number;
  readonly where: Ranges;
}

/** How many elements lie in each of the 2 ** bits buckets of each range. */
export interface DigitsOfGroupsMeasure extends RangesMeasure {
  readonly kind: 'group-digits';
  readonly bits: number;
}

export interface DigitsOfGroupsPartial {
  readonly cellStart: number;
  readonly cellCount: number;
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** The elements that lie in ranges. */
export interface CodesMeasure extends RangesMeasure {
  readonly kind: 'group-codes';
}

export interface CodesPartial {
  readonly cellStart: number;
  readonly cellCount: number;
  /** Codes of types of less than 64 bits are half as wide. */
  readonly codes: Uint32Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;
  /** The number of the range that each lies in. */
  readonly ranges: Uint32Array<ArrayBuffer>;
}

/** The answer of a query, as plain data. */
import type { DType, NumberDType } from '../dtype/index.js';
import type { TextKey } from '../filter/texts.js';
import type { OpName } from './ops.js';

/** An array of numbers. */
export interface Numbers {
  /** Dtype as an array: `<f8`, `<i8`, `<u8`, `|b1`, or the dataset's own in native order. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** C order. Booleans are 0 and 1; integers are bigint where one of them is beyond 2 ** 53. */
  readonly values: Float64Array | readonly bigint[];
}

/** Distinct elements, ascending. */
export interface Distinct {
  /** The dataset's own, little-endian. */
  readonly dtype: DType;
  /** Of complex numbers both parts of each; texts as keys. */
  readonly values: Float64Array | readonly bigint[] | readonly TextKey[];
}

/** The answer of one operation. */
export interface OperationResult extends Numbers {
  readonly op: OpName;
  /** What it is called among the results. */
  readonly name: string;
  /** Of a histogram, whose values are the counts. */
  readonly edges?: Numbers;
  /** Of unique, whose values are the counts. */
  readonly distinct?: Distinct;
}

export interface StatisticsResult {
  /** The reduced axes, ascending; null for all. */
  readonly axis: readonly number[] | null;
  /** Elements used: one number, or one per cell where `omit` makes them differ. */
  readonly count: number | OperationResult;
  readonly results: readonly OperationResult[];
  /** Where rows are grouped: results and counts have an axis of groups first. */
  readonly grouped?: GroupedResult;
}

/** The groups of an answer, in the ascending order of their keys. */
export interface GroupedResult {
  readonly groups: number;
  /** Keys are answered as lists, as they were asked for. */
  readonly isList: boolean;
  readonly keys: readonly GroupKeyValues[];
  /** Elements used in each cell of each group. */
  readonly counts: OperationResult;
}

/** One key of all groups. */
export type GroupKeyValues =
  /** Numbers: bigint where 64-bit integers need it. */
  | { readonly kind: 'numbers'; readonly dtype: NumberDType; readonly values: Float64Array | readonly bigint[] }
  /** Texts and dates; or counts of durations, whose digits are bare in JSON, and "NaT". */
  | { readonly kind: 'texts' | 'counts'; readonly values: readonly string[] }
  /** The number of the bin, and the edges of all bins. */
  | { readonly kind: 'bins'; readonly values: Float64Array; readonly edges: readonly (number | bigint | string)[] };

/**
 * What goes between the threads: for each kind of pass what a worker is told (a spec) and what it answers (a partial). All of
 * it is plain data; large constants are views of SharedArrayBuffers, so that sending them costs nothing.
 */
import type { ColumnsPartial, ColumnsSpec } from '../columns/index.js';
import type { GroupKey } from '../grouping/keys.js';
import type { TextDType } from '../dtype/index.js';
import type { RowColumn } from '../filter/filter.js';
import type { CountedItems } from '../kernels/distinct-items.js';
import type { NativeType } from '../kernels/native-types.js';
import type { Scale } from './groups/quantiles/scale.js';
import type { Wanted } from './quantiles/wanted.js';
import type { AccumulatorName } from './accumulators/index.js';
import type { Fields } from './accumulators/accumulator.js';
import type { BinSpec } from '../kernels/bins.js';

/** The cells `[cellStart, cellStart + cellCount)` of the plan, which something is about. */
interface CellSpan {
  readonly cellStart: number;
  readonly cellCount: number;
}

interface ReduceSpec {
  readonly kind: 'reduce';
  readonly accumulators: readonly AccumulatorName[];
  /** NaN are looked for, and left out of the count; extremes leave them out anyway. */
  readonly countsNan: boolean;
  /** And left out of every other field, too; else they flow through the arithmetic. */
  readonly omitsNan: boolean;
}

/**
 * The mergeable result of one chunk, for cells `[cellStart, cellStart + cellCount)` of the plan: plain data, whose
 * buffers can be transferred between threads.
 */
interface ChunkPartial extends CellSpan {
  readonly fields: Fields;
  /** Elements of the chunk behind each of its cells, NaN included. */
  readonly cellSize: number;
}

interface RowCountSpec {
  readonly kind: 'row-counts';
  /** Rows of a piece; chunks are made of whole pieces. */
  readonly pieceRows: number;
}

interface RowCountPartial extends CellSpan {
  /** Kept rows of each piece of the chunk. */
  readonly counts: Float64Array<ArrayBuffer>;
}

interface RowNumberSpec {
  readonly kind: 'row-numbers';
}

interface RowNumberPartial extends CellSpan {
  /** Kept rows, counted from the first of the chunk, ascending. */
  readonly numbers: Uint32Array<ArrayBuffer>;
  /** Rows of the chunk. */
  readonly rows: number;
}

/** Different texts of a column, of the rows that are used, as they stand in the file. */
interface TextsSpec {
  readonly kind: 'texts';
  readonly column: RowColumn & { readonly dtype: TextDType };
}

interface GroupsSpec {
  readonly kind: 'groups';
  readonly keys: readonly GroupKey[];
  readonly accumulators: readonly AccumulatorName[];
  readonly type: NativeType;
  /** NaN are left out of accumulators that count them or have no order for them, */
  readonly dropsNan: boolean;
  /** and of all others, too: `nan=omit`. */
  readonly omitsNan: boolean;
  /** From a row to the next in the order of the answer: -1 where the slice is reversed. */
  readonly indexStep: 1 | -1;
}

/** What the rows of one chunk add to those of the answer's cells that it has: `cellCount` cells of each group. */
interface GroupsPartial extends CellSpan {
  /** A group may be in several. */
  readonly segments: readonly GroupsSegment[];
}

/** Groups in the order in which they appeared. */
export interface GroupsSegment {
  readonly groups: number;
  /** Of the cells of the first group, then of the next. */
  readonly fields: Fields;
  /** Codes of each group, part by part. */
  readonly keys: BigUint64Array<ArrayBuffer>;
  /** Rows of each group; 0 where another chunk has counted them. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** A few rows: how many groups there may be, and what the values are like. */
interface SampleSpec {
  readonly kind: 'group-sample';
  readonly keys: readonly GroupKey[];
}

interface SamplePartial extends CellSpan {
  readonly rows: number;
  /** Different ones, part by part. */
  readonly keys: BigUint64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** Groups as they appear, and how many of their values lie in each bucket of a scale. */
interface BucketsSpec {
  readonly kind: 'group-buckets';
  readonly keys: readonly GroupKey[];
  readonly scale: Scale;
}

/** As narrow as their values allow. */
export type Counters = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

interface BucketsPartial {
  /** A group may be in several. */
  readonly counted: readonly BucketsSegment[];
}

export interface BucketsSegment {
  readonly groups: number;
  readonly keys: BigUint64Array<ArrayBuffer>;
  /** Elements of each cell of each group: those that are NaN, and the others. */
  readonly missing: Uint32Array<ArrayBuffer>;
  readonly present: Uint32Array<ArrayBuffer>;
  /** Buckets of each cell of each group; undefined where there were too many groups. */
  readonly counters: Counters | undefined;
}

/** Where a pass looks for elements by rank: ranges of sort keys of some consecutive cells. In shared memory. */
export interface KeyRanges {
  readonly firstCell: number;
  readonly cellCount: number;
  /** The least and the most value in the ranges of each cell, of the type of the elements. */
  readonly hulls: Uint8Array;
  /** The number of the first range of each cell, and behind the last one. */
  readonly starts: Uint32Array;
  /** Lowest key and distance to the highest of each range; those of a cell ascend. */
  readonly ranges: BigUint64Array;
}

/** All groups, in the order of their group indices. */
export interface KnownGroups {
  readonly keys: readonly GroupKey[];
  /** Codes of all groups, part by part, ascending. */
  readonly known: BigUint64Array;
  readonly cellsPerGroup: number;
}

interface SearchSpec {
  readonly where: KeyRanges;
  /** Undefined where the cells are those of axes. */
  readonly groups: KnownGroups | undefined;
}

/** How many elements lie in each of the 2 ** bits buckets of each range. */
interface KeyCountsSpec extends SearchSpec {
  readonly kind: 'key-counts';
  readonly bits: number;
  /**
   * No cell has more than one range, which holds all of its elements; among them is no NaN, or the range has all keys: then
   * it has as many buckets as the type has keys, at most 65,536, and NaN are in the last one.
   */
  readonly isWhole: boolean;
}

interface KeyCountsPartial {
  /** Range by range; where most are 0, pairs of the number of a counter and its count. */
  readonly counts: Uint32Array;
  readonly isPacked: boolean;
}

/** The sort keys of the elements that lie in ranges. */
interface KeysSpec extends SearchSpec {
  readonly kind: 'keys';
}

interface KeysPartial {
  /** Those of types of less than 64 bits are half as wide. */
  readonly keys: Uint32Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;
  /** The number of the range that each lies in. */
  readonly ranges: Uint32Array<ArrayBuffer>;
}

interface GatherSpec {
  readonly kind: 'gather';
  readonly wanted: Wanted;
  /** NaN are left out; else a cell with one answers NaN. */
  readonly omitsNan: boolean;
}

/** Values of 64-bit integers that were picked keep all their digits. */
export type Values = Float64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;

/** The answers of cells `[cellStart, cellStart + cellCount)`. */
interface GatherPartial extends CellSpan {
  readonly median: Values | undefined;
  /** Cell by cell. */
  readonly quantiles: Values | undefined;
}

interface HistogramSpec {
  readonly kind: 'histogram';
  /** One more than the bins, the last just above the last edge (spec.ts); shared between threads. */
  readonly edges: Float64Array;
  /** How bins of about equal width are counted; */
  readonly spec: BinSpec | undefined;
  /** others are looked for (startsOf). */
  readonly starts: Uint32Array | undefined;
}

interface HistogramPartial {
  /** Below the first edge and NaN, then of each bin, then above the last edge. */
  readonly counts: Uint32Array<ArrayBuffer>;
  readonly nans: number;
}

/** Distinct numbers and dates, by their codes; more than LIMITS.uniqueMax where not all are there. */
interface UniqueCodesSpec {
  readonly kind: 'unique-codes';
}

/** Distinct texts as they stand in the file, and complex numbers by the codes of both parts. */
interface UniqueItemsSpec {
  readonly kind: 'unique-items';
}

/** Each kind of sink: its spec, and the partial that a worker answers with. Both are plain data. */
export interface SinkTypes {
  readonly reduce: { readonly spec: ReduceSpec; readonly partial: ChunkPartial };
  readonly 'row-counts': { readonly spec: RowCountSpec; readonly partial: RowCountPartial };
  readonly 'row-numbers': { readonly spec: RowNumberSpec; readonly partial: RowNumberPartial };
  readonly texts: { readonly spec: TextsSpec; readonly partial: CountedItems };
  readonly groups: { readonly spec: GroupsSpec; readonly partial: GroupsPartial };
  readonly 'group-sample': { readonly spec: SampleSpec; readonly partial: SamplePartial };
  readonly 'group-buckets': { readonly spec: BucketsSpec; readonly partial: BucketsPartial };
  readonly gather: { readonly spec: GatherSpec; readonly partial: GatherPartial };
  readonly 'key-counts': { readonly spec: KeyCountsSpec; readonly partial: KeyCountsPartial };
  readonly keys: { readonly spec: KeysSpec; readonly partial: KeysPartial };
  readonly histogram: { readonly spec: HistogramSpec; readonly partial: HistogramPartial };
  readonly 'unique-codes': { readonly spec: UniqueCodesSpec; readonly partial: CountedItems };
  readonly 'unique-items': { readonly spec: UniqueItemsSpec; readonly partial: CountedItems };
  readonly columns: { readonly spec: ColumnsSpec; readonly partial: ColumnsPartial };
}

export type SinkName = keyof SinkTypes;

export type SpecOf<K extends SinkName> = SinkTypes[K]['spec'];

export type PartialOf<K extends SinkName> = SinkTypes[K]['partial'];

/** What a sink of every chunk of a pass is told. Large constants are views of SharedArrayBuffers, so that sending costs nothing. */
export type SinkSpec = SinkTypes[SinkName]['spec'];

export type SinkPartial = SinkTypes[SinkName]['partial'];

/**
 * What a computation is made of. A part answers some of a query's operations and reads the data in one or more rounds;
 * parts whose rounds walk the same chunks share them. A new kind of part is a row in Kinds, a row in MEASUREMENTS
 * (what a worker does) and its own file (what its partials mean).
 */
import type { OperationResult } from './finish.js';
import type { ChunkPartial, FieldName } from './fields.js';
import type { GroupsMeasure, GroupsPartial } from './groups/measure.js';
import type {
  BucketsMeasure,
  BucketsPartial,
  CodesMeasure,
  CodesPartial,
  DigitsOfGroupsMeasure,
  DigitsOfGroupsPartial,
  SampleMeasure,
  SamplePartial,
} from './groups/select/measures.js';
import type { RowsMeasure, RowsPartial } from './rows/count.js';
import type { BinsMeasure, BinsPartial } from './histogram/bins.js';
import type { CellsMeasure, CellsPartial } from './quantiles/cells.js';
import type { DigitsMeasure, DigitsPartial } from './quantiles/digits.js';
import type { Walk } from './walk.js';

/** Each kind of measure, with the mergeable partial that a worker answers with. Both are plain data. */
export interface Kinds {
  readonly reduce: { readonly measure: ReduceMeasure; readonly partial: ChunkPartial };
  readonly rows: { readonly measure: RowsMeasure; readonly partial: RowsPartial };
  readonly groups: { readonly measure: GroupsMeasure; readonly partial: GroupsPartial };
  readonly 'group-sample': { readonly measure: SampleMeasure; readonly partial: SamplePartial };
  readonly 'group-buckets': { readonly measure: BucketsMeasure; readonly partial: BucketsPartial };
  readonly 'group-digits': { readonly measure: DigitsOfGroupsMeasure; readonly partial: DigitsOfGroupsPartial };
  readonly 'group-codes': { readonly measure: CodesMeasure; readonly partial: CodesPartial };
  readonly cells: { readonly measure: CellsMeasure; readonly partial: CellsPartial };
  readonly digits: { readonly measure: DigitsMeasure; readonly partial: DigitsPartial };
  readonly bins: { readonly measure: BinsMeasure; readonly partial: BinsPartial };
}

export type Kind = keyof Kinds;
/** What every chunk of a round measures. Large constants are views of SharedArrayBuffers, so that sending costs nothing. */
export type Measure = Kinds[Kind]['measure'];
export type SinkPartial = Kinds[Kind]['partial'];

export interface ReduceMeasure {
  readonly kind: 'reduce';
  readonly fields: readonly FieldName[];
  /** NaN are looked for, and left out of the count; extremes leave them out anyway. */
  readonly countsNan: boolean;
  /** And left out of every other field, too; else they flow through the arithmetic. */
  readonly omitsNan: boolean;
}

export interface Part {
  /**
   * The next round, undefined when nothing more has to be read. Called once before the first round and once after each,
   * when all of its partials have been merged.
   */
  next(): Round | undefined;
  /** Takes the next partial of the round, in the order of the chunks. @throws nan_found */
  /** In turns, where a partial is long. */
  merge(partial: SinkPartial): Generator<void, void> | void;
  /** The operations that it answers, by their position in the query, in turns of a few milliseconds. */
  finish(): Generator<void, ReadonlyMap<number, OperationResult>>;
}

/** A walk without chunks is a turn for whatever else the event loop has to do. */
export interface Round {
  readonly walk: Walk;
  readonly measure: Measure;
  /** What is measured beside it. */
  readonly also?: readonly Measure[];
}

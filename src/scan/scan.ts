/**
 * How a selection is cut into chunks. Chunks are numbered, have a fixed order that does not depend on who computes them,
 * and are made on demand: a scan over any number of elements is a few numbers.
 */
import type { DType } from '../dtype/index.js';
import type { View } from '../layout/view.js';
import { type Box, type Grid, gridOf, UNBOUNDED } from './box.js';
import type { Filter, RowColumn } from '../filter/filter.js';

export interface Scan {
  /** Which of the computation's datasets it reads: 0 is the one that was asked about. */
  readonly source: number;
  readonly dtype: DType;
  readonly box: Box;
  readonly grid: Grid;
  readonly chunkCount: number;
  /** Bytes of useful data that the chunks read together. */
  readonly bytes: number;
  readonly tileBytesMax: number;
  /** Where rows are chosen while they are scanned. */
  readonly rows?: ScanRows;
  /** Of the pieces of the grid, every so many-th is a chunk: for samples. */
  readonly every?: number;
}

/** Elements that a chunk reads beside its own: a column that filters or groups its rows, of any dataset. */
export interface ColumnView {
  /** Which of the computation's datasets. */
  readonly source: number;
  readonly dtype: DType;
  readonly view: View;
}

/**
 * The unit of work: plain data that may cross threads. Its own elements are those of `view`; `bytes` is what they and its
 * columns take without gaps.
 */
export interface ChunkTask extends ColumnView {
  readonly dtype: DType;
  readonly bytes: number;
  readonly tileBytesMax: number;
  readonly box: Box;
  /** The cells of the answer that it adds to: `[cellStart, cellStart + cellCount)`. */
  readonly cellStart: number;
  readonly cellCount: number;
  /** Elements that its sinks see. */
  readonly elements: number;
  readonly columns?: readonly ColumnView[];
  readonly rows?: ChunkRows;
}

export interface ScanBounds {
  readonly chunkBytesMax: number;
  readonly chunkCellsMax: number;
  /** From the first to the last byte of a chunk, however few of them are its elements'. */
  readonly chunkSpanBytesMax: number;
  readonly tileBytesMax: number;
}

/**
 * Cuts a box. `origin` is where the array starts in its file: chunks begin at multiples of their length from there, so
 * that row ranges of one array share most of their chunks. Undefined: from where the box starts.
 */
export function scanOver(dtype: DType, box: Box, origin: number | undefined, bounds: ScanBounds): Scan {
  const grid = gridOf(box.axes, bounds.chunkBytesMax / dtype.itemsize, {
    cellsMax: bounds.chunkCellsMax,
    reachMax: bounds.chunkSpanBytesMax,
    phase: phaseOf(box, origin),
  });
  const bytes = box.axes.reduce((product, axis) => product * axis.length, dtype.itemsize);
  return { source: 0, dtype, box, grid, chunkCount: grid.boxes, bytes, tileBytesMax: bounds.tileBytesMax };
}

/** Cuts a box so that each chunk has all elements of its cells, of which there are at most so many. */
export function scanOverCells(dtype: DType, box: Box, cellsMax: number, bounds: ScanBounds): Scan {
  const grid = gridOf(box.axes, Number.MAX_SAFE_INTEGER, { ...UNBOUNDED, cellsMax });
  return { ...scanOver(dtype, box, undefined, bounds), grid, chunkCount: grid.boxes };
}

/** A scan that reads nothing. */
export function emptyScan(dtype: DType, tileBytesMax: number): Scan {
  const box: Box = { axes: [], offset: 0, cell: 0, index: 0 };
  return { source: 0, dtype, box, grid: { lengths: [], boxes: 0, phase: 0 }, chunkCount: 0, bytes: 0, tileBytesMax };
}

/** Steps of the outermost axis that lie between the start of the array and that of the box. */
function phaseOf({ axes, offset }: Box, origin = offset): number {
  // Blocks are cut at their own ends.
  const stride = axes[0]?.blocks ? 0 : (axes[0]?.stride ?? 0);
  // Columns that go backwards begin before the first element that was asked for.
  return stride > 0 ? Math.max(0, Math.floor((offset - origin) / stride)) : 0;
}

export interface RowSlice {
  readonly start: number;
  readonly step: number;
  /** Rows that are used. */
  readonly length: number;
}

/** How many rows a filter keeps up to where. */
export interface KeptBefore {
  /** Rows of a piece, the last of which may have fewer. */
  readonly pieceRows: number;
  /** Kept rows before each piece, and behind the last one. */
  readonly counts: Float64Array;
}

/** What a scan knows of its rows. The box's axis of rows has no steps of its own: these are they. */
export interface ScanRows {
  /** Without joins. */
  readonly filter: Filter;
  /** What is read of each row beside its elements. */
  readonly columns: readonly RowColumn[];
  /** Cells, and index, from one used row to the next. */
  readonly cellStep: number;
  readonly indexStep: number;
  /** Undefined: all that the filter keeps. */
  readonly slice: RowSlice | undefined;
  /** Of the rows that the slice takes, those that this keeps are used. */
  readonly within: Filter | undefined;
  /** Undefined where nobody asks: rows are not kept in the answer, not sliced, not indexed. */
  readonly before: KeptBefore | undefined;
  /** Elements are read, not only counted. */
  readonly readsElements: boolean;
  /** Sinks get tiles with all their rows, and are told which are used. */
  readonly withRowIds: boolean;
}

/** The rows of one chunk. Plain data. */
export interface ChunkRows extends Omit<ScanRows, 'before'> {
  /** Number of the first row. */
  readonly first: number;
  /** Rows, used or not; 0 where it is known that none is used. */
  readonly length: number;
  /** Rows that the filter keeps before these; 0 where nobody asks. */
  readonly before: number;
  /** No other chunk with the same rows comes before it. */
  readonly isFirstStrip: boolean;
}

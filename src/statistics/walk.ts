/**
 * How a selection is cut into chunks. Chunks are numbered, have a fixed order that does not depend on who computes them,
 * and are made on demand: a walk over any number of elements is a few numbers.
 */
import type { DType } from '../dtype.js';
import { sizeOf, type View } from '../layout/view.js';
import { cellsIn, rowsChunkAt, type ChunkRows, type WalkRows } from './rows/rows-walk.js';
import { boxAt, cellsOf, gridOf, UNBOUNDED, viewOf, type Box, type Grid } from './axes.js';

export interface Walk {
  /** Which of the computation's datasets it reads: 0 is the one that was asked about. */
  readonly source: number;
  readonly dtype: DType;
  readonly box: Box;
  readonly grid: Grid;
  readonly chunkCount: number;
  /** Bytes of useful data that the chunks read together. */
  readonly bytes: number;
  readonly tileBytesMax: number;
  /** Where rows are chosen while they are walked. */
  readonly rows?: WalkRows;
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
  readonly bytes: number;
  readonly tileBytesMax: number;
  readonly box: Box;
  /** The cells of the answer that it adds to: `[cellStart, cellStart + cellCount)`. */
  readonly cellStart: number;
  readonly cellCount: number;
  /** Elements that its measurements see. */
  readonly elements: number;
  readonly columns?: readonly ColumnView[];
  readonly rows?: ChunkRows;
}

export interface WalkBounds {
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
export function walkOver(dtype: DType, box: Box, origin: number | undefined, bounds: WalkBounds): Walk {
  const grid = gridOf(box.axes, bounds.chunkBytesMax / dtype.itemsize, {
    cellsMax: bounds.chunkCellsMax,
    reachMax: bounds.chunkSpanBytesMax,
    phase: phaseOf(box, origin),
  });
  const bytes = box.axes.reduce((product, axis) => product * axis.length, dtype.itemsize);
  return { source: 0, dtype, box, grid, chunkCount: grid.boxes, bytes, tileBytesMax: bounds.tileBytesMax };
}

/** Cuts a box so that each chunk has all elements of its cells, of which there are at most so many. */
export function walkOverCells(dtype: DType, box: Box, cellsMax: number, bounds: WalkBounds): Walk {
  const grid = gridOf(box.axes, Number.MAX_SAFE_INTEGER, { ...UNBOUNDED, cellsMax });
  return { ...walkOver(dtype, box, undefined, bounds), grid, chunkCount: grid.boxes };
}

/** A walk over a part of another one, and the cells that it adds to. */
export function walkWithin(
  { source, dtype, rows }: Walk,
  box: Box,
  bounds: WalkBounds,
): { walk: Walk; cellStart: number; cellCount: number } {
  const walk: Walk = { ...walkOver(dtype, box, undefined, bounds), source, ...(rows && { rows }) };
  const cells = rows ? cellsIn(box, rows) : { cellStart: box.cell, cellCount: cellsOf(box) };
  return { walk, ...cells };
}

/** A walk that reads nothing. */
export function emptyWalk(dtype: DType, tileBytesMax: number): Walk {
  const box: Box = { axes: [], offset: 0, cell: 0, index: 0 };
  return { source: 0, dtype, box, grid: { lengths: [], boxes: 0, phase: 0 }, chunkCount: 0, bytes: 0, tileBytesMax };
}

/** Steps of the outermost axis that lie between the start of the array and that of the box. */
function phaseOf({ axes, offset }: Box, origin = offset): number {
  const stride = axes[0]?.stride ?? 0;
  return stride > 0 ? Math.floor((offset - origin) / stride) : 0;
}

/** Chunk `number` of a walk, from 0 to `walk.chunkCount - 1`. */
export function chunkAt(walk: Walk, chunk: number): ChunkTask {
  const number = chunk * (walk.every ?? 1);
  if (walk.rows) return rowsChunkAt(walk, walk.rows, number);
  const { source, dtype, box, grid, tileBytesMax } = walk;
  const piece = boxAt(box, grid, number);
  const view = viewOf(piece);
  const elements = sizeOf(view.shape);
  const bytes = elements * dtype.itemsize;
  const cellStart = piece.cell;
  return { source, dtype, view, bytes, elements, tileBytesMax, box: piece, cellStart, cellCount: cellsOf(piece) };
}

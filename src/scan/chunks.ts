/**
 * Chunks of a scan, made on demand. Where rows are chosen, the box of a scan covers all rows of the dataset; which of them
 * are used is found out chunk by chunk, by a filter and by a slice of what it keeps. Rows are numbered from the dataset's
 * first; of the rows that the filter keeps, the slice uses every `step`th from `start`.
 */
import { invariant } from '../errors.js';
import { sizeOf } from '../layout/view.js';
import { type Box, boxAt, cellsOf, type Grid, startOf, viewOf } from './box.js';
import type { RowColumn } from '../filter/filter.js';
import {
  type ChunkTask,
  type ColumnView,
  type RowSlice,
  type Scan,
  type ScanBounds,
  scanOver,
  type ScanRows,
} from './scan.js';

/** Chunk `number` of a scan with rows. */
function rowsChunkAt(scan: Scan, rows: ScanRows, number: number): ChunkTask {
  const { source, dtype, box, grid, tileBytesMax } = scan;
  const whole = boxAt(box, grid, number);
  const at = rowsAxisOf(whole);
  const { first } = whole.axes[at]!.rows!;
  const used = usedRows(rows, first, whole.axes[at]!.length);
  const length = used.count === 0 ? 0 : whole.axes[at]!.length;
  const piece: Box = { ...whole, axes: whole.axes.with(at, { ...whole.axes[at]!, length }) };
  const columns = rows.columns.map(column => columnView(column, first, length));
  const perRow = piece.axes.reduce((product, axis, i) => (i === at ? product : product * axis.length), 1);
  const view = viewOf(piece);
  const { readsElements } = rows;
  return {
    source,
    dtype,
    view: readsElements ? view : { ...view, shape: view.shape.map(() => 0) },
    bytes:
      (readsElements ? sizeOf(view.shape) * dtype.itemsize : 0) +
      columns.reduce((bytes, column) => bytes + length * column.dtype.itemsize, 0),
    tileBytesMax,
    box: piece,
    ...cellsIn(whole, rows),
    elements: perRow * used.count,
    columns,
    rows: {
      ...rows,
      first,
      length,
      before: used.before,
      isFirstStrip: isFirstStrip(box, grid, number, at),
    },
  };
}

/** The cells of the answer that the used rows of a box have: `[cellStart, cellStart + cellCount)`. */
function cellsIn(box: Box, rows: ScanRows): { cellStart: number; cellCount: number } {
  const { rows: own, kept, length } = box.axes[rowsAxisOf(box)]!;
  const used = usedRows(rows, own!.first, length);
  const perRow = box.axes.reduce((product, axis) => (axis.kept && !axis.rows ? product * axis.length : product), 1);
  if (kept && used.count === 0) return { cellStart: 0, cellCount: 0 };
  return { cellStart: box.cell + used.first * rows.cellStep, cellCount: perRow * (kept ? used.count : 1) };
}

/** Which axis of a box is that of rows. */
export function rowsAxisOf({ axes }: Box): number {
  const at = axes.findIndex(axis => axis.rows);
  invariant(at >= 0, 'a scan with rows has an axis of them');
  return at;
}

/** Whether a piece begins at the start of all axes but that of rows. */
export function isFirstStrip(box: Box, grid: Grid, number: number, rowsAt: number): boolean {
  return box.axes.every((_, axis) => axis === rowsAt || startOf(box, grid, number, axis) === 0);
}

/** What a column is read of `length` rows from `first`. */
export function columnView({ source, dtype, offset, stride }: RowColumn, first: number, length: number): ColumnView {
  return { source, dtype, view: { shape: [length], strides: [stride], offset: offset + first * stride } };
}

/** The used rows among `length` rows from `first`: the first of them, counted among all used rows, and how many. */
function usedRows(
  { before, slice }: ScanRows,
  first: number,
  length: number,
): { first: number; count: number; before: number } {
  if (!before) return { first: 0, count: length, before: 0 };
  const { pieceRows, counts } = before;
  invariant(first % pieceRows === 0, 'chunks begin where rows are counted');
  const from = counts[first / pieceRows]!;
  const to = counts[Math.ceil((first + length) / pieceRows)]!;
  return { ...sliced(slice, from, to), before: from };
}

/** Which used rows lie among kept rows `from` to `to`. */
export function sliced(slice: RowSlice | undefined, from: number, to: number): { first: number; count: number } {
  if (!slice) return { first: from, count: to - from };
  const { start, step, length } = slice;
  const first = Math.max(0, Math.ceil((from - start) / step));
  const end = Math.min(length, Math.max(0, Math.ceil((to - start) / step)));
  return { first, count: Math.max(0, end - first) };
}

/** A scan over a part of another one, and the cells that it adds to. */
export function scanWithin(
  { source, dtype, rows }: Scan,
  box: Box,
  bounds: ScanBounds,
): { scan: Scan; cellStart: number; cellCount: number } {
  const scan: Scan = { ...scanOver(dtype, box, undefined, bounds), source, ...(rows && { rows }) };
  const cells = rows ? cellsIn(box, rows) : { cellStart: box.cell, cellCount: cellsOf(box) };
  return { scan, ...cells };
}

/** Chunk `number` of a scan, from 0 to `scan.chunkCount - 1`. */
export function chunkAt(scan: Scan, chunk: number): ChunkTask {
  const number = chunk * (scan.every ?? 1);
  if (scan.rows) return rowsChunkAt(scan, scan.rows, number);
  const { source, dtype, box, grid, tileBytesMax } = scan;
  const piece = boxAt(box, grid, number);
  const view = viewOf(piece);
  const elements = sizeOf(view.shape);
  const bytes = elements * dtype.itemsize;
  const cellStart = piece.cell;
  return { source, dtype, view, bytes, elements, tileBytesMax, box: piece, cellStart, cellCount: cellsOf(piece) };
}

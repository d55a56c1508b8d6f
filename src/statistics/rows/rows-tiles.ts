/**
 * The tiles of a chunk whose rows are chosen: the filter is evaluated for the rows of a tile, and what is kept of the tile
 * is packed, so that measurements know nothing of filters. Those that group rows get the whole tile and the numbers of
 * the rows that are used. Tiles without such a row are not read.
 */
import { sizeOf } from '../../layout/view.js';
import { LIMITS } from '../../limits.js';
import { boxAt, gridOf, packedBox, startOf, viewOf, type Axis, type Box } from '../axes.js';
import type { Engine } from '../engine.js';
import { NATIVE_BYTES, nativeTypeOf } from '../native-types.js';
import { readNative, type Tile, type TileSource } from '../tiles.js';
import type { ChunkTask } from '../walk.js';
import { RowColumns } from './columns.js';
import type { RowMask } from './row-mask.js';
import { isFirstStrip, sliced, type ChunkRows, type RowSlice } from './rows-walk.js';

/** The used rows of a raw tile. */
export interface TileRows {
  readonly columns: RowColumns;
  /** The first row, counted from the chunk's first. */
  readonly first: number;
  /** No other tile with the same rows comes before it. */
  readonly isFirstStrip: boolean;
  /** Rows of the tile, used or not. */
  readonly total: number;
  /** Address of the numbers of the used rows in the tile, u32; 0: they are `start` to `start + count`. */
  readonly picked: number;
  readonly start: number;
  readonly count: number;
}

/** Calls back with each tile that has used rows; it is valid until the callback returns. */
export function eachRowsTile(
  engine: Engine,
  chunk: ChunkTask,
  rows: ChunkRows,
  masks: RowMasks,
  sources: readonly TileSource[],
  use: (tile: Tile) => void,
): void {
  if (rows.length === 0) return;
  const { box, dtype } = chunk;
  const at = box.axes.findIndex(axis => axis.isRows);
  const grid = gridOf(box.axes, chunk.tileBytesMax / dtype.itemsize, {
    cellsMax: Number.POSITIVE_INFINITY,
    reachMax: LIMITS.tileSpanBytesMax,
  });
  const type = nativeTypeOf(dtype);
  /** Rows that the filter keeps before the tile, and in it; several tiles may have the same rows. */
  let before = rows.before;
  let last = { start: 0, count: 0 };
  for (let number = 0; number < grid.boxes; number++) {
    const mark = engine.scratch.mark();
    const piece = boxAt(box, grid, number);
    const start = startOf(box, grid, number, at);
    const total = piece.axes[at]!.length;
    if (start > last.start) before += last.count;
    // The next strip of the other axes goes through all rows again.
    else if (start < last.start) before = rows.before;
    const columns = new RowColumns(engine, sources, rows.first + start, total);
    const kept = keptRows(engine, masks.filter, columns, total);
    const used = sliced(rows.slice, before, before + kept.count);
    const picked = pickWithin(engine, masks.within, columns, total, {
      ...pickSlice(engine, kept, rows.slice, used, before),
      count: used.count,
    });
    if (picked.count > 0) {
      const ptr = rows.readsElements ? readNative(engine, sources[chunk.source]!, dtype, viewOf(piece)) : 0;
      const isFirst = rows.isFirstStrip && isFirstStrip(box, grid, number, at);
      const tileRows: TileRows = { columns, first: start, isFirstStrip: isFirst, total, ...picked };
      use(
        rows.isRaw
          ? { type, ptr, box: rawBox(piece, chunk), rows: tileRows }
          : packRows(engine, { type, ptr, box: piece }, at, tileRows, used.first, chunk),
      );
    }
    last = { start, count: kept.count };
    engine.scratch.release(mark);
  }
}

/** The filters of a walk at work. */
export interface RowMasks {
  readonly filter: RowMask;
  /** Of the rows that the slice takes. */
  readonly within: RowMask | undefined;
}

interface Picked {
  readonly picked: number;
  readonly start: number;
}

function keptRows(engine: Engine, mask: RowMask, columns: RowColumns, total: number): Picked & { count: number } {
  if (mask.keepsAll) return { picked: 0, start: 0, count: total };
  const picked = engine.scratch.alloc(4 * total);
  return { picked, start: 0, count: mask.rowsOf(columns, total, picked) };
}

/** Of the kept rows, those that the slice uses. */
function pickSlice(
  { scratch }: Engine,
  kept: Picked,
  slice: RowSlice | undefined,
  used: { first: number; count: number },
  before: number,
): Picked {
  if (!slice || used.count === 0) return kept;
  const first = slice.start + used.first * slice.step - before;
  if (slice.step === 1) {
    return kept.picked === 0 ? { picked: 0, start: kept.start + first } : { picked: kept.picked + 4 * first, start: 0 };
  }
  const picked = scratch.alloc(4 * used.count);
  const into = scratch.u32(picked, used.count);
  const from = kept.picked === 0 ? undefined : scratch.u32(kept.picked, first + (used.count - 1) * slice.step + 1);
  for (let i = 0; i < used.count; i++) {
    const row = first + i * slice.step;
    into[i] = from ? from[row]! : kept.start + row;
  }
  return { picked, start: 0 };
}

/** Of the rows that are taken, those that another filter keeps. */
function pickWithin(
  { scratch }: Engine,
  within: RowMask | undefined,
  columns: RowColumns,
  total: number,
  taken: Picked & { count: number },
): Picked & { count: number } {
  if (!within || taken.count === 0) return taken;
  const kept = scratch.alloc(4 * total);
  const numbers = scratch.u32(kept, within.rowsOf(columns, total, kept));
  const isKept = new Set(numbers);
  const picked = scratch.alloc(4 * taken.count);
  const into = scratch.u32(picked, taken.count);
  const from = taken.picked === 0 ? undefined : scratch.u32(taken.picked, taken.count);
  let count = 0;
  for (let i = 0; i < taken.count; i++) {
    const row = from ? from[i]! : taken.start + i;
    if (isKept.has(row)) into[count++] = row;
  }
  return { picked, start: 0, count };
}

/** As it was read: packed, axes apart, cells counted from the chunk's first. */
function rawBox(piece: Box, { cellStart }: ChunkTask): Box {
  const axes: Axis[] = [];
  let stride = 1;
  for (const axis of piece.axes.toReversed()) {
    axes.unshift({ ...axis, stride });
    stride *= axis.length;
  }
  return { ...piece, axes, offset: 0, cell: piece.cell - cellStart };
}

/** The used rows of a tile, side by side. */
function packRows(
  { scratch, kernels }: Engine,
  { type, ptr, box }: Tile,
  at: number,
  { picked, start, count, total }: TileRows,
  first: number,
  { cellStart, rows }: ChunkTask,
): Tile {
  const { cellStep, indexStep } = rows!;
  const innerBytes = sizeOf(box.axes.slice(at + 1).map(axis => axis.length)) * NATIVE_BYTES[type];
  const outer = sizeOf(box.axes.slice(0, at).map(axis => axis.length));
  const axes = box.axes.map(({ isRows: _, ...axis }, i) =>
    i === at ? { ...axis, length: count, cellStep, indexStep } : axis,
  );
  const packed = packedBox({
    axes,
    offset: 0,
    cell: box.cell - cellStart + first * cellStep,
    index: box.index + first * indexStep,
  });
  if (ptr === 0 || count === total) return { type, ptr, box: packed };
  if (picked === 0 && outer === 1) return { type, ptr: ptr + start * innerBytes, box: packed };
  const to = scratch.alloc(outer * count * innerBytes);
  for (let i = 0; i < outer; i++) {
    const from = ptr + (i * total + start) * innerBytes;
    if (picked === 0)
      scratch.u8(to + i * count * innerBytes, count * innerBytes).set(scratch.u8(from, count * innerBytes));
    else kernels.pickRows(from, innerBytes, innerBytes, picked, count, to + i * count * innerBytes);
  }
  return { type, ptr: to, box: packed };
}

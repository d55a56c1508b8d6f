/**
 * The tiles of a chunk whose rows are chosen: the filter is evaluated for the rows of a tile, and what is kept of the tile
 * is packed, so that sinks know nothing of filters. Those that group rows get the whole tile and the numbers of
 * the rows that are used. Tiles without such a row are not read.
 */
import { extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { isText } from '../dtype/index.js';
import { LIMITS } from '../limits.js';
import { boxAt, gridOf, packedBox, viewOf, type Axis, type Box } from './box.js';
import type { Engine } from '../kernels/engine.js';
import { nativeBytesOf, nativeTypeOf, type NativeType } from '../kernels/native-types.js';
import type { Tile, TileRows } from './tiles.js';
import type { ChunkRows, ChunkTask, ColumnView, RowSlice } from './scan.js';
import type { PlacedEntries } from './text-column.js';
import { NEAR_ROWS_MAX, nearColumnsOf, packNear, RowColumns } from './columns.js';
import type { RowMask } from './mask.js';
import { columnView, isFirstStrip, rowsAxisOf, sliced } from './chunks.js';
import { keptTogether, nativeView, type NativeView, type TileSource } from './native-view.js';

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
  const at = rowsAxisOf(box);
  const together = nearColumnsOf(chunk, rows);
  const rowsMax = together?.isWhole ? NEAR_ROWS_MAX : Number.POSITIVE_INFINITY;
  const grid = gridOf(box.axes.map(ofAnyRows), Math.min(rowsMax, chunk.tileBytesMax / dtype.itemsize), {
    cellsMax: Number.POSITIVE_INFINITY,
    reachMax: together?.isWhole ? Number.POSITIVE_INFINITY : LIMITS.tileSpanBytesMax,
    rowsMax: textRowsMax(rows),
  });
  const type = nativeTypeOf(dtype);
  /** Rows that the filter keeps before the tile, and in it; several tiles may have the same rows. */
  let before = rows.before;
  let last = { start: 0, count: 0 };
  for (let number = 0; number < grid.boxes; number++) {
    const mark = engine.scratch.mark();
    const piece = boxAt(box, grid, number);
    const start = piece.axes[at]!.rows!.first - rows.first;
    const total = piece.axes[at]!.length;
    if (start > last.start) before += last.count;
    // The next strip of the other axes goes through all rows again.
    else if (start < last.start) before = rows.before;
    const near = together?.isWhole ? sources : sourcesNear(sources, chunk, rows, piece, start, total);
    const columns = new RowColumns(engine, near, rows.first + start, total, masks.texts);
    const packed = together && packNear(engine, together, near, rows.first + start, total);
    packed?.forEach((ptr, i) => columns.put(together!.columns[i]!, ptr));
    const kept = keptRows(engine, masks.filter, columns, total);
    const used = sliced(rows.slice, before, before + kept.count);
    const picked = pickWithin(engine, masks.within, columns, total, {
      ...pickSlice(engine, kept, rows.slice, used, before),
      count: used.count,
    });
    if (picked.count > 0) {
      const ptr = together?.hasElements ? packed?.at(-1) : undefined;
      const elements = elementsOf(engine, near[chunk.source]!, chunk, piece, ptr);
      const isFirst = rows.isFirstStrip && isFirstStrip(box, grid, number, at);
      const tileRows: TileRows = {
        columns,
        first: start,
        isFirstStrip: isFirst,
        cellStart: chunk.cellStart,
        total,
        ...picked,
      };
      use(
        rows.withRowIds
          ? { type, ptr: elements.ptr, box: rawBox(piece, elements, nativeBytesOf(dtype), chunk), rows: tileRows }
          : packRows(engine, type, elements, piece, at, tileRows, used.first, chunk),
      );
    }
    last = { start, count: kept.count };
    engine.scratch.release(mark);
  }
}

/** Only chunks begin at multiples of rows. A tile of several rows that has part of each would have cells that lie apart. */
function ofAnyRows({ rows, ...axis }: Axis): Axis {
  return rows ? { ...axis, rows: { ...rows, multiple: 1 } } : axis;
}

/** The elements of a piece; `packed` is where they stand one after the other already, one of each row. */
function elementsOf(
  engine: Engine,
  source: TileSource,
  { dtype, rows }: ChunkTask,
  piece: Box,
  packed: number | undefined,
): NativeView {
  if (packed !== undefined) return { ptr: packed, strides: piece.axes.map(() => dtype.itemsize) };
  if (rows!.readsElements) return nativeView(engine, source, dtype, viewOf(piece));
  return { ptr: 0, strides: piece.axes.map(() => 0) };
}

/** The filters of a scan at work. */
export interface RowMasks {
  readonly filter: RowMask;
  /** Of the rows that the slice takes. */
  readonly within: RowMask | undefined;
  /** The texts that columns are compared with. */
  readonly texts: PlacedEntries;
}

/** Texts of a tile are read, or their places noted, all at once: so many rows of the longest. */
function textRowsMax({ columns }: ChunkRows): number {
  const texts = columns.filter(({ dtype }) => isText(dtype));
  const longest = texts.reduce((most, { dtype }) => Math.max(most, dtype.itemsize), 0);
  return longest === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.min(NEAR_ROWS_MAX, TEXT_BYTES_MAX / longest));
}

const TEXT_BYTES_MAX = 4 * 1024 * 1024;

/** The sources, where what a tile reads of each of them lies close together as one stretch. */
function sourcesNear(
  sources: readonly TileSource[],
  { source, dtype }: ChunkTask,
  { columns, readsElements, first }: ChunkRows,
  piece: Box,
  start: number,
  total: number,
): readonly TileSource[] {
  const reads: ColumnView[] = columns.map(column => columnView(column, first + start, total));
  if (readsElements) reads.push({ source, dtype, view: viewOf(piece) });
  return sources.map((each, i) => {
    const extents = reads.filter(read => read.source === i).map(read => extentOf(read.view, read.dtype.itemsize));
    const from = Math.min(...extents.map(extent => extent.start));
    const to = Math.max(...extents.map(extent => extent.end));
    return extents.length > 1 && to - from <= LIMITS.tileSpanBytesMax ? keptTogether(each, from, to) : each;
  });
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

/** As it stands in memory: axes apart, cells counted from the chunk's first. */
function rawBox(piece: Box, { strides }: NativeView, itemBytes: number, { cellStart }: ChunkTask): Box {
  const axes: Axis[] = [];
  for (const [i, axis] of piece.axes.entries()) axes.push({ ...axis, stride: strides[i]! / itemBytes });
  return { ...piece, axes, offset: 0, cell: piece.cell - cellStart };
}

/** The used rows of a tile, side by side. */
function packRows(
  engine: Engine,
  type: NativeType,
  { ptr, strides }: NativeView,
  box: Box,
  at: number,
  { picked, start, count }: TileRows,
  first: number,
  { cellStart, rows, dtype }: ChunkTask,
): Tile {
  const itemBytes = nativeBytesOf(dtype);
  const { cellStep, indexStep } = rows!;
  const { rows: _, ...rowAxis } = box.axes[at]!;
  const axes = box.axes.with(at, { ...rowAxis, length: count, cellStep, indexStep });
  const packed = packedBox({
    axes,
    offset: 0,
    cell: box.cell - cellStart + first * cellStep,
    index: box.index + first * indexStep,
  });
  if (!rows!.readsElements) return { type, ptr, box: packed };
  const lengths = axes.map(axis => axis.length);
  const from = { shape: lengths, strides, offset: ptr + (picked === 0 ? start * strides[at]! : 0) };
  if (picked === 0 && isContiguous(from, itemBytes)) return { type, ptr: from.offset, box: packed };
  const to = engine.scratch.alloc(sizeOf(lengths) * itemBytes);
  packAxes(engine, itemBytes, from, 0, from.offset, { at, picked }, to);
  return { type, ptr: to, box: packed };
}

/** Packs the elements from an axis on; answers the address behind them. */
function packAxes(
  engine: Engine,
  itemBytes: number,
  view: View,
  axis: number,
  from: number,
  rows: { readonly at: number; readonly picked: number },
  to: number,
): number {
  const { kernels, scratch } = engine;
  const stride = view.strides[axis]!;
  const count = view.shape[axis]!;
  const inner = { shape: view.shape.slice(axis + 1), strides: view.strides.slice(axis + 1), offset: 0 };
  const picked = axis === rows.at ? rows.picked : 0;
  const isWhole = axis >= rows.at || rows.picked === 0;
  if (isWhole && isContiguous(inner, itemBytes)) {
    const bytes = sizeOf(inner.shape) * itemBytes;
    kernels.pickRows(from, stride, bytes, picked, count, to);
    return to + count * bytes;
  }
  const numbers = picked === 0 ? undefined : scratch.u32(picked, count);
  for (let i = 0; i < count; i++) {
    to = packAxes(engine, itemBytes, view, axis + 1, from + (numbers ? numbers[i]! : i) * stride, rows, to);
  }
  return to;
}

/**
 * Columns that stand side by side in rows of a cache line or more: going through a tile once for each of them would fetch
 * every line, and every page's address, again. They are packed together, a few rows at a time, where the file is mapped.
 */
import type { RowColumn } from '../filter/filter.js';
import type { Engine } from '../engine.js';
import { isNumbers, type TileSource } from '../tiles.js';
import type { ChunkTask } from '../walk.js';
import type { ChunkRows } from './rows-walk.js';

/** Bytes of a row that are fetched together. */
const NEAR_BYTES = 64;

type Column = Pick<RowColumn, 'source' | 'dtype' | 'offset' | 'stride'>;

export interface NearColumns {
  /** At least two, of one source and stride. */
  readonly columns: readonly Column[];
  /** The elements themselves are one of them. */
  readonly hasElements: boolean;
  /** What they take of a row of the file, from the first one's start on. */
  readonly start: number;
  readonly end: number;
}

/** Those near the first column of a chunk; undefined where that stands alone. */
export function nearColumnsOf(chunk: ChunkTask, rows: ChunkRows): NearColumns | undefined {
  const [anchor] = rows.columns;
  if (!anchor || anchor.stride < NEAR_BYTES) return undefined;
  const elements = elementsColumn(chunk, rows, anchor.stride);
  const all: readonly Column[] = elements ? [...rows.columns, elements] : rows.columns;
  const columns = all.filter(column => isNear(anchor, column));
  if (columns.length < 2) return undefined;
  return {
    columns,
    hasElements: elements !== undefined && columns.at(-1) === elements,
    start: Math.min(...columns.map(({ offset }) => offset)),
    end: Math.max(...columns.map(({ offset, dtype }) => offset + dtype.itemsize)),
  };
}

/** The elements of a chunk as a column, where each row has one. */
function elementsColumn({ source, dtype, box, view }: ChunkTask, rows: ChunkRows, stride: number): Column | undefined {
  const isOne = rows.readsElements && box.axes.every(axis => (axis.rows ? axis.stride === stride : axis.length === 1));
  return isOne ? { source, dtype, offset: view.offset - rows.first * stride, stride } : undefined;
}

function isNear(anchor: Column, { source, dtype, offset, stride }: Column): boolean {
  return (
    source === anchor.source &&
    stride === anchor.stride &&
    isNumbers(dtype) &&
    stride % dtype.itemsize === 0 &&
    Math.abs(offset - anchor.offset) < NEAR_BYTES
  );
}

/** Packs `count` rows from `first`; answers where each column stands. Undefined where the file is not mapped. */
export function packNear(
  { kernels, scratch }: Engine,
  { columns, start, end }: NearColumns,
  sources: readonly TileSource[],
  first: number,
  count: number,
): readonly number[] | undefined {
  const { source, stride } = columns[0]!;
  const kept = sources[source]!.kept(start + first * stride, end + (first + count - 1) * stride);
  if (kept === undefined) return undefined;
  const places = columns.map(({ dtype }) => scratch.alloc(count * dtype.itemsize));
  const table = scratch.alloc(12 * columns.length);
  const words = scratch.u32(table, 3 * columns.length);
  for (const [i, { dtype, offset }] of columns.entries()) {
    words.set([kept + offset - start, dtype.itemsize, places[i]!], 3 * i);
  }
  kernels.packColumns(table, columns.length, stride, count);
  return places;
}

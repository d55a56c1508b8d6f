/** Columns of a stretch of rows as native numbers, each read once however often it is asked for. */
import { isNumber } from '../dtype/index.js';
import { invariant } from '../errors.js';
import type { Engine } from '../kernels/engine.js';
import { isText, isTime, numberDType, type NumberDType, type TextDType, type TimeDType } from '../dtype/index.js';
import { columnTypeOf, type RowColumn } from '../filter/filter.js';
import { NATIVE_TYPES, type NativeType } from '../kernels/native-types.js';
import type { View } from '../layout/view.js';
import { isNumbers, nativeView, type TileSource } from './native-view.js';
import type { PlacedEntries } from './text-column.js';
import { textBytes, textPlaces } from './text-column.js';
import { LIMITS } from '../limits.js';
import type { ChunkRows, ChunkTask } from './scan.js';

/** One value per row, in the kernels' memory. */
interface NativeColumn {
  readonly type: NativeType;
  /** The number that kernels know the type by. */
  readonly typeNumber: number;
  readonly ptr: number;
  /** Bytes from one value to the next. */
  readonly stride: number;
}

export class RowColumns {
  /** Number of the first row. */
  readonly first: number;
  readonly #engine: Engine;
  readonly #sources: readonly TileSource[];
  readonly #count: number;
  readonly #texts: PlacedEntries;
  readonly #known = new Map<string, NativeColumn>();
  /** The same by identity: blocks of rows ask again and again. */
  readonly #asked = new Map<RowColumn, NativeColumn>();

  /** Rows `first` to `first + count`. What is read stays in the scratch memory until its caller gives that back. */
  constructor(
    engine: Engine,
    sources: readonly TileSource[],
    first: number,
    count: number,
    texts: PlacedEntries = new Map(),
  ) {
    this.#engine = engine;
    this.#sources = sources;
    this.first = first;
    this.#count = count;
    this.#texts = texts;
  }

  get(column: RowColumn): NativeColumn {
    let known = this.#asked.get(column);
    if (known) return known;
    const key = nameOf(column);
    known = this.#known.get(key) ?? this.#read(column);
    this.#known.set(key, known);
    this.#asked.set(column, known);
    return known;
  }

  /** A column that has been packed already. */
  put(column: Column, ptr: number): void {
    this.#known.set(nameOf(column), native(columnTypeOf(column), ptr, column.dtype.itemsize));
  }

  /** Texts as they stand in the file: the address of the first, and bytes from one to the next. */
  items(column: RowColumn & { readonly dtype: TextDType }): { readonly ptr: number; readonly stride: number } {
    return textBytes(this.#engine, this.#sourceOf(column), column.dtype, this.#viewOf(column));
  }

  #read(column: RowColumn): NativeColumn {
    const { dtype } = column;
    const source = this.#sourceOf(column);
    const view = this.#viewOf(column);
    const type = columnTypeOf(column);
    if (isText(dtype)) {
      invariant(column.texts !== undefined, 'texts are known when they are compared');
      const entries = { ...column.texts, ptr: this.#texts.get(column.texts.id)! };
      return native(type, textPlaces(this.#engine, source, dtype, view, entries), 4);
    }
    const { ptr, strides } = nativeView(this.#engine, source, isTime(dtype) ? countsOf(dtype) : dtype, view);
    return native(type, ptr, strides[0]!);
  }

  #sourceOf({ source }: RowColumn): TileSource {
    const from = this.#sources[source];
    invariant(from !== undefined, 'a task has the sources of its columns');
    return from;
  }

  #viewOf({ offset, stride }: RowColumn): View {
    return { shape: [this.#count], strides: [stride], offset: offset + this.first * stride };
  }
}

function native(type: NativeType, ptr: number, stride: number): NativeColumn {
  return { type, typeNumber: NATIVE_TYPES.indexOf(type), ptr, stride };
}

/** Dates are read as the integers that they are. */
function countsOf({ byteOrder }: TimeDType): NumberDType {
  return numberDType(`${byteOrder}i8`);
}

function nameOf({ source, dtype, offset, texts }: Pick<RowColumn, 'source' | 'dtype' | 'offset' | 'texts'>): string {
  // Fields may lie over each other.
  return `${source}:${offset}:${dtype.typestr}:${texts?.id ?? ''}`;
}

/**
 * Bytes of a row that are fetched together: a cache line. Going through a tile once for each of several columns that stand
 * side by side would fetch every line, and every page's address, again. They are packed together, a few rows at a time,
 * where the file is mapped.
 */
const NEAR_BYTES = 64;

/** Rows of a tile that is packed: 64 KiB of each column of 4 bytes, so that some fit a second-level cache. */
export const NEAR_ROWS_MAX = 16 * 1024;

type Column = Pick<RowColumn, 'source' | 'dtype' | 'offset' | 'stride'>;

interface NearColumns {
  /** At least two, of one source and stride. */
  readonly columns: readonly Column[];
  /** The elements themselves are the last one. */
  readonly hasElements: boolean;
  /** Nothing else is read of the rows. */
  readonly isWhole: boolean;
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
  const hasElements = elements !== undefined && columns.at(-1) === elements;
  return {
    columns,
    hasElements,
    isWhole: columns.length === all.length && hasElements === rows.readsElements,
    start: Math.min(...columns.map(({ offset }) => offset)),
    end: Math.max(...columns.map(({ offset, dtype }) => offset + dtype.itemsize)),
  };
}

/** The elements of a chunk as a column, where each row has one. */
function elementsColumn({ source, dtype, box, view }: ChunkTask, rows: ChunkRows, stride: number): Column | undefined {
  if (!isNumber(dtype)) return undefined;
  const isOne = rows.readsElements && box.axes.every(axis => (axis.rows ? axis.stride === stride : axis.length === 1));
  return isOne ? { source, dtype, offset: view.offset - rows.first * stride, stride } : undefined;
}

function isNear(anchor: Column, { source, dtype, offset, stride }: Column): boolean {
  return (
    source === anchor.source &&
    stride === anchor.stride &&
    !isText(dtype) &&
    isNumbers(isTime(dtype) ? countsOf(dtype) : dtype) &&
    stride % dtype.itemsize === 0 &&
    Math.abs(offset - anchor.offset) < NEAR_BYTES
  );
}

/** Packs `count` rows from `first`; answers where each column stands. */
export function packNear(
  { kernels, scratch }: Engine,
  near: NearColumns,
  sources: readonly TileSource[],
  first: number,
  count: number,
): readonly number[] {
  const { columns } = near;
  const { source: number, stride } = columns[0]!;
  const source = sources[number]!;
  const places = columns.map(({ dtype }) => scratch.alloc(count * dtype.itemsize));
  const table = scratch.alloc(12 * columns.length);
  const words = scratch.u32(table, 3 * columns.length);
  const stretch = Math.max(1, Math.floor(LIMITS.tileSpanBytesMax / stride));
  for (let done = 0; done < count; done += stretch) {
    const length = Math.min(stretch, count - done);
    const row = (first + done) * stride;
    const kept = source.kept(row + near.start, row + (length - 1) * stride + near.end);
    for (const [i, { dtype, offset }] of columns.entries()) {
      const { itemsize } = dtype;
      const to = places[i]! + done * itemsize;
      if (kept !== undefined) words.set([kept + offset - near.start, itemsize, to], 3 * i);
      else
        source.read(
          { shape: [length], strides: [stride], offset: row + offset },
          itemsize,
          scratch.u8(to, length * itemsize),
        );
    }
    if (kept !== undefined) kernels.packColumns(table, columns.length, stride, length);
  }
  return places;
}

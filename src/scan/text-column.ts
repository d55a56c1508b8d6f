/** Columns of texts in the kernels' memory: as they stand in the file, or as places among the texts of a query. */
import type { Engine } from '../kernels/engine.js';
import { isNativeOrder, type TextDType } from '../dtype/index.js';
import type { RowColumn } from '../filter/filter.js';
import type { SealedTexts } from '../filter/texts.js';
import { extentOf, type View } from '../layout/view.js';
import type { TileSource } from './native-view.js';

/** Where the texts of a query stand, by their id. */
export type PlacedEntries = ReadonlyMap<number, number>;

/** Takes scratch memory that must outlive them. */
export function putTexts({ scratch }: Engine, columns: readonly RowColumn[]): PlacedEntries {
  const placed = new Map<number, number>();
  for (const { texts } of columns) {
    if (!texts || placed.has(texts.id)) continue;
    const ptr = scratch.alloc(texts.bytes.length);
    scratch.u8(ptr, texts.bytes.length).set(texts.bytes);
    placed.set(texts.id, ptr);
  }
  return placed;
}

/** Kernels know a form of text by its number (kernels/texts.ts). */
function formOf(dtype: TextDType): number {
  if (dtype.kind === 'S') return 0;
  return isNativeOrder(dtype) ? 1 : 2;
}

/** Texts that are read, where they are not in memory, a few at a time. */
const READ_BYTES_MAX = 256 * 1024;

/** u32 places of the texts of a view of one axis. */
export function textPlaces(
  engine: Engine,
  source: TileSource,
  dtype: TextDType,
  view: View,
  { ptr: entries, units, count: n }: SealedTexts & { readonly ptr: number },
): number {
  const { kernels, scratch } = engine;
  const [count = 0] = view.shape;
  const [stride = 0] = view.strides;
  const places = scratch.alloc(4 * count);
  const mark = scratch.mark();
  const rows = Math.max(1, Math.floor(READ_BYTES_MAX / dtype.itemsize));
  const { start, end } = extentOf(view, dtype.itemsize);
  const kept = source.kept(start, end);
  for (let from = 0; from < count; from += kept === undefined ? rows : count) {
    const length = kept === undefined ? Math.min(rows, count - from) : count;
    const piece = { shape: [length], strides: view.strides, offset: view.offset + from * stride };
    const ptr = kept ?? readItems(engine, source, dtype, piece);
    const step = kept === undefined ? dtype.itemsize : stride;
    kernels.textPlaces(formOf(dtype), ptr, step, length, dtype.length, entries, units, n, places + 4 * from);
    scratch.release(mark);
  }
  return places;
}

/** The texts of a view of one axis as they are, in place where they stand in memory already. */
export function textBytes(
  engine: Engine,
  source: TileSource,
  dtype: TextDType,
  view: View,
): { readonly ptr: number; readonly stride: number } {
  const { start, end } = extentOf(view, dtype.itemsize);
  const kept = source.kept(start, end);
  if (kept !== undefined) return { ptr: kept, stride: view.strides[0]! };
  return { ptr: readItems(engine, source, dtype, view), stride: dtype.itemsize };
}

function readItems({ scratch }: Engine, source: TileSource, { itemsize }: TextDType, view: View): number {
  const bytes = view.shape[0]! * itemsize;
  const ptr = scratch.alloc(bytes);
  source.read(view, itemsize, scratch.u8(ptr, bytes));
  return ptr;
}

/** Elements of a view as native numbers in the kernels' memory, in place where they stand there already. */
import { extentOf, isContiguous, sizeOf, stridesOf, type View } from '../layout/view.js';
import type { Engine } from '../kernels/engine.js';
import { type DType, isNativeOrder, isNumber, isText, type NumberDType } from '../dtype/index.js';
import { nativeBytesOf } from '../kernels/native-types.js';
import type { Kernels } from '../kernels/declarations.js';

/** Where the bytes of a chunk come from. */
export interface TileSource {
  /** The elements of a view of the file, packed in C order, in the dtype's own byte order, into exactly their bytes. */
  read(view: View, itemsize: number, into: Uint8Array): void;
  /**
   * Where bytes `[start, end)` of the file stand in the kernels' memory already, never to be stored to; undefined when
   * they have to be read. Valid until the task ends.
   */
  kept(start: number, end: number): number | undefined;
}

/**
 * The same source, which is asked once for a stretch of the file that several views lie in: finding out whether it is in
 * memory costs as much as reading a few values of each of its pages.
 */
export function keptTogether(source: TileSource, start: number, end: number): TileSource {
  let ptr: number | undefined;
  let isAsked = false;
  return {
    read: (view, itemsize, into) => source.read(view, itemsize, into),
    kept(from, to) {
      if (from < start || to > end) return source.kept(from, to);
      if (!isAsked) ptr = source.kept(start, end);
      isAsked = true;
      return ptr === undefined ? undefined : ptr + from - start;
    },
  };
}

/** Native numbers in the kernels' memory. */
export interface NativeView {
  /** Address of element [0, …, 0]. */
  readonly ptr: number;
  /** Bytes from one element to the next along each axis, multiples of the itemsize. */
  readonly strides: readonly number[];
}

/** The elements of a view (whose strides are not negative), in place where they stand there as numbers, else packed. */
export function nativeView(engine: Engine, source: TileSource, dtype: DType, view: View): NativeView {
  const { itemsize } = dtype;
  const { start, end } = extentOf(view, itemsize);
  const kept = source.kept(start, end);
  if (kept !== undefined && isNumbers(dtype) && view.strides.every(stride => stride % itemsize === 0)) {
    return { ptr: kept, strides: view.strides };
  }
  const staging = stagingFor(engine, dtype, sizeOf(view.shape) * itemsize);
  const ptr = fillTile(engine, dtype, view, kept, source, staging);
  return { ptr, strides: stridesOf(view.shape, nativeBytesOf(dtype), 'C') };
}

/** True where the file holds numbers of this machine, which kernels take where they stand; all others are packed. */
export function isNumbers(dtype: DType): dtype is NumberDType {
  return isNumber(dtype) && isNativeOrder(dtype) && dtype.kind !== 'b' && dtype.name !== 'float16';
}

/** Where tiles are read to, and where float16 goes from there. */
interface Staging {
  readonly raw: number;
  readonly wide: number;
}

export function stagingFor({ scratch }: Engine, dtype: DType, bytes: number): Staging {
  // Float16 doubles, and is read beside what it becomes.
  return { raw: scratch.alloc(bytes), wide: scratch.alloc(dtype.name === 'float16' ? 2 * bytes : 0) };
}

/** The elements of a view as native numbers, packed; `kept` is where its first byte stands already. Answers where they are. */
export function fillTile(
  { kernels, bytes: memory, scratch }: Engine,
  dtype: DType,
  view: View,
  kept: number | undefined,
  source: TileSource,
  { raw, wide }: Staging,
): number {
  const { itemsize } = dtype;
  const count = sizeOf(view.shape);
  const inPlace = kept !== undefined && isContiguous(view, itemsize);
  if (kept === undefined) source.read(view, itemsize, scratch.u8(raw, count * itemsize));
  else if (!inPlace) packView(kernels, kept, view, itemsize, raw);
  let from = inPlace ? kept : raw;
  // Texts stay as they stand in the file.
  if (!isNativeOrder(dtype) && !isText(dtype)) {
    // Kept bytes must not be stored to.
    if (inPlace) memory.copyWithin(raw, kept, kept + count * itemsize);
    // The parts of a complex number have an order each.
    const parts = dtype.kind === 'c' ? 2 : 1;
    kernels.swapBytes(raw, parts * count, itemsize / parts);
    from = raw;
  }
  if (dtype.name === 'float16') {
    kernels.halvesToFloats(from, wide, count);
    return wide;
  }
  if (dtype.kind !== 'b') return from;
  // Any byte but zero is true.
  kernels.boolsToBytes(from, raw, count);
  return raw;
}

/** The elements of a view whose first byte stands at `from`, one after the other in C order. Strides are positive. */
function packView(kernels: Kernels, from: number, { shape, strides }: View, itemsize: number, to: number): void {
  const rank = shape.length;
  const [count = 1, rows = 1] = [shape.at(-1), shape.at(-2)];
  const [step = 0, rowStep = 0] = [strides.at(-1), strides.at(-2)];
  const rowBytes = rows * count * itemsize;
  // Texts may be of any length.
  const isPackable = [1, 2, 4, 8, 16].includes(itemsize);
  let at = to;
  const walk = (axis: number, ptr: number): void => {
    if (axis >= rank - 2) {
      if (isPackable) kernels.packItems(itemsize, ptr, rowStep, rows, step, count, at);
      else
        for (let row = 0; row < rows; row++)
          kernels.pickRows(ptr + row * rowStep, step, itemsize, 0, count, at + row * count * itemsize);
      at += rowBytes;
    } else for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, ptr + i * strides[axis]!);
  };
  walk(0, from);
}

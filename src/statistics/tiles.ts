/**
 * Pieces of a chunk as native numbers in the kernels' memory. Whatever the file holds (byte order, float16, bool,
 * strides), measurements see one of ten native types with a contiguous innermost axis.
 */
import { isNativeOrder, type DType } from '../dtype.js';
import { float16ToFloat32 } from '../float16.js';
import { extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { swapBytes } from '../native.js';
import { boxAt, gridOf, packedBox, viewOf, type Box } from './axes.js';
import type { Engine } from './engine.js';
import { nativeTypeOf, type NativeType } from './native-types.js';
import type { TileRows } from './rows/rows-tiles.js';
import type { ChunkTask } from './walk.js';

export { NATIVE_BYTES, nativeTypeOf, type NativeType } from './native-types.js';

export interface Tile {
  readonly type: NativeType;
  /** Byte address of element [0, …, 0] in the kernels' memory; not necessarily a multiple of the itemsize. */
  readonly ptr: number;
  /** Strides in elements; the innermost is 1. `cell` counts from the chunk's first cell. */
  readonly box: Box;
  /** Which rows are used, where measurements choose for themselves; `box` then keeps its axes apart. */
  readonly rows?: TileRows;
}

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

/** Calls back with each tile of a chunk, in the order of the chunk's box. A tile is valid until the callback returns. */
export function eachTile(
  engine: Engine,
  { dtype, box, tileBytesMax, cellStart }: ChunkTask,
  source: TileSource,
  use: (tile: Tile) => void,
): void {
  const mark = engine.scratch.mark();
  // Float16 doubles, and is read beside what it becomes.
  const bytesMax = Math.max(tileBytesMax, dtype.itemsize);
  const rawPtr = engine.scratch.alloc(bytesMax);
  const widePtr = dtype.name === 'float16' ? engine.scratch.alloc(2 * bytesMax) : rawPtr;
  const grid = gridOf(box.axes, tileBytesMax / dtype.itemsize, {
    cellsMax: Number.POSITIVE_INFINITY,
    reachMax: LIMITS.tileSpanBytesMax,
  });
  const type = nativeTypeOf(dtype);
  const isNative = isNativeOrder(dtype) && dtype.kind !== 'b' && dtype.name !== 'float16';
  for (let number = 0; number < grid.boxes; number++) {
    const piece = boxAt(box, grid, number);
    const view = viewOf(piece);
    const cell = piece.cell - cellStart;
    const kept = isNative && isContiguous(view, dtype.itemsize) ? keptTile(source, view, dtype) : undefined;
    if (kept !== undefined) {
      use({ type, ptr: kept, box: { ...packedBox(piece), cell } });
      continue;
    }
    const bytes = engine.scratch.u8(rawPtr, sizeOf(view.shape) * dtype.itemsize);
    source.read(view, dtype.itemsize, bytes);
    toNativeInPlace(engine, dtype, bytes, widePtr);
    use({ type, ptr: widePtr, box: { ...packedBox(piece), cell } });
  }
  engine.scratch.release(mark);
}

/** The tile in place, where its elements are aligned there. */
function keptTile(source: TileSource, view: View, { itemsize }: DType): number | undefined {
  const { start, end } = extentOf(view, itemsize);
  const ptr = source.kept(start, end);
  return ptr !== undefined && ptr % itemsize === 0 ? ptr : undefined;
}

/** The elements of a view, packed, as native numbers in scratch memory of their own. */
export function readNative(engine: Engine, source: TileSource, dtype: DType, view: View): number {
  const size = sizeOf(view.shape);
  const rawPtr = engine.scratch.alloc(size * dtype.itemsize);
  const widePtr = dtype.name === 'float16' ? engine.scratch.alloc(4 * size) : rawPtr;
  const bytes = engine.scratch.u8(rawPtr, size * dtype.itemsize);
  source.read(view, dtype.itemsize, bytes);
  toNativeInPlace(engine, dtype, bytes, widePtr);
  return widePtr;
}

function toNativeInPlace({ memory }: Engine, dtype: DType, bytes: Uint8Array<ArrayBuffer>, widePtr: number): void {
  if (!isNativeOrder(dtype)) swapBytes(bytes, dtype.itemsize);
  if (dtype.kind === 'b') {
    // Any byte but zero is true.
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) bytes[i] = 1;
  } else if (dtype.name === 'float16') {
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    new Float32Array(memory.buffer, widePtr, halves.length).set(float16ToFloat32(halves));
  }
}

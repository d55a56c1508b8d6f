/**
 * Pieces of a chunk as native numbers in the kernels' memory. Whatever the file holds (byte order, float16, bool,
 * strides), measurements see one of ten native types with a contiguous innermost axis.
 */
import { isNativeOrder, type DType } from '../dtype.js';
import { float16ToFloat32 } from '../float16.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { swapBytes } from '../native.js';
import { boxAt, gridOf, packedBox, viewOf, type Box } from './axes.js';
import type { Engine } from './engine.js';
import { nativeTypeOf, type NativeType } from './native-types.js';
import type { ChunkTask } from './walk.js';

export { NATIVE_BYTES, nativeTypeOf, type NativeType } from './native-types.js';

export interface Tile {
  readonly type: NativeType;
  /** Byte address of element [0, …, 0] in the kernels' memory; not necessarily a multiple of the itemsize. */
  readonly ptr: number;
  /** Strides in elements; the innermost is 1. `cell` counts from the chunk's first cell. */
  readonly box: Box;
}

/** Where the bytes of a chunk come from. */
export interface TileSource {
  /** The elements of a view of the file, packed in C order, in the dtype's own byte order, into exactly their bytes. */
  read(view: View, itemsize: number, into: Uint8Array): void;
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
  for (let number = 0; number < grid.boxes; number++) {
    const piece = boxAt(box, grid, number);
    const view = viewOf(piece);
    const bytes = engine.scratch.u8(rawPtr, sizeOf(view.shape) * dtype.itemsize);
    source.read(view, dtype.itemsize, bytes);
    toNativeInPlace(engine, dtype, bytes, widePtr);
    use({ type, ptr: widePtr, box: { ...packedBox(piece), cell: piece.cell - cellStart } });
  }
  engine.scratch.release(mark);
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

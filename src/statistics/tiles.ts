/**
 * Pieces of a chunk as native numbers in the kernels' memory. Whatever the file holds (byte order, float16, bool,
 * strides), measurements see one of ten native types with a contiguous innermost axis.
 */
import { isNativeOrder, type DType } from '../dtype.js';
import { extentOf, isContiguous, sizeOf, stridesOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { boxAt, gridOf, mergeAxes, packedAxes, viewOf, type Axis, type Box } from './axes.js';
import type { Engine } from './engine.js';
import type { Kernels } from '../kernels/index.js';
import { NATIVE_BYTES, nativeTypeOf, type NativeType } from '../kernels/native-types.js';
import type { TileRows } from './rows/rows-tiles.js';
import type { ChunkTask } from './walk.js';

export { NATIVE_BYTES, nativeTypeOf, type NativeType } from '../kernels/native-types.js';

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
  if (useWhole({ dtype, box, tileBytesMax, cellStart }, source, use)) return;
  const mark = engine.scratch.mark();
  const room = roomFor(engine, dtype, Math.max(tileBytesMax, dtype.itemsize));
  const grid = gridOf(box.axes, tileBytesMax / dtype.itemsize, {
    cellsMax: Number.POSITIVE_INFINITY,
    reachMax: LIMITS.tileSpanBytesMax,
  });
  const type = nativeTypeOf(dtype);
  const isNative = isNumbers(dtype);
  for (let number = 0; number < grid.boxes; number++) {
    const piece = boxAt(box, grid, number);
    const axes = mergeAxes(piece.axes);
    const cell = piece.cell - cellStart;
    // How a tile is cut into runs decides about the last digits, so it must not depend on where its bytes come from.
    const staysInRows = isNative && hasRows(axes, dtype.itemsize);
    const view = viewOf({ ...piece, axes });
    const { start, end } = extentOf(view, dtype.itemsize);
    const kept = source.kept(start, end);
    if (staysInRows && kept !== undefined) {
      const inElements = axes.map(axis => ({ ...axis, stride: axis.stride / dtype.itemsize }));
      use({ type, ptr: kept, box: { ...piece, axes: inElements, offset: 0, cell } });
      continue;
    }
    const packed = packedAxes(axes);
    const ptr = fillTile(engine, dtype, view, kept, source, room);
    use({ type, ptr, box: { ...piece, axes: staysInRows ? packed : mergeAxes(packed), offset: 0, cell } });
  }
  engine.scratch.release(mark);
}

/** Kernels that add up sum runs in blocks of a power of two up to this: where a run is cut at multiples, no bit changes. */
const BLOCK_ELEMENTS_MAX = 65_536;

/** A chunk that is one run of numbers where it stands needs no tiles. False where it is not. */
function useWhole(
  { dtype, box, tileBytesMax, cellStart }: Pick<ChunkTask, 'dtype' | 'box' | 'tileBytesMax' | 'cellStart'>,
  source: TileSource,
  use: (tile: Tile) => void,
): boolean {
  const [axis, another] = mergeAxes(box.axes);
  if (!axis || another || axis.kept || axis.stride !== dtype.itemsize || !isNumbers(dtype)) return false;
  const tileElements = Math.floor(tileBytesMax / dtype.itemsize);
  if (tileElements === 0 || tileElements % BLOCK_ELEMENTS_MAX !== 0) return false;
  const ptr = source.kept(box.offset, box.offset + axis.length * dtype.itemsize);
  if (ptr === undefined) return false;
  const type = nativeTypeOf(dtype);
  use({ type, ptr, box: { ...box, axes: [{ ...axis, stride: 1 }], offset: 0, cell: box.cell - cellStart } });
  return true;
}

/** Shorter runs of one axis that another one continues are packed: each costs as much as so many bytes. */
const JOINED_RUN_BYTES_MIN = 4096;

/** True for elements that kernels can take where they stand: whole rows, whatever lies between them. */
function hasRows(axes: readonly Axis[], itemsize: number): boolean {
  const inner = axes.at(-1);
  if (!inner) return true;
  const isJoined = axes.at(-2)?.kept === inner.kept;
  return (
    inner.stride === itemsize &&
    (!isJoined || inner.length * itemsize >= JOINED_RUN_BYTES_MIN) &&
    axes.every(({ stride }) => stride % itemsize === 0)
  );
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
  const room = roomFor(engine, dtype, sizeOf(view.shape) * itemsize);
  const ptr = fillTile(engine, dtype, view, kept, source, room);
  return { ptr, strides: stridesOf(view.shape, NATIVE_BYTES[nativeTypeOf(dtype)], 'C') };
}

/** Where tiles are read to, and where float16 goes from there. */
interface Room {
  readonly raw: number;
  readonly wide: number;
}

function roomFor({ scratch }: Engine, dtype: DType, bytes: number): Room {
  // Float16 doubles, and is read beside what it becomes.
  return { raw: scratch.alloc(bytes), wide: scratch.alloc(dtype.name === 'float16' ? 2 * bytes : 0) };
}

/** True where the file holds numbers of this machine. */
export function isNumbers(dtype: DType): boolean {
  return isNativeOrder(dtype) && dtype.kind !== 'b' && dtype.name !== 'float16';
}

/** The elements of a view as native numbers, packed; `kept` is where its first byte stands already. Answers where they are. */
function fillTile(
  { kernels, bytes: memory, scratch }: Engine,
  dtype: DType,
  view: View,
  kept: number | undefined,
  source: TileSource,
  { raw, wide }: Room,
): number {
  const { itemsize } = dtype;
  const count = sizeOf(view.shape);
  const inPlace = kept !== undefined && isContiguous(view, itemsize);
  if (kept === undefined) source.read(view, itemsize, scratch.u8(raw, count * itemsize));
  else if (!inPlace) packView(kernels, kept, view, itemsize, raw);
  let from = inPlace ? kept : raw;
  if (!isNativeOrder(dtype)) {
    // Kept bytes must not be stored to.
    if (inPlace) memory.copyWithin(raw, kept, kept + count * itemsize);
    kernels.swapBytes(raw, count, itemsize);
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
  let at = to;
  const walk = (axis: number, ptr: number): void => {
    if (axis >= rank - 2) {
      kernels.packItems(itemsize, ptr, rowStep, rows, step, count, at);
      at += rowBytes;
    } else for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, ptr + i * strides[axis]!);
  };
  walk(0, from);
}

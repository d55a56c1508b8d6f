/**
 * Pieces of a chunk as native numbers in the kernels' memory. Whatever the file holds (byte order, float16, bool,
 * strides), sinks see one of ten native types with a contiguous innermost axis.
 */
import { extentOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { boxAt, gridOf, mergeAxes, packedAxes, viewOf, type Axis, type Box } from './box.js';
import type { Engine } from '../kernels/engine.js';
import { NATIVE_BYTES, type NativeType, nativeTypeOf } from '../kernels/native-types.js';
import type { ChunkTask } from './scan.js';

import { fillTile, isNumbers, stagingFor, type TileSource } from './native-view.js';
import type { RowColumns } from './columns.js';

export interface Tile {
  readonly type: NativeType;
  /** Byte address of element [0, …, 0] in the kernels' memory; not necessarily a multiple of the itemsize. */
  readonly ptr: number;
  /** Strides in elements; the innermost is 1. `cell` counts from the chunk's first cell. */
  readonly box: Box;
  /** Which rows are used, where sinks choose for themselves; `box` then keeps its axes apart. */
  readonly rows?: TileRows;
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
  const staging = stagingFor(engine, dtype, Math.max(tileBytesMax, dtype.itemsize));
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
    const ptr = fillTile(engine, dtype, view, kept, source, staging);
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
  if (!axis || another || (axis.kept && !axis.blocks) || axis.stride !== dtype.itemsize || !isNumbers(dtype))
    return false;
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
  const outer = axes.at(-2);
  const isJoined = outer?.kept === inner.kept && !outer.blocks && !inner.blocks;
  return (
    inner.stride === itemsize &&
    (!isJoined || inner.length * itemsize >= JOINED_RUN_BYTES_MIN) &&
    axes.every(({ stride }) => stride % itemsize === 0)
  );
}

/** The used rows of a raw tile. */
export interface TileRows {
  readonly columns: RowColumns;
  /** The first row, counted from the chunk's first. */
  readonly first: number;
  /** No other tile with the same rows comes before it. */
  readonly isFirstStrip: boolean;
  /** The first cell of the chunk. */
  readonly cellStart: number;
  /** Rows of the tile, used or not. */
  readonly total: number;
  /** Address of the numbers of the used rows in the tile, u32; 0: they are `start` to `start + count`. */
  readonly picked: number;
  readonly start: number;
  readonly count: number;
}

/** `rows` rows of `count` elements, `stride` bytes apart. */
type UseRows = (ptr: number, rows: number, stride: number, count: number, cell: number) => void;

/**
 * Calls back with all elements of a tile, in no particular order: rows as long as they come where the innermost axis is
 * reduced, rows of one element where it is kept. `cell` counts as the tile's do.
 */
export function eachCellRows({ type, ptr, box }: Tile, use: UseRows): void {
  const itemsize = NATIVE_BYTES[type];
  const axes = [...box.axes];
  const inner = axes.pop();
  if (!inner) {
    use(ptr, 1, 0, 1, box.cell);
    return;
  }
  const rows = axes.at(-1)?.kept === false ? axes.pop()! : ONE;
  const stride = rows.stride * itemsize;
  scan(axes, 0, ptr, box.cell, itemsize, (at, cell) => {
    if (!inner.kept) use(at, rows.length, stride, inner.length, cell);
    else {
      for (let i = 0; i < inner.length; i++) {
        use(at + i * inner.stride * itemsize, rows.length, stride, 1, cell + i * inner.cellStep);
      }
    }
  });
}

const ONE: Axis = { length: 1, stride: 0, kept: false, cellStep: 0, indexStep: 0 };

function scan(
  axes: readonly Axis[],
  depth: number,
  ptr: number,
  cell: number,
  itemsize: number,
  use: (ptr: number, cell: number) => void,
): void {
  const axis = axes[depth];
  if (!axis) {
    use(ptr, cell);
    return;
  }
  for (let i = 0; i < axis.length; i++) {
    scan(axes, depth + 1, ptr + i * axis.stride * itemsize, cell + i * axis.cellStep, itemsize, use);
  }
}

/** The elements of a tile as rows that belong to one cell each, in the words of the kernels. */
import type { Axis } from './box.js';
import { NATIVE_BYTES } from '../../kernels/native-types.js';
import type { Tile } from './tiles.js';

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

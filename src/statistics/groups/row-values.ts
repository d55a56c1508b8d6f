/** Where the elements of the rows of a raw tile stand, and its used rows in blocks, with the group index of each. */
import { sizeOf } from '../../layout/view.js';
import type { Box } from '../scan/box.js';
import { BLOCK_ROWS, type BlockRows, type RowGroups } from './row-groups.js';
import type { TileRows } from '../scan/tiles.js';

/** One element of every row: bytes from the tile's start, bytes from row to row, and its cell. */
export interface RowElement {
  readonly offset: number;
  readonly stride: number;
  readonly cell: number;
}

/** Remembers the last answer: most tiles of a chunk are alike. */
export class RowElements {
  readonly #itemBytes: number;
  #box: Box | undefined;
  #elements: readonly RowElement[] = [];

  constructor(itemBytes: number) {
    this.#itemBytes = itemBytes;
  }

  of(box: Box): readonly RowElement[] {
    if (!this.#box || !isAlike(this.#box, box)) {
      this.#box = box;
      this.#elements = elementsOf(box, this.#itemBytes);
    }
    return this.#elements;
  }
}

function elementsOf({ axes, cell }: Box, itemBytes: number): RowElement[] {
  const at = axes.findIndex(axis => axis.rows);
  const stride = axes[at]!.stride * itemBytes;
  const others = axes.filter((_, i) => i !== at);
  const elements: RowElement[] = [];
  for (let number = 0; number < sizeOf(others.map(axis => axis.length)); number++) {
    let rest = number;
    let offset = 0;
    let own = cell;
    for (const axis of others.toReversed()) {
      const position = rest % axis.length;
      rest = Math.floor(rest / axis.length);
      offset += position * axis.stride * itemBytes;
      own += position * axis.cellStep;
    }
    elements.push({ offset, stride, cell: own });
  }
  return elements;
}

function isAlike(a: Box, b: Box): boolean {
  return (
    a.cell === b.cell &&
    a.axes.length === b.axes.length &&
    a.axes.every(({ stride, length, rows }, i) => {
      const other = b.axes[i]!;
      return stride === other.stride && (rows !== undefined || length === other.length);
    })
  );
}

/**
 * Calls back with each block; where the table of groups is full, with a shorter one, and asks `makeRoom` before the next.
 * `ordinals` holds until the callback returns.
 */
export function eachBlock(
  groups: RowGroups,
  { columns, picked, start, count }: TileRows,
  makeRoom: () => void,
  use: (rows: BlockRows, ordinals: number, knownBefore: number) => void,
): void {
  for (let from = 0; from < count;) {
    const block: BlockRows = {
      picked: picked === 0 ? 0 : picked + 4 * from,
      start: start + from,
      count: Math.min(BLOCK_ROWS, count - from),
    };
    const before = groups.known;
    const { ordinals, done } = groups.assign(columns, block);
    use({ ...block, count: done }, ordinals, before);
    from += done;
    if (done < block.count) makeRoom();
  }
}

/** Where the values of one element of each row of a block begin, and the numbers of the rows, as kernels take them. */
export function valuesAt(
  ptr: number,
  { offset, stride }: { readonly offset: number; readonly stride: number },
  { picked, start }: BlockRows,
): number {
  return ptr + offset + (picked === 0 ? start * stride : 0);
}

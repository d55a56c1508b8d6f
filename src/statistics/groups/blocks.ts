/** The used rows of a raw tile in blocks, with the ordinals of their groups. */
import { BLOCK_ROWS, type BlockRows, type RowGroups } from './row-groups.js';
import type { TileRows } from '../scan/tiles.js';

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

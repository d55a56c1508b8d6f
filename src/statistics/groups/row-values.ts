/** Where the elements of the rows of a raw tile stand, and its used rows in blocks, with the group index of each. */
import { sizeOf } from '../../layout/view.js';
import type { Box } from '../../scan/box.js';
import { BLOCK_ROWS, type BlockRows, type RowGroups } from './row-groups.js';
import type { Tile, TileRows } from '../../scan/tiles.js';
import type { Engine } from '../../kernels/engine.js';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../kernels/native-types.js';
import { VALUES_BYTES } from '../../kernels/search-spec.js';

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
 * `groupIndices` holds until the callback returns.
 */
export function eachBlock(
  groups: RowGroups,
  { columns, picked, start, count }: TileRows,
  makeRoom: () => void,
  use: (rows: BlockRows, groupIndices: number, knownBefore: number) => void,
): void {
  for (let from = 0; from < count;) {
    const block: BlockRows = {
      picked: picked === 0 ? 0 : picked + 4 * from,
      start: start + from,
      count: Math.min(BLOCK_ROWS, count - from),
    };
    const before = groups.known;
    const { groupIndices, done } = groups.assign(columns, block);
    use({ ...block, count: done }, groupIndices, before);
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

/** Values of one element of a block of rows, and their cells. */
export class BlockValues {
  readonly #engine: Engine;
  readonly #typeNumber: number;
  readonly #elements: RowElements;
  readonly #cells: number;
  readonly #values: number;
  readonly #words: Uint32Array;

  constructor(engine: Engine, type: NativeType) {
    const { scratch } = engine;
    this.#engine = engine;
    this.#typeNumber = NATIVE_TYPES.indexOf(type);
    this.#elements = new RowElements(NATIVE_BYTES[type]);
    this.#cells = scratch.alloc(4 * BLOCK_ROWS);
    this.#values = scratch.alloc(VALUES_BYTES);
    this.#words = scratch.u32(this.#values, VALUES_BYTES / 4);
  }

  of({ box }: Tile): readonly RowElement[] {
    return this.#elements.of(box);
  }

  /** Type, address, stride and row numbers, as kernels take them that ask for no cells. */
  plain(ptr: number, element: RowElement, rows: BlockRows): readonly [number, number, number, number] {
    return [this.#typeNumber, valuesAt(ptr, element, rows), element.stride, rows.picked];
  }

  /**
   * Where kernels are told of the values and their cells (src/kernels/search-spec.ts), until the next call. Each group has
   * `perGroup` cells, of which this is number `cell`.
   */
  at(ptr: number, element: RowElement, rows: BlockRows, groupIndices: number, perGroup: number, cell: number): number {
    if (perGroup > 1) this.#engine.kernels.cellsOf(groupIndices, rows.count, perGroup, cell, this.#cells);
    const cells = perGroup > 1 ? this.#cells : groupIndices;
    this.#words.set([...this.plain(ptr, element, rows), rows.count, cells, 0]);
    return this.#values;
  }
}

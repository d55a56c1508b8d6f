/** Where the elements of a row stand in a raw tile. */
import { sizeOf } from '../../layout/view.js';
import type { Box } from '../scan/box.js';

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

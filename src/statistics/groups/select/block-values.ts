/** The elements of a block of rows, as kernels take them. */
import type { Engine } from '../../engine.js';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../kernels/native-types.js';
import type { Tile } from '../../scan/tiles.js';
import { valuesAt } from '../blocks.js';
import { RowElements, type RowElement } from '../elements.js';
import { BLOCK_ROWS, type BlockRows } from '../row-groups.js';

/** Values of one element of a block of rows, and their cells. */
export class BlockValues {
  readonly #engine: Engine;
  readonly #typeNumber: number;
  readonly #elements: RowElements;
  readonly #cells: number;

  constructor(engine: Engine, type: NativeType) {
    this.#engine = engine;
    this.#typeNumber = NATIVE_TYPES.indexOf(type);
    this.#elements = new RowElements(NATIVE_BYTES[type]);
    this.#cells = engine.scratch.alloc(4 * BLOCK_ROWS);
  }

  of({ box }: Tile): readonly RowElement[] {
    return this.#elements.of(box);
  }

  /** The values as kernels take them: type, address, stride, rows. */
  at(ptr: number, element: RowElement, rows: BlockRows): readonly [number, number, number, number] {
    return [this.#typeNumber, valuesAt(ptr, element, rows), element.stride, rows.picked];
  }

  /** The cells of the rows: ordinals where each group has one. */
  cellsOf(ordinals: number, count: number, scale: number, cell: number): number {
    if (scale === 1) return ordinals;
    this.#engine.kernels.cellsOf(ordinals, count, scale, cell, this.#cells);
    return this.#cells;
  }
}

/** The elements of a block of rows, as kernels take them. */
import type { Engine } from '../../../kernels/engine.js';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../kernels/native-types.js';
import { VALUES_BYTES } from '../../../kernels/search-spec.js';
import type { Tile } from '../../scan/tiles.js';
import { type RowElement, RowElements, valuesAt } from '../row-values.js';
import { BLOCK_ROWS, type BlockRows } from '../row-groups.js';

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
  at(ptr: number, element: RowElement, rows: BlockRows, ordinals: number, perGroup: number, cell: number): number {
    if (perGroup > 1) this.#engine.kernels.cellsOf(ordinals, rows.count, perGroup, cell, this.#cells);
    const cells = perGroup > 1 ? this.#cells : ordinals;
    this.#words.set([...this.plain(ptr, element, rows), rows.count, cells, 0]);
    return this.#values;
  }
}

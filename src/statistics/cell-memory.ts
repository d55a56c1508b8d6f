/**
 * The cells of a chunk in the kernels' memory, and the way from what kernels know of them to the fields of a partial.
 * Integers are exact there: pairs whose exact sum counts, and halves of 32 bits for those of 64.
 */
import type { Scratch } from './engine.js';
import type { FieldName, Fields } from './fields.js';
import { CELL_FIELDS, type CellField } from '../kernels/cell-fields.js';
import type { Kernels } from '../kernels/index.js';
import { isWideType, type NativeType } from '../kernels/native-types.js';
import type { Room } from './room.js';

/** Fields of neighbouring cells begin a cache line further than a power of two, which would share few lines of the cache. */
const LINE_BYTES = 64;

/** What is not zero before any element. */
const STARTS: Partial<Record<CellField, number>> = {
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  argmin: Number.POSITIVE_INFINITY,
  argmax: Number.POSITIVE_INFINITY,
  nanIndex: Number.POSITIVE_INFINITY,
  prod: 1,
};
const WIDE_STARTS = {
  i64: { min: 2n ** 63n - 1n, max: -(2n ** 63n) },
  u64: { min: 2n ** 64n - 1n, max: 0n },
} as const;

export class CellMemory {
  /** The first cell, and the distance from a field of a cell to the next. */
  readonly ptr: number;
  readonly fieldBytes: number;
  readonly #kernels: Kernels;
  readonly #scratch: Scratch;
  readonly #type: NativeType;
  readonly #cells: number;

  /** @param used the fields that kernels will add to */
  constructor(kernels: Kernels, scratch: Scratch, type: NativeType, cells: number, used: readonly CellField[]) {
    this.#kernels = kernels;
    this.#scratch = scratch;
    this.#type = type;
    this.#cells = cells;
    this.fieldBytes = Math.ceil((8 * cells) / LINE_BYTES) * LINE_BYTES + LINE_BYTES;
    this.ptr = scratch.alloc(CELL_FIELDS.length * this.fieldBytes, LINE_BYTES);
    for (const field of used) this.#start(field);
  }

  /** The fields of a partial. `counted`: the field that counted elements. */
  read(names: readonly FieldName[], counted: CellField, room: Room): Fields {
    const mark = this.#scratch.mark();
    const converted = this.#type.startsWith('f') ? {} : this.#convertIntegers(names);
    const buffer = room.f64(names.length * this.#cells);
    const fields: Fields = {};
    for (const [i, name] of names.entries()) {
      const field = buffer.subarray(i * this.#cells, (i + 1) * this.#cells);
      const ptr = converted[name] ?? this.#at(name === 'count' ? counted : (name as CellField));
      field.set(this.#scratch.f64(ptr, this.#cells));
      fields[name] = field;
    }
    this.#scratch.release(mark);
    return fields;
  }

  /** Where fields stand that are not kept as they are read. */
  #convertIntegers(names: readonly FieldName[]): Partial<Record<FieldName, number>> {
    const places: Partial<Record<FieldName, number>> = {};
    const place = (name: FieldName): number => (places[name] = this.#scratch.alloc(8 * this.#cells));
    const cells = this.#cells;
    const isWide = isWideType(this.#type);
    const signed = this.#type === 'i64' ? 1 : 0;
    if (names.includes('sum')) {
      this.#kernels.integersToPairs(this.#at('sum'), cells, place('sum'), place('sumRest'));
      if (isWide) this.#kernels.integersToPairs(this.#at('sumRest'), cells, place('sumHigh'), place('sumHighRest'));
    }
    for (const [name, low] of [
      ['min', 'minLow'],
      ['max', 'maxLow'],
    ] as const) {
      if (!isWide || !names.includes(name)) continue;
      this.#kernels.integersToHalves(signed, this.#at(name), cells, place(name), place(low));
    }
    return places;
  }

  #at(field: CellField): number {
    return this.ptr + CELL_FIELDS.indexOf(field) * this.fieldBytes;
  }

  #array(field: CellField): Float64Array<ArrayBuffer> {
    return this.#scratch.f64(this.#at(field), this.#cells);
  }

  #start(field: CellField): void {
    const { [field]: start = 0 } = STARTS;
    this.#array(field).fill(start);
    if (!isWideType(this.#type) || (field !== 'min' && field !== 'max')) return;
    this.#scratch.u64(this.#at(field), this.#cells).fill(BigInt.asUintN(64, WIDE_STARTS[this.#type][field]));
  }
}

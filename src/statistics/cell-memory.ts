/**
 * The cells of a chunk in the kernels' memory, and the way from what kernels know of them to the fields of a partial.
 * Integers are exact there: pairs whose exact sum counts, and halves of 32 bits for those of 64.
 */
import type { Scratch } from './engine.js';
import type { FieldName, Fields } from './fields.js';
import { CELL_FIELDS, type CellField } from './kernels/cell-fields.js';
import type { Kernels } from './kernels/kernels.js';
import { isWideType, type NativeType } from './native-types.js';

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

  /** `counted`: the field that counted elements. */
  read(names: readonly FieldName[], counted: CellField): Fields {
    const fields: Fields = {};
    for (const name of names) if (this.#isField(name)) fields[name] = this.#array(name).slice();
    fields.count = this.#array(counted).slice();
    if (!this.#type.startsWith('f')) this.#readIntegers(fields);
    return fields;
  }

  #readIntegers(fields: Fields): void {
    const isWide = isWideType(this.#type);
    if (fields.sum) [fields.sum, fields.sumRest] = this.#pairs('sum');
    if (fields.sum && isWide) [fields.sumHigh, fields.sumHighRest] = this.#pairs('sumRest');
    if (fields.min && isWide) [fields.min, fields.minLow] = this.#halves('min');
    if (fields.max && isWide) [fields.max, fields.maxLow] = this.#halves('max');
  }

  #isField(name: FieldName): name is FieldName & CellField {
    return name !== 'count' && (CELL_FIELDS as readonly string[]).includes(name);
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

  #pairs(field: CellField): [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>] {
    return this.#converted(
      (from, first, second) => this.#kernels.integersToPairs(from, this.#cells, first, second),
      field,
    );
  }

  #halves(field: CellField): [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>] {
    const signed = this.#type === 'i64' ? 1 : 0;
    return this.#converted(
      (from, first, second) => this.#kernels.integersToHalves(signed, from, this.#cells, first, second),
      field,
    );
  }

  #converted(
    convert: (from: number, first: number, second: number) => void,
    field: CellField,
  ): [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>] {
    const mark = this.#scratch.mark();
    const first = this.#scratch.alloc(8 * this.#cells);
    const second = this.#scratch.alloc(8 * this.#cells);
    convert(this.#at(field), first, second);
    const found = [first, second].map(ptr => this.#scratch.f64(ptr, this.#cells).slice());
    this.#scratch.release(mark);
    return found as [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>];
  }
}

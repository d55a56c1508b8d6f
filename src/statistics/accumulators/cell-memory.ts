/**
 * Cells in the kernels' memory, and the way from what kernels know of them to the fields of a partial. Integers are exact
 * there: pairs whose exact sum counts, and halves of 32 bits for those of 64.
 *
 * Cells of axes lie side by side field by field (columns), as kernels over rows want them; cells of groups have their fields
 * side by side (records), since neighbouring values belong to any of them. For three cells with a sum: columns are
 * `sum sum sum … rest rest rest`, records `sum rest sum rest sum rest`.
 */
import { CELL_FIELDS } from '../../kernels/cell-fields.js';
import { isWideType, type NativeType } from '../../kernels/native-types.js';
import type { Engine } from '../../kernels/engine.js';
import type { Fields, FieldStarts } from './accumulator.js';

/** Fields of neighbouring cells begin a cache line further than a power of two, which would share few lines of the cache. */
const LINE_BYTES = 64;

/** What fields of the fast kernels are before any element, where that is not zero. */
const STARTS: FieldStarts = {
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  argmin: Number.POSITIVE_INFINITY,
  argmax: Number.POSITIVE_INFINITY,
  nanIndex: Number.POSITIVE_INFINITY,
};
const WIDE_STARTS = {
  i64: { min: 2n ** 63n - 1n, max: -(2n ** 63n) },
  u64: { min: 2n ** 64n - 1n, max: 0n },
} as const;

export class CellMemory {
  /** Bytes from a cell to the next, and from a field of a cell to the next. */
  readonly cellBytes: number;
  readonly fieldBytes: number;
  readonly #engine: Engine;
  readonly #type: NativeType;
  readonly #used: readonly string[];
  readonly #starts: FieldStarts;
  /** All fields in the order of the kernels for columns, the used ones alone for records. */
  readonly #order: readonly string[];
  /** Address of the first cell. */
  readonly first: number;

  /**
   * Takes scratch memory for `cells` cells; what is not used of it is never touched. Cells have to `begin`.
   * @param used the fields that kernels will add to
   * @param starts what they are before any element; 0 where it has none
   */
  constructor(
    engine: Engine,
    type: NativeType,
    cells: number,
    used: readonly string[],
    layout: 'columns' | 'records',
    starts = STARTS,
  ) {
    this.#engine = engine;
    this.#type = type;
    this.#used = used;
    this.#starts = starts;
    const isColumns = layout === 'columns';
    this.#order = isColumns ? CELL_FIELDS : used;
    this.fieldBytes = isColumns ? Math.ceil((8 * cells) / LINE_BYTES) * LINE_BYTES + LINE_BYTES : 8;
    this.cellBytes = isColumns ? 8 : 8 * used.length;
    const bytes = isColumns ? CELL_FIELDS.length * this.fieldBytes : cells * this.cellBytes;
    this.first = engine.scratch.alloc(bytes, LINE_BYTES);
  }

  /** Address of a field of the first cell. */
  at(field: string): number {
    return this.first + this.#order.indexOf(field) * this.fieldBytes;
  }

  /** Cells `[from, to)` have no element yet. */
  begin(from: number, to: number): void {
    if (from === to) return;
    const { scratch } = this.#engine;
    const type = this.#type;
    for (const field of this.#used) {
      const first = this.at(field) + from * this.cellBytes;
      const step = this.cellBytes / 8;
      const { [field]: start = 0 } = this.#starts;
      if (isWideType(type) && (field === 'min' || field === 'max')) {
        const bits = BigInt.asUintN(64, WIDE_STARTS[type][field]);
        const values = scratch.u64(first, (to - from - 1) * step + 1);
        for (let i = 0; i < values.length; i += step) values[i] = bits;
      } else {
        const values = scratch.f64(first, (to - from - 1) * step + 1);
        if (step === 1) values.fill(start);
        else for (let i = 0; i < values.length; i += step) values[i] = start;
      }
    }
  }

  /**
   * The fields of the first cells, in buffers that `take` gives.
   * @param counted the field that counted elements, which becomes `count`
   */
  read(names: readonly string[], counted: string, cells: number, take: (length: number) => Float64Array): Fields {
    const { scratch } = this.#engine;
    const mark = scratch.mark();
    const buffer = take(names.length * cells);
    const converted = this.#type.startsWith('f') ? {} : this.#convertIntegers(names, cells);
    const fields: Fields = {};
    for (const [i, name] of names.entries()) {
      const inner = scratch.mark();
      const field = buffer.subarray(i * cells, (i + 1) * cells);
      const ptr = converted[name] ?? this.#column(name === 'count' ? counted : name, cells);
      field.set(scratch.f64(ptr, cells));
      fields[name] = field;
      scratch.release(inner);
    }
    scratch.release(mark);
    return fields;
  }

  /** Where fields stand that are not kept as they are read. */
  #convertIntegers(names: readonly string[], cells: number): Partial<Record<string, number>> {
    const { kernels, scratch } = this.#engine;
    const places: Partial<Record<string, number>> = {};
    const place = (name: string): number => (places[name] = scratch.alloc(8 * cells));
    const isWide = isWideType(this.#type);
    if (names.includes('sum')) {
      kernels.integersToPairs(this.#column('sum', cells), cells, place('sum'), place('sumRest'));
      if (isWide)
        kernels.integersToPairs(this.#column('sumRest', cells), cells, place('sumHigh'), place('sumHighRest'));
    }
    for (const low of names.filter(name => name.endsWith('Low'))) {
      const name = low.slice(0, -'Low'.length);
      const signed = this.#type === 'i64' ? 1 : 0;
      kernels.integersToHalves(signed, this.#column(name, cells), cells, place(name), place(low));
    }
    return places;
  }

  /** A field of the first cells, packed. */
  #column(field: string, cells: number): number {
    const from = this.at(field);
    if (this.cellBytes === 8) return from;
    const { kernels, scratch } = this.#engine;
    const to = scratch.alloc(8 * cells);
    kernels.packItems(8, from, 0, 1, this.cellBytes, cells, to);
    return to;
  }
}

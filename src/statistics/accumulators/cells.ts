/**
 * Cells in the kernels' memory, and the way from what kernels know of them to the fields of a partial. Integers are exact
 * there: pairs whose exact sum counts, and halves of 32 bits for those of 64.
 *
 * Cells of axes lie side by side field by field (columns), as kernels over rows want them; cells of groups have their fields
 * side by side (records), since neighbouring values belong to any of them. For three cells with a sum: columns are
 * `sum sum sum … rest rest rest`, records `sum rest sum rest sum rest`.
 */
import * as SPEC from '../../kernels/element-spec.js';
import { CELL_FIELDS } from '../../kernels/cell-fields.js';
import { type DType } from '../../dtype/index.js';
import { isWideType, nativeBytesOf, NATIVE_TYPES, nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import type { Engine } from '../../kernels/engine.js';
import type { Fields, FieldStarts } from './accumulator.js';
import type { Axis, Box } from '../../scan/box.js';
import { type AccumulatorName, accumulatorOf } from './index.js';

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

/** One value of each of some rows, and the cells that they belong to. */
interface CellRows {
  /** Address of the value of row 0, and bytes from a row to the next. */
  readonly from: number;
  readonly step: number;
  readonly count: number;
  /** Addresses of the numbers of the cells, and of the rows, u32; no address of rows: they are 0 to `count`. */
  readonly cells: number;
  readonly rowIds: number;
  /** Of row 0, and from a row to the next. */
  readonly index: number;
  readonly indexStep: number;
}

/**
 * Cells of accumulators whose kernels take elements one at a time (kernels/accumulators), of axes or of groups: what each
 * keeps of a cell stands side by side.
 */
export class ElementCells {
  readonly #type: NativeType;
  /** From an element to the next: of complex numbers, that of both parts. */
  readonly #itemBytes: number;
  readonly #kernels: readonly {
    readonly add: (spec: number) => void;
    readonly state: CellMemory;
    readonly fields: readonly string[];
  }[];
  readonly #spec: number;
  readonly #view: DataView;

  /** Takes scratch memory for `cells` cells of those accumulators that have such a kernel. Cells have to `begin`. */
  constructor(engine: Engine, dtype: DType, names: readonly AccumulatorName[], cells: number) {
    const type = nativeTypeOf(dtype);
    this.#type = type;
    this.#itemBytes = nativeBytesOf(dtype);
    this.#kernels = names.flatMap(name => {
      const { elements: kernel, fields } = accumulatorOf(name);
      if (!kernel) return [];
      const state = new CellMemory(engine, type, cells, Object.keys(kernel.state), 'records', kernel.state);
      return [{ add: engine.kernels[kernel.name], state, fields: Object.keys(fields(isWideType(type))) }];
    });
    this.#spec = engine.scratch.alloc(SPEC.SPEC_BYTES);
    this.#view = new DataView(engine.memory.buffer, this.#spec, SPEC.SPEC_BYTES);
  }

  /** Cells `[from, to)` have no element yet. */
  begin(from: number, to: number): void {
    for (const { state } of this.#kernels) state.begin(from, to);
  }

  /** Elements of a tile at `ptr` along three axes, the outermost first, whose first element is that of `at`. */
  addAxes(ptr: number, at: Box, axes: readonly [Axis, Axis, Axis], omits: boolean): void {
    const itemsize = this.#itemBytes;
    for (const { add, state } of this.#kernels) {
      this.#begin(ptr + at.offset * itemsize, state.first + at.cell * state.cellBytes, at.index, omits);
      this.#view.setUint32(SPEC.CELLS, 0, true);
      for (const [number, axis] of axes.entries()) {
        const to = SPEC.AXES + number * SPEC.AXIS_BYTES;
        this.#view.setUint32(to + SPEC.LENGTH, axis.length, true);
        this.#view.setInt32(to + SPEC.STEP, axis.stride * itemsize, true);
        this.#view.setInt32(to + SPEC.STATE_STEP, axis.cellStep * state.cellBytes, true);
        this.#view.setFloat64(to + SPEC.INDEX_STEP, axis.indexStep, true);
      }
      add(this.#spec);
    }
  }

  addRows(rows: CellRows, omits: boolean): void {
    for (const { add, state } of this.#kernels) {
      this.#begin(rows.from, state.first, rows.index, omits);
      this.#view.setUint32(SPEC.ROWS, rows.count, true);
      this.#view.setInt32(SPEC.ROW_STEP, rows.step, true);
      this.#view.setUint32(SPEC.STATE_BYTES, state.cellBytes, true);
      this.#view.setUint32(SPEC.CELLS, rows.cells, true);
      this.#view.setUint32(SPEC.ROW_IDS, rows.rowIds, true);
      this.#view.setFloat64(SPEC.ROW_INDEX_STEP, rows.indexStep, true);
      add(this.#spec);
    }
  }

  /** The fields of the first cells, in buffers that `take` gives. */
  read(cells: number, take: (length: number) => Float64Array): Fields {
    return Object.assign(
      {},
      ...this.#kernels.map(({ state, fields }) => state.read(fields, '', cells, take)),
    ) as Fields;
  }

  #begin(from: number, states: number, index: number, omits: boolean): void {
    this.#view.setUint32(SPEC.TYPE, NATIVE_TYPES.indexOf(this.#type), true);
    this.#view.setUint32(SPEC.OMIT, Number(omits), true);
    this.#view.setUint32(SPEC.FROM, from, true);
    this.#view.setUint32(SPEC.STATES, states, true);
    this.#view.setFloat64(SPEC.INDEX, index, true);
  }
}

/**
 * Cells of accumulators whose kernels take elements one at a time (kernels/accumulators), of axes or of groups: what each
 * keeps of a cell stands side by side in the kernels' memory.
 */
import * as SPEC from '../../kernels/element-spec.js';
import { isWideType, NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../kernels/native-types.js';
import type { Engine } from '../../kernels/engine.js';
import type { Axis, Box } from '../scan/box.js';
import { CellMemory } from './cell-memory.js';
import { accumulatorOf, type AccumulatorName } from './index.js';
import type { Fields } from './accumulator.js';

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

export class ElementCells {
  readonly #type: NativeType;
  readonly #kernels: readonly {
    readonly add: (spec: number) => void;
    readonly state: CellMemory;
    readonly fields: readonly string[];
  }[];
  readonly #spec: number;
  readonly #view: DataView;

  /** Takes scratch memory for `cells` cells of those accumulators that have such a kernel. Cells have to `begin`. */
  constructor(engine: Engine, type: NativeType, names: readonly AccumulatorName[], cells: number) {
    this.#type = type;
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
    const itemsize = NATIVE_BYTES[this.#type];
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

/** How kernels over runs and over rows are told what to do: the fields of kernels/lines.ts, in its order. */

/** Pointers and steps are bytes; what is left out is 0, or false. */
export interface Lines {
  /** Position in NATIVE_TYPES. */
  readonly type: number;
  /** Address of the first element. */
  readonly ptr: number;
  /** Lines of `length` contiguous elements, `step` bytes apart. */
  readonly step: number;
  readonly count: number;
  readonly length: number;
  /** Blocks of `count` rows; or, of short runs, rows of `count` runs, `blockStep` bytes apart. */
  readonly blocks?: number;
  readonly blockStep?: number;
  /** Address of the first cell; to the next field of it, and from the cell of one run, or block, to that of the next. */
  readonly cells: number;
  readonly fieldBytes: number;
  readonly cellStep: number;
  /** Address of WORKSPACE_BYTES for each column, or short run. */
  readonly workspace?: number;
  /** NaN are left out. */
  readonly omits?: boolean;
  /** Moments of floats: with extremes in the same pass. */
  readonly extremes?: boolean;
  /** Moments of float32: with sums, which follow from them. */
  readonly sums?: boolean;
  /** A sum of WANTS_MIN, WANTS_MAX and WANTS_NAN. */
  readonly wants?: number;
  /** Index of the first element, or row; from one to the next; from one run, or block, to the next. */
  readonly index?: number;
  readonly indexStep?: number;
  readonly outerIndexStep?: number;
}

const INDEX_AT = 64;
export const LINES_BYTES = INDEX_AT + 3 * 8;

/** The place in memory where the kernels of a thread are told, before each call. */
export class LinesMemory {
  readonly #ptr: number;
  readonly #numbers: Uint32Array<ArrayBuffer>;
  readonly #indices: Float64Array<ArrayBuffer>;

  /** @param ptr a multiple of 8 */
  constructor(memory: ArrayBuffer, ptr: number) {
    this.#ptr = ptr;
    this.#numbers = new Uint32Array(memory, ptr, INDEX_AT / 4);
    this.#indices = new Float64Array(memory, ptr + INDEX_AT, 3);
  }

  /** The address that kernels are given. It is written over by the next call. */
  write(lines: Lines): number {
    const numbers = this.#numbers;
    numbers[0] = lines.type;
    numbers[1] = lines.ptr;
    numbers[2] = lines.step;
    numbers[3] = lines.count;
    numbers[4] = lines.length;
    numbers[5] = lines.blocks ?? 0;
    numbers[6] = lines.blockStep ?? 0;
    numbers[7] = lines.cells;
    numbers[8] = lines.fieldBytes;
    numbers[9] = lines.cellStep;
    numbers[10] = lines.workspace ?? 0;
    numbers[11] = Number(lines.omits ?? false);
    numbers[12] = Number(lines.extremes ?? false);
    numbers[13] = Number(lines.sums ?? false);
    numbers[14] = lines.wants ?? 0;
    const indices = this.#indices;
    indices[0] = lines.index ?? 0;
    indices[1] = lines.indexStep ?? 0;
    indices[2] = lines.outerIndexStep ?? 0;
    return this.#ptr;
  }
}

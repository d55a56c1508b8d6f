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
  /** Rows alone: blocks of `count` rows, `blockStep` bytes apart. */
  readonly blocks?: number;
  readonly blockStep?: number;
  /** Address of the first cell; to the next field of it, and from the cell of one run, or block, to that of the next. */
  readonly cells: number;
  readonly fieldBytes: number;
  readonly cellStep: number;
  /** Rows alone: address of WORKSPACE_BYTES for each column. */
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
    const {
      blocks = 0,
      blockStep = 0,
      workspace = 0,
      omits = false,
      extremes = false,
      sums = false,
      wants = 0,
    } = lines;
    const { type, ptr, step, count, length, cells, fieldBytes, cellStep } = lines;
    this.#numbers.set([type, ptr, step, count, length, blocks, blockStep, cells, fieldBytes, cellStep, workspace]);
    this.#numbers.set([Number(omits), Number(extremes), Number(sums), wants], 11);
    const { index = 0, indexStep = 0, outerIndexStep = 0 } = lines;
    this.#indices.set([index, indexStep, outerIndexStep]);
    return this.#ptr;
  }
}

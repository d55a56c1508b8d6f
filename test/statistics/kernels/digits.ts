/** Rows of values in the memory of both implementations of the kernels, and what a kernel counts of them. */
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../src/kernels/native-types.js';
import type { Kernels } from '../../../src/kernels/index.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { IMPLEMENTATIONS } from './implementations.js';
import { putValues } from './values.js';

/** Where rows, specs and results of a case lie, from the start of an implementation's own memory. */
const ROWS_AT = 2 * 1024 * 1024;
const SPEC_AT = 64 * 1024;
const TABLE_AT = 128 * 1024;

/** Rows of `count` values, `stride` bytes apart. */
export interface RowsCase {
  readonly type: NativeType;
  readonly number: number;
  readonly rows: number;
  readonly count: number;
  readonly values: readonly (number | bigint)[];
}

export interface Bench {
  readonly kernels: Kernels;
  readonly memory: DataView;
  /** ptr, rows, stride and count, as kernels take them. */
  readonly at: readonly [number, number, number, number];
  readonly spec: number;
  readonly table: number;
}

export function rowsCase(type: NativeType, rows: number, count: number, valueOf: () => number | bigint): RowsCase {
  const values = Array.from({ length: rows * count }, valueOf);
  return { type, number: NATIVE_TYPES.indexOf(type), rows, count, values };
}

/** Runs a kernel over both implementations, and answers the sentence of their first difference. */
export function compareTables(
  seed: number,
  each: RowsCase,
  tableWords: number,
  run: (bench: Bench) => unknown,
): string | undefined {
  const [scalar, wasm] = IMPLEMENTATIONS.map(({ kernels, bytes, base }) => {
    const random = seededRandom(seed);
    const memory = new DataView(bytes.buffer);
    const at = putRows(memory, base + ROWS_AT + random.below(16), random, each);
    const spec = base + SPEC_AT;
    const table = base + TABLE_AT;
    const words = new Uint32Array(bytes.buffer, table, tableWords).fill(0);
    const answer = run({ kernels, memory, at, spec, table });
    return { answer, words: words.slice() };
  }) as [{ answer: unknown; words: Uint32Array }, { answer: unknown; words: Uint32Array }];
  if (!Object.is(scalar.answer, wasm.answer))
    return `answers ${String(wasm.answer)} instead of ${String(scalar.answer)}`;
  if (Buffer.from(scalar.words.buffer).equals(Buffer.from(wasm.words.buffer))) return undefined;
  const word = scalar.words.findIndex((each, i) => each !== wasm.words[i]);
  return `counter ${word} is ${wasm.words[word]} instead of ${scalar.words[word]}`;
}

function putRows(memory: DataView, ptr: number, random: Random, { type, rows, count, values }: RowsCase): Bench['at'] {
  const stride = count * NATIVE_BYTES[type] + (rows > 1 ? random.below(20) : 0);
  for (let row = 0; row < rows; row++) {
    putValues(memory, ptr + row * stride, type, values.slice(row * count, (row + 1) * count));
  }
  return [ptr, rows, stride, count];
}

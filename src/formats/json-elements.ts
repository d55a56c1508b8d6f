/**
 * Runs of elements as JSON text, a loop per family of numbers so that each stays monomorphic; all other dtypes item by
 * item. Every element is followed by a comma. Hazard: nothing checks for room; see `bytesMax`.
 */
import type { Block } from '../block.js';
import { isNumber, numberDType, type DType, type NumberDType } from '../dtype/index.js';
import { toNative, type NativeArray } from '../native.js';
import { LIMITS } from '../limits.js';
import { floatTextRuns, ROW_END } from './float-texts.js';
import { NUMBER_BYTES_MAX, writeInteger, writeText } from './json-digits.js';
import { writeFloat16, writeFloat32, writeFloat64 } from './json-floats.js';
import { itemOf } from './json-items.js';
import { isShort, type LongItem, type ShortItem } from './json-pieces.js';
import { jsonItemSize } from './json-size.js';
import { JSON_WORDS, wordOf, type Words } from './words.js';

/** Writes the elements from `start` to `stop`; returns the position after the last comma. */
export type WriteRun = (start: number, stop: number, target: Uint8Array, at: number) => number;

type NumberArray = Exclude<NativeArray, BigInt64Array | BigUint64Array>;

export interface JsonDataOptions {
  /** `string` puts 64-bit integers in quotes, for readers whose numbers are doubles. */
  readonly int64: 'number' | 'string';
}

/** Room that a number needs: the longest one in quotes, and its comma. */
export const ELEMENT_BYTES_MAX = NUMBER_BYTES_MAX + 1;

const COMMA = 0x2c;
const QUOTE = 0x22;

/** How the elements of a block are written. */
export type ElementWriter = ElementRuns | { readonly long: LongItem };

export interface ElementRuns {
  readonly write: WriteRun;
  /** Room that each element needs, its comma included. */
  readonly bytesMax: number;
  /** Elements that are written in one turn. */
  readonly perTurn: number;
  /** Whether what is written behind the last element of a row is `],[`, and no comma. */
  readonly endsRows?: boolean;
}

/**
 * @param first elements of the whole before those of the block, whose shape is that of the whole
 * @throws unsupported_dtype
 */
export function elementWriter({ dtype, bytes, shape }: Block, options: JsonDataOptions, first = 0): ElementWriter {
  if (isNumber(dtype)) return floatRows(dtype, bytes, { shape, first }) ?? runsOf(numberRuns(dtype, bytes, options));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const item = itemOf(dtype, { bytes, view, isQuoted: options.int64 === 'string' });
  if (!isShort(item)) return { long: item };
  return { write: itemRuns(item, dtype.itemsize), bytesMax: item.textMax + 1, perTurn: itemsPerTurn(dtype) };
}

/** Floats with the ends of their rows, by the kernel. */
function floatRows(
  dtype: NumberDType,
  bytes: Uint8Array,
  { shape, first }: { readonly shape: readonly number[]; readonly first: number },
): ElementRuns | undefined {
  const length = shape.at(-1);
  if (length === undefined || !FLOATS.includes(dtype.name)) return undefined;
  const values = toNative(dtype, bytes) as Float32Array | Float64Array;
  const write = floatTextRuns({ values, words: JSON_WORDS, rows: { length, done: first % length } });
  return write && { ...runsOf(write), bytesMax: NUMBER_BYTES_MAX + ROW_END.length, endsRows: true };
}

const FLOATS: readonly string[] = ['float32', 'float64'];

/** As many as take a few milliseconds: their values are written one by one, and zeros at the end of texts are looked at. */
export function itemsPerTurn(dtype: DType): number {
  if (isNumber(dtype)) return LIMITS.jsonElementsPerTurn;
  const { values } = jsonItemSize(dtype);
  return Math.max(1, Math.floor(Math.min(ITEM_VALUES_PER_TURN / values, ITEM_BYTES_PER_TURN / dtype.itemsize)));
}

/** Dates are several times as long as numbers under way. */
const ITEM_VALUES_PER_TURN = LIMITS.jsonElementsPerTurn / 4;
const ITEM_BYTES_PER_TURN = 512 * 1024;

function runsOf(write: WriteRun): ElementRuns {
  return { write, bytesMax: ELEMENT_BYTES_MAX, perTurn: LIMITS.jsonElementsPerTurn };
}

function itemRuns({ write }: ShortItem, itemsize: number): WriteRun {
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      at = write(i * itemsize, target, at);
      target[at++] = COMMA;
    }
    return at;
  };
}

/** @param words in place of JSON's own, where another format is written */
export function numberRuns(dtype: NumberDType, bytes: Uint8Array, options: JsonDataOptions, words?: Words): WriteRun {
  const values = toNative(dtype, bytes);
  if (dtype.name === 'bool') return boolRuns(bytes);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return int64Runs(values, options.int64 === 'string');
  }
  if (dtype.name === 'float16') return float16Runs(values, toNative(asUnsigned(dtype), bytes) as Uint16Array, words);
  if (values instanceof Float32Array) {
    const runs = floatTextRuns({ values, words: words ?? JSON_WORDS });
    return runs ?? float32Runs(values, new Int32Array(values.buffer, values.byteOffset, values.length), words);
  }
  if (values instanceof Float64Array) {
    return floatTextRuns({ values, words: words ?? JSON_WORDS }) ?? float64Runs(values, words);
  }
  return integerRuns(values);
}

/** The empty list in place of each element: what remains of a shape below an axis of length zero. */
export const emptyLists: ElementRuns = runsOf((start, stop, target, at) => {
  for (let i = start; i < stop; i++) at = writeText('[],', target, at);
  return at;
});

/** The dtype that shows the bits of another, in the same byte order. */
function asUnsigned(dtype: NumberDType): NumberDType {
  return numberDType(`${dtype.byteOrder}u${dtype.itemsize}`);
}

/** Files may hold other bytes than 0 and 1; all but 0 are true, as numpy reads them. */
function boolRuns(values: Uint8Array): WriteRun {
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) at = writeText(values[i] ? 'true,' : 'false,', target, at);
    return at;
  };
}

function integerRuns(values: NumberArray): WriteRun {
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      at = writeInteger(values[i]!, target, at);
      target[at++] = COMMA;
    }
    return at;
  };
}

/** Integers that a double holds are written from their halves, without a BigInt. */
function int64Runs(values: BigInt64Array | BigUint64Array, quoted: boolean): WriteRun {
  const halves = [values.buffer, values.byteOffset, values.length * 2] as const;
  const lows = new Uint32Array(...halves);
  const highs = values instanceof BigInt64Array ? new Int32Array(...halves) : lows;
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      if (quoted) target[at++] = QUOTE;
      const high = highs[2 * i + 1]!;
      if (high < 2 ** 21 && high >= -(2 ** 21)) at = writeInteger(high * 2 ** 32 + lows[2 * i]!, target, at);
      else at = writeText(values[i]!.toString(), target, at);
      if (quoted) target[at++] = QUOTE;
      target[at++] = COMMA;
    }
    return at;
  };
}

function float16Runs(values: NumberArray, bits: Uint16Array, words: Words | undefined): WriteRun {
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      const value = values[i]!;
      if (words && !Number.isFinite(value)) at = writeText(wordOf(value, words), target, at);
      else at = writeFloat16(value, bits[i]!, target, at);
      target[at++] = COMMA;
    }
    return at;
  };
}

function float32Runs(values: Float32Array, bits: Int32Array, words: Words | undefined): WriteRun {
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      const value = values[i]!;
      if (words && !Number.isFinite(value)) at = writeText(wordOf(value, words), target, at);
      else at = writeFloat32(value, bits[i]!, target, at);
      target[at++] = COMMA;
    }
    return at;
  };
}

function float64Runs(values: Float64Array, words: Words | undefined): WriteRun {
  return (start, stop, target, at) => {
    for (let i = start; i < stop; i++) {
      const value = values[i]!;
      if (words && !Number.isFinite(value)) at = writeText(wordOf(value, words), target, at);
      else at = writeFloat64(value, target, at);
      target[at++] = COMMA;
    }
    return at;
  };
}

/**
 * Runs of float64 and float32 as text, by a kernel: a thousand at a time into a memory of this thread, ahead of what is
 * asked for, and from there in pieces of any length. The texts are those of json-floats.ts, to the byte.
 * Hazard: writers of one thread take turns with the memory; each finds out when another had it in between.
 */
import { invariant } from '../errors.js';
import { POWER_OF_TEN_MAX, POWER_OF_TEN_MIN } from '../kernels/constants.js';
import { compileKernels, instantiateKernels, KERNEL_DATA_BYTES, type Kernels } from '../kernels/index.js';
import { NUMBER_BYTES_MAX } from './json-digits.js';
import type { Words } from './words.js';

/** Writes the elements from `start` to `stop`; returns the position after the last comma. */
type WriteRun = (start: number, stop: number, target: Uint8Array, at: number) => number;

/** Elements whose texts are made at once. */
const ELEMENTS = 1024;
/** For fewer than these it is not worth the way there and back. */
const FEW = 32;
/** Shorter texts are copied faster by a loop. */
const LOOP_BYTES_MAX = 48;

const POWER_BYTES = 16;
const WORD_BYTES = 16;
const WORDS = 4;
const WASM_PAGE_BYTES = 64 * 1024;
/** In place of a comma behind the last element of a row. */
export const ROW_END = '],[';

const POWERS_AT = KERNEL_DATA_BYTES;
const WORDS_AT = POWERS_AT + (POWER_OF_TEN_MAX - POWER_OF_TEN_MIN + 1) * POWER_BYTES;
const ENDS_AT = WORDS_AT + WORDS * WORD_BYTES;
const VALUES_AT = ENDS_AT + ELEMENTS * 4;
const TEXTS_AT = VALUES_AT + ELEMENTS * 8;
const MEMORY_BYTES = TEXTS_AT + ELEMENTS * (NUMBER_BYTES_MAX + ROW_END.length) + 32;

/** Of this thread; undefined before the first use, null where there is no WebAssembly. */
let shared: FloatTexts | null | undefined;

/** Elements to be written. */
interface Floats {
  readonly values: Float64Array | Float32Array;
  readonly words: Words;
  /** Where rows of so many elements end in ROW_END: `done` of the first one come before these elements. */
  readonly rows?: { readonly length: number; readonly done: number } | undefined;
}

/** What writes them, each with a comma behind it; undefined where they are few, or there is no WebAssembly. */
export function floatTextRuns(floats: Floats): WriteRun | undefined {
  if (floats.values.length < FEW) return undefined;
  if (shared === undefined) shared = newFloatTexts();
  const texts = shared;
  if (!texts) return undefined;
  return (start, stop, target, at) => {
    for (let element = start; element < stop;) {
      const end = Math.min(stop, texts.hold(floats, element));
      at = texts.copy(element, end, target, at);
      element = end;
    }
    return at;
  };
}

function newFloatTexts(): FloatTexts | null {
  try {
    return new FloatTexts();
  } catch {
    return null;
  }
}

class FloatTexts {
  readonly #kernels: Kernels;
  readonly #bytes: Uint8Array;
  /** Where each text ends, in bytes from TEXTS_AT. */
  readonly #ends: Uint32Array;
  #words: Words | undefined;
  /** Whose texts these are: of its elements from `first` to `stop`. */
  #floats: Floats | undefined;
  #first = 0;
  #stop = 0;

  /** Takes some milliseconds. @throws where WebAssembly, its module or its memory cannot be had */
  constructor() {
    const pages = Math.ceil(MEMORY_BYTES / WASM_PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = memory;
    this.#kernels = instantiateKernels(compileKernels(), memory);
    this.#bytes = new Uint8Array(buffer);
    this.#ends = new Uint32Array(buffer, ENDS_AT, ELEMENTS);
    putPowers(new DataView(buffer));
    this.#putWord(WORDS - 1, ROW_END);
  }

  /** Sees to it that the text of an element is there; returns the first element behind it whose text is not. */
  hold(floats: Floats, element: number): number {
    if (floats === this.#floats && element >= this.#first && element < this.#stop) return this.#stop;
    const { values, words, rows } = floats;
    const { BYTES_PER_ELEMENT: itemsize, buffer, byteOffset, length } = values;
    const count = Math.min(length - element, ELEMENTS);
    this.#bytes.set(new Uint8Array(buffer, byteOffset + element * itemsize, count * itemsize), VALUES_AT);
    if (words !== this.#words) this.#putWords(words);
    const row = rows ? rows.length : ELEMENTS + 1;
    const left = rows ? row - ((rows.done + element) % row) : row;
    // Counted in 32 bits: what lies beyond these elements does not matter.
    const [leftHere, rowHere] = [left, row].map(each => Math.min(each, ELEMENTS + 1));
    this.#kernels.floatTexts(itemsize, VALUES_AT, count, leftHere!, rowHere!, POWERS_AT, WORDS_AT, ENDS_AT, TEXTS_AT);
    this.#floats = floats;
    this.#first = element;
    return (this.#stop = element + count);
  }

  /** Copies the texts of elements that are there. */
  copy(start: number, stop: number, target: Uint8Array, at: number): number {
    const bytes = this.#bytes;
    const first = start - this.#first;
    let from = first === 0 ? TEXTS_AT : TEXTS_AT + this.#ends[first - 1]!;
    const end = TEXTS_AT + this.#ends[stop - 1 - this.#first]!;
    if (end - from > LOOP_BYTES_MAX) {
      target.set(bytes.subarray(from, end), at);
      return at + end - from;
    }
    while (from < end) target[at++] = bytes[from++]!;
    return at;
  }

  #putWords(words: Words): void {
    for (const [i, word] of [words.nan, words.infinity, words.minusInfinity].entries()) this.#putWord(i, word);
    this.#words = words;
  }

  #putWord(i: number, word: string): void {
    invariant(word.length < WORD_BYTES, 'words are short');
    const at = WORDS_AT + i * WORD_BYTES;
    this.#bytes.set(Buffer.from(word), at);
    this.#bytes[at + WORD_BYTES - 1] = word.length;
  }
}

/**
 * The powers of ten: for each the least integer of 128 bits that is not below 10^e * 2^(127 - r), where 2^r is the greatest
 * power of two that is not above 10^e. 10^0 is 2^127, and 10^-1 is 0xcccc...cccd, with r = -4. They take about a millisecond.
 */
function putPowers(view: DataView): void {
  let tens = 1n;
  for (let e = 0; e <= POWER_OF_TEN_MAX; e++, tens *= 10n) {
    const shift = shiftOf(e);
    putPower(view, e, shift < 0 ? -(-tens >> BigInt(-shift)) : tens << BigInt(shift));
    // No power of ten below 1 is a sum of powers of two: what is above the quotient is the next integer.
    if (e > 0 && -e >= POWER_OF_TEN_MIN) putPower(view, -e, (1n << BigInt(shiftOf(-e))) / tens + 1n);
  }
}

function shiftOf(e: number): number {
  return 127 - Math.floor(e * Math.log2(10));
}

function putPower(view: DataView, e: number, power: bigint): void {
  const at = POWERS_AT + (e - POWER_OF_TEN_MIN) * POWER_BYTES;
  view.setBigUint64(at, BigInt.asUintN(64, power), true);
  view.setBigUint64(at + 8, power >> 64n, true);
}

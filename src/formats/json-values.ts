/** JSON scalars → elements of a dtype: what each dtype takes, exactly or not at all, and the growing buffer for it. */
import { isNativeOrder, withByteOrder, type NumberDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { toFloat16Bits } from '../float16.js';
import { swapBytes, toNative } from '../native.js';
import { exactInteger } from './exact-integer.js';
import type { JsonScanner } from './json-scan.js';
import { integerRange, overflowOf } from '../dtype/ranges.js';

const QUOTE = 0x22;
const OBJECT = 0x7b;
const CAPACITY_MIN = 16;
const WORDS = new Map([
  [0x74, 'true'],
  [0x66, 'false'],
  [0x6e, 'null'],
]);
const FLOAT_STRINGS = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const DIGITS = /^-?[0-9]{1,30}$/;

/** Puts a double at an index; for integers it is integral and in range. */
type Store = (index: number, value: number) => void;

/** Reads scalars from a scanner into a packed buffer that grows by doubling. */
export class ElementSink {
  readonly #dtype: NumberDType;
  readonly #scanner: JsonScanner;
  /** Inclusive bounds of the doubles that the dtype takes; for 64-bit integers only short ones are compared. */
  readonly #min: number;
  readonly #max: number;
  /** Every element takes at least two bytes of text: a digit and what follows it. */
  readonly #capacityMax: number;
  #capacity: number;
  #count = 0;
  #bytes: Uint8Array;
  #store: Store;

  constructor(dtype: NumberDType, scanner: JsonScanner) {
    this.#dtype = dtype;
    this.#scanner = scanner;
    if (dtype.kind === 'f') {
      this.#max = overflowOf(dtype);
      this.#min = -this.#max;
    } else {
      const range = integerRange(dtype);
      this.#min = Number(range.min);
      this.#max = Number(range.max);
    }
    const textBytes = scanner.bytes.length;
    this.#capacityMax = Math.floor(textBytes / 2) + 1;
    this.#capacity = Math.min(this.#capacityMax, CAPACITY_MIN + Math.floor(textBytes / 8));
    this.#bytes = new Uint8Array(this.#capacity * dtype.itemsize);
    this.#store = storeInto(dtype, this.#bytes);
  }

  /** Reads the scalar that begins at the scanner's position. */
  readElement(): void {
    if (this.#count === this.#capacity) this.#grow();
    const scanner = this.#scanner;
    const first = scanner.bytes[scanner.at]!;
    if (first === QUOTE) this.#readString();
    else if (first >= 0x61) this.#readWord(first);
    else this.#readNumber();
    this.#count++;
  }

  /** The elements, packed, in the dtype's byte order. */
  finish(): Uint8Array {
    const length = this.#count * this.#dtype.itemsize;
    const bytes = length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, length);
    if (!isNativeOrder(this.#dtype)) swapBytes(bytes, this.#dtype.itemsize);
    return bytes;
  }

  #readNumber(): void {
    const scanner = this.#scanner;
    const value = scanner.readNumber();
    if (this.#dtype.kind === 'f') {
      if (value >= this.#max || value <= this.#min)
        this.#refuse('it would become infinity, which is written "Infinity"');
      this.#store(this.#count, value);
    } else if (scanner.isShortInteger && this.#dtype.kind !== 'b') {
      if (value < this.#min || value > this.#max) this.#refuseRange();
      this.#store(this.#count, value);
    } else {
      this.#storeExactly(scanner.token());
    }
  }

  /** Integers that are written long, with a point or with an exponent. */
  #storeExactly(text: string): void {
    if (this.#dtype.kind === 'b') this.#refuse('it takes true and false alone');
    const value = exactInteger(text);
    if (value === undefined) return this.#refuse('it has a fraction. Round it, or write to a float dtype');
    const { min, max } = integerRange(this.#dtype);
    if (value < min || value > max) this.#refuseRange();
    if (this.#dtype.itemsize < 8) return this.#store(this.#count, Number(value));
    new DataView(this.#bytes.buffer).setBigInt64(8 * this.#count, BigInt.asIntN(64, value), true);
  }

  #readWord(first: number): void {
    const scanner = this.#scanner;
    if (first === OBJECT) scanner.refuse(scanner.at, 'an object stands. Send the bare value or list, never wrapped');
    const word = WORDS.get(first) ?? 'null';
    scanner.readWord(word);
    if (word === 'null')
      this.#refuse(
        this.#dtype.kind === 'f' ? 'null is no value; NaN is written "NaN"' : 'null is no value. Send one in its place',
      );
    this.#store(this.#count, word === 'true' ? 1 : 0);
  }

  #readString(): void {
    const text = this.#scanner.readString();
    if (this.#dtype.kind === 'f') {
      const value = FLOAT_STRINGS.get(text);
      if (value === undefined)
        return this.#refuse('the only strings are "NaN", "Infinity" and "-Infinity". Send a number');
      this.#store(this.#count, value);
    } else if (this.#dtype.itemsize === 8 && DIGITS.test(text)) {
      this.#storeExactly(text);
    } else {
      this.#refuse(
        this.#dtype.itemsize === 8
          ? 'only digits are read from strings'
          : 'it takes no strings. Send a value without quotes',
      );
    }
  }

  #grow(): void {
    this.#capacity = Math.min(this.#capacityMax, this.#capacity * 2);
    const larger = new Uint8Array(this.#capacity * this.#dtype.itemsize);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#store = storeInto(this.#dtype, larger);
  }

  #refuseRange(): never {
    const { min, max } = integerRange(this.#dtype);
    return this.#refuse(`it holds ${min} to ${max}. Send a value in that range, or write to a wider dtype`);
  }

  #refuse(why: string): never {
    const value = this.#scanner.shownToken();
    return fail('would_lose', `${this.#dtype.name} cannot hold ${value}, element ${this.#count}: ${why}.`, {
      position: this.#scanner.start,
      index: this.#count,
      value,
      dtype: this.#dtype.typestr,
    });
  }
}

/** Stores in the machine's own byte order. */
function storeInto(dtype: NumberDType, bytes: Uint8Array): Store {
  const { buffer } = bytes;
  if (dtype.name === 'float16') {
    const halves = new Uint16Array(buffer);
    return (index, value) => {
      halves[index] = toFloat16Bits(value);
    };
  }
  if (dtype.name === 'int64' || dtype.name === 'uint64') {
    const words = new Uint32Array(buffer);
    return (index, value) => {
      words[2 * index] = value;
      words[2 * index + 1] = Math.floor(value / 2 ** 32);
    };
  }
  // A fresh buffer is aligned and nothing is swapped, so this looks at it in place.
  const items = toNative(withByteOrder(dtype, '<'), bytes);
  return (index, value) => {
    items[index] = value;
  };
}

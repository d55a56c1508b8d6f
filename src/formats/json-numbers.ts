/** JSON scalars → numbers of a dtype: what each dtype takes, exactly or not at all, wherever it is stored. */
import { integerRange, overflowOf, type NumberDType } from '../dtype/index.js';
import { exactInteger } from './exact-integer.js';
import type { JsonScanner } from './json-scan.js';
import type { NumberStore } from './number-store.js';

const QUOTE = 0x22;
const OBJECT = 0x7b;
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

/** Throws `would_lose` for the value that the scanner has read, with its place. */
export type RefuseNumber = (why: string) => never;

export class NumberReader {
  /** May be changed between two reads. */
  store: NumberStore;
  readonly #dtype: NumberDType;
  readonly #scanner: JsonScanner;
  readonly #refuse: RefuseNumber;
  /** Inclusive bounds of the doubles that the dtype takes; for 64-bit integers only short ones are compared. */
  readonly #min: number;
  readonly #max: number;

  constructor(dtype: NumberDType, scanner: JsonScanner, store: NumberStore, refuse: RefuseNumber) {
    this.#dtype = dtype;
    this.#scanner = scanner;
    this.store = store;
    this.#refuse = refuse;
    if (dtype.kind === 'f') {
      this.#max = overflowOf(dtype);
      this.#min = -this.#max;
    } else {
      const range = integerRange(dtype);
      this.#min = Number(range.min);
      this.#max = Number(range.max);
    }
  }

  /** Reads the scalar that begins at the scanner's position. */
  read(place: number): void {
    const scanner = this.#scanner;
    const first = scanner.bytes[scanner.at]!;
    if (first === QUOTE) this.#readString(place);
    else if (first >= 0x61) this.#readWord(place, first);
    else this.#readNumber(place);
  }

  #readNumber(place: number): void {
    const scanner = this.#scanner;
    const value = scanner.readNumber();
    if (this.#dtype.kind === 'f') {
      if (value >= this.#max || value <= this.#min)
        this.#refuse('it would become infinity, which is written "Infinity"');
      this.store.put(place, value);
    } else if (scanner.isShortInteger && this.#dtype.kind !== 'b') {
      if (value < this.#min || value > this.#max) this.#refuseRange();
      this.store.put(place, value);
    } else {
      this.#storeExactly(place, scanner.token());
    }
  }

  /** Integers that are written long, with a point or with an exponent. */
  #storeExactly(place: number, text: string): void {
    if (this.#dtype.kind === 'b') this.#refuse('it takes true and false alone');
    const value = exactInteger(text);
    if (value === undefined) return this.#refuse('it has a fraction. Round it, or write to a float dtype');
    const { min, max } = integerRange(this.#dtype);
    if (value < min || value > max) this.#refuseRange();
    if (this.#dtype.itemsize < 8) return this.store.put(place, Number(value));
    this.store.putExact(place, value);
  }

  #readWord(place: number, first: number): void {
    const scanner = this.#scanner;
    if (first === OBJECT) scanner.refuse(scanner.at, 'an object stands. Send the bare value or list, never wrapped');
    const word = WORDS.get(first) ?? 'null';
    scanner.readWord(word);
    if (word === 'null')
      this.#refuse(
        this.#dtype.kind === 'f' ? 'null is no value; NaN is written "NaN"' : 'null is no value. Send one in its place',
      );
    this.store.put(place, word === 'true' ? 1 : 0);
  }

  #readString(place: number): void {
    const text = this.#scanner.readString();
    if (this.#dtype.kind === 'f') {
      const value = FLOAT_STRINGS.get(text);
      if (value === undefined)
        return this.#refuse('the only strings are "NaN", "Infinity" and "-Infinity". Send a number');
      this.store.put(place, value);
    } else if (this.#dtype.itemsize === 8 && DIGITS.test(text)) {
      this.#storeExactly(place, text);
    } else {
      this.#refuse(
        this.#dtype.itemsize === 8
          ? 'only digits are read from strings'
          : 'it takes no strings. Send a value without quotes',
      );
    }
  }

  #refuseRange(): never {
    const { min, max } = integerRange(this.#dtype);
    return this.#refuse(`it holds ${min} to ${max}. Send a value in that range, or write to a wider dtype`);
  }
}

/**
 * One cell of text at a time as a number: what kind of value it looks like, and its value, which is asked for only where
 * it is wanted. Spaces around it do not count. Hazard: cells are read by the million, so no string is made of most of them.
 */
import { EXACT_POWERS } from '../json-digits.js';
import { exactInteger } from '../exact-integer.js';

/** Kinds of values, as bits: a column is of the kinds of all its cells. */
export const MISSING = 1;
export const BOOL = 2;
/** Within int64. */
export const INTEGER = 4;
/** The same, below zero. */
export const NEGATIVE = 8;
/** Above int64, and within uint64. */
export const UNSIGNED = 16;
/** Beyond both. */
export const LONG = 32;
export const FLOAT = 64;
export const COMPLEX = 128;
export const TEXT = 256;

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const SPACE = 0x20;
const TAB = 0x09;
const ZERO = 0x30;
/** Digits that a double, and an int64, hold whatever they are. */
const EXACT_DIGITS = 15;
const SHORT_DIGITS = 18;
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** What stands for a value that is missing: in files of numpy, pandas, R, SQL, and what JSON has. */
const MISSING_WORDS = new Set(['nan', '-nan', '+nan', 'null', 'na', 'n/a', '<na>', 'none']);
const INFINITIES = /^[+-]?inf(?:inity)?$/;
const WORD_LENGTH_MAX = 9;
/** `1.5-2j`, `(1+nanj)`, `2j`. */
const PART = String.raw`(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan)`;
const PAIR = new RegExp(String.raw`^\(?(?:([+-]?${PART})(?=[+-]))?([+-]?${PART})j\)?$`);
const PAIR_LENGTH_MAX = 100;
const LETTER_J = 0x6a;
const CLOSE = 0x29;

export class NumberCell {
  #bytes: Uint8Array = new Uint8Array(0);
  #text: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #mantissa = 0;
  #places = 0;
  /** Few digits and no exponent: the value is one exact quotient. */
  #isPlain = false;
  #isNegative = false;
  /** Of a word, or undefined where digits have it. */
  #word: number | undefined;
  #isFloatWord = false;

  /** The bytes that cells are parts of. */
  set bytes(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Looks at the cell from `start` to `end`, and says its kind. */
  look(start: number, end: number): number {
    const bytes = this.#bytes;
    while (start < end && isSpace(bytes[start]!)) start++;
    while (end > start && isSpace(bytes[end - 1]!)) end--;
    this.#start = start;
    this.#end = end;
    this.#word = undefined;
    this.#isFloatWord = false;
    if (start === end) return MISSING;
    let at = start;
    const sign = bytes[at]!;
    this.#isNegative = sign === MINUS;
    if (sign === MINUS || sign === PLUS) at++;
    let mantissa = 0;
    const digitsStart = at;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      mantissa = mantissa * 10 + digit;
    }
    let digits = at - digitsStart;
    if (at === end && digits > 0) {
      this.#mantissa = mantissa;
      this.#places = 0;
      this.#isPlain = digits <= EXACT_DIGITS;
      return digits <= SHORT_DIGITS ? (this.#isNegative ? INTEGER | NEGATIVE : INTEGER) : this.#longKind();
    }
    let places = 0;
    if (bytes[at] === POINT) {
      const fractionStart = ++at;
      for (; at < end; at++) {
        const digit = bytes[at]! - ZERO;
        if (digit < 0 || digit > 9) break;
        mantissa = mantissa * 10 + digit;
      }
      places = at - fractionStart;
      digits += places;
    }
    if (digits === 0) return this.#wordKind();
    this.#mantissa = mantissa;
    this.#places = places;
    this.#isPlain = digits <= EXACT_DIGITS;
    if (at < end) {
      this.#isPlain = false;
      at = this.#behindExponent(at);
    }
    return at === end ? FLOAT : this.#pairKind();
  }

  /** The nearest double of the last cell, where it is a number. */
  value(): number {
    if (this.#word !== undefined) return this.#word;
    if (!this.#isPlain) return Number(this.text());
    const magnitude = this.#places === 0 ? this.#mantissa : this.#mantissa / EXACT_POWERS[this.#places]!;
    return this.#isNegative ? -magnitude : magnitude;
  }

  /** The last cell says in letters what a float may be: NaN, or infinity. */
  get isFloatWord(): boolean {
    return this.#isFloatWord;
  }

  /** The last cell says infinity, and is not a number that is too large for a double. */
  get isInfinity(): boolean {
    return this.#word !== undefined;
  }

  /** The value of an integer has so few digits that its double is exact. */
  get isShort(): boolean {
    return this.#isPlain;
  }

  /** The same of any number that has no fraction, undefined of others. */
  integer(): bigint | undefined {
    if (this.#word !== undefined) return undefined;
    return exactInteger(this.text().replace(/^\+/, ''));
  }

  /** Real and imaginary part of the last cell, where it is complex. */
  parts(): readonly [Part, Part] {
    const [, real = '0', imaginary = '0'] = PAIR.exec(this.text().toLowerCase()) ?? [];
    return [partOf(real), partOf(imaginary)];
  }

  /** The last cell, without spaces around it. */
  text(): string {
    return this.#text.toString('latin1', this.#start, this.#end);
  }

  #behindExponent(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return at;
    let digit = at + 1;
    if (bytes[digit] === PLUS || bytes[digit] === MINUS) digit++;
    const start = digit;
    while (digit < this.#end && bytes[digit]! >= ZERO && bytes[digit]! <= ZERO + 9) digit++;
    return digit === start ? at : digit;
  }

  #longKind(): number {
    const value = this.integer()!;
    if (value < 0n) return value >= -INT64_MAX - 1n ? INTEGER | NEGATIVE : LONG;
    return value <= INT64_MAX ? INTEGER : value <= UINT64_MAX ? UNSIGNED : LONG;
  }

  #wordKind(): number {
    if (this.#end - this.#start <= WORD_LENGTH_MAX) {
      const word = this.text().toLowerCase();
      if (word === 'true' || word === 'false') {
        this.#word = word === 'true' ? 1 : 0;
        return BOOL;
      }
      if (MISSING_WORDS.has(word)) {
        this.#isFloatWord = word.endsWith('nan');
        return MISSING;
      }
      if (INFINITIES.test(word)) {
        this.#isFloatWord = true;
        this.#word = word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
        return FLOAT;
      }
    }
    return this.#pairKind();
  }

  #pairKind(): number {
    const last = this.#bytes[this.#end - 1]!;
    if (last !== LETTER_J && last !== CLOSE) return TEXT;
    if (this.#end - this.#start > PAIR_LENGTH_MAX) return TEXT;
    return PAIR.test(this.text().toLowerCase()) ? COMPLEX : TEXT;
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Of a complex number. */
export interface Part {
  readonly value: number;
  /** It says infinity, and is not a number that is too large for a double. */
  readonly isInfinity: boolean;
}

function partOf(text: string): Part {
  const word = text.replace(/^[+-]/, '');
  const isInfinity = word.startsWith('inf');
  const magnitude = word === 'nan' ? Number.NaN : isInfinity ? Number.POSITIVE_INFINITY : Number(word);
  return { value: text.startsWith('-') ? -magnitude : magnitude, isInfinity };
}

/**
 * A cursor over JSON text (RFC 8259, strictly) that reads one token at a time from bytes. Numbers keep both a double
 * and their place in the text, because 64-bit integers have more digits than a double.
 */
import { isUtf8 } from 'node:buffer';
import { fail } from '../errors.js';
import { shown } from '../shown.js';
import { EXACT_POWERS } from './json-digits.js';

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
/** Digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15;
/** What other languages write, and how JSON has it. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^-?(nan|inf|infinity)$/i, '. These are written "NaN", "Infinity" and "-Infinity"'],
  [/^(True|False)$/, '. These are written true and false'],
  [/^'/, '. Text stands in double quotes'],
];

/** Characters of a refused token that an error shows. */
const SHOWN = 40;

export class JsonScanner {
  readonly bytes: Uint8Array;
  at = 0;
  /** Where the last token began. */
  start = 0;
  /** Whether the last number was digits alone and few enough for its double to be exact. */
  isShortInteger = false;
  readonly #text: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Skips space; the next byte, or -1 at the end. */
  peek(): number {
    const bytes = this.bytes;
    while (this.at < bytes.length) {
      const byte = bytes[this.at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at++;
    }
    return -1;
  }

  /** @throws bad_json where there is no text */
  expectText(wanted: string): void {
    if (this.peek() === -1) fail('bad_json', `The body is empty; it takes ${wanted} as JSON.`, { position: this.at });
  }

  /** @throws bad_json where the bytes are no text: strings of it would be read as others */
  expectUtf8(): void {
    if (!isUtf8(this.bytes)) fail('bad_json', 'The body is no UTF-8, as JSON has to be. Encode it as that.');
  }

  /** What a string means, as it is written with its quotes. @throws bad_json */
  decoded(token: string): string {
    if (!token.includes('\\')) return token.slice(1, -1);
    try {
      return JSON.parse(token) as string;
    } catch {
      return this.refuse(this.start, 'the string has an escape that JSON does not know');
    }
  }

  /** The last token as written. */
  token(): string {
    return this.#text.toString('latin1', this.start, this.at);
  }

  /** The last token for an error: its first characters. */
  shownToken(): string {
    const end = Math.min(this.at, this.start + SHOWN);
    // A text that is too long is refused before it was read to its end.
    const isOpen = this.bytes[this.start] === QUOTE && (end - 1 === this.start || this.bytes[end - 1] !== QUOTE);
    return this.#text.toString('utf8', this.start, end) + (end < this.at || isOpen ? '…' : '');
  }

  /**
   * Reads a number: its nearest double. Up to 15 digits and 22 places are one exact product or quotient (Clinger 1990,
   * "How to read floating point numbers accurately"); the rest is JavaScript's to read.
   */
  readNumber(): number {
    const bytes = this.bytes;
    this.start = this.at;
    const isNegative = bytes[this.at] === MINUS;
    let at = isNegative ? this.at + 1 : this.at;
    const digitsStart = at;
    let mantissa = 0;
    let digit = digitAt(bytes, at);
    if (digit < 0) this.refuseFor(at, 'a value');
    if (digit === 0) {
      if (digitAt(bytes, ++at) >= 0) this.refuse(at, 'numbers have no leading zeros');
    } else {
      for (; digit >= 0; digit = digitAt(bytes, ++at)) mantissa = mantissa * 10 + digit;
    }
    let digits = at - digitsStart;
    let places = 0;
    let isInteger = true;
    if (bytes[at] === POINT) {
      isInteger = false;
      const fractionStart = ++at;
      for (digit = digitAt(bytes, at); digit >= 0; digit = digitAt(bytes, ++at)) mantissa = mantissa * 10 + digit;
      places = at - fractionStart;
      if (places === 0) this.refuseFor(at, 'a digit of the fraction');
      digits += places;
    }
    let isPlain = digits <= EXACT_DIGITS;
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      isInteger = false;
      isPlain = false;
      at = this.#skipExponent(at + 1);
    }
    this.at = at;
    this.isShortInteger = isInteger && isPlain;
    if (!isPlain) return Number(this.token());
    const magnitude = places === 0 ? mantissa : mantissa / EXACT_POWERS[places]!;
    return isNegative ? -magnitude : magnitude;
  }

  #skipExponent(at: number): number {
    const bytes = this.bytes;
    if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
    if (digitAt(bytes, at) < 0) this.refuseFor(at, 'a digit of the exponent');
    while (digitAt(bytes, at) >= 0) at++;
    return at;
  }

  /** Reads a string without decoding it: none that means a value has an escape. Returns what is between the quotes. */
  readString(): string {
    const bytes = this.bytes;
    this.start = this.at;
    let at = this.at + 1;
    while (at < bytes.length && bytes[at] !== QUOTE) {
      if (bytes[at]! < 0x20) this.refuse(at, 'strings hold no control characters');
      at += bytes[at] === BACKSLASH ? 2 : 1;
    }
    if (at >= bytes.length) this.refuse(bytes.length, 'the text ends inside a string');
    this.at = at + 1;
    return this.#text.toString('latin1', this.start + 1, Math.min(at, this.start + 1 + SHOWN));
  }

  /** Reads `true`, `false` or `null`, whichever is asked for. */
  readWord(word: string): void {
    this.start = this.at;
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.at + i] !== word.charCodeAt(i)) this.refuseFor(this.at, 'a value');
    }
    this.at += word.length;
  }

  /** `wanted` is what should stand there, with its article. @throws bad_json */
  refuseFor(position: number, wanted: string): never {
    const found = /^(?:-?\w{1,20}|.)/su.exec(this.#text.toString('utf8', position, position + 24))?.[0];
    const hint = HINTS.find(([word]) => word.test(found ?? ''))?.[1] ?? '';
    const instead = found === undefined ? '' : `, not ${shown(found)}`;
    return this.refuse(position, `${wanted} should stand there${instead}${hint}`);
  }

  /** @throws bad_json */
  refuse(position: number, why: string): never {
    const end = position >= this.bytes.length ? ', where the text ends' : '';
    return fail('bad_json', `The JSON cannot be read: at byte ${position}${end}, ${why}.`, { position });
  }
}

/** The digit at a position, or -1. */
function digitAt(bytes: Uint8Array, at: number): number {
  const digit = bytes[at]! - ZERO;
  // Past the end this is NaN, and no comparison with NaN holds.
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/**
 * Strings of JSON, character by character, into text or bytes of an item: no string is made of them, and a long one is read
 * in turns. Hazard: the text has to be UTF-8, which is asked once for a whole body; a surrogate may then only be an escape.
 */
import { lengthFault, pointFault, type TextDType, type TextFault, type VoidDType } from '../dtype/index.js';
import type { ItemBuffer } from './json-item-place.js';
import type { JsonScanner } from './json-scan.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const SPACE = 0x20;
/** The letter behind a backslash → what it means. */
const ESCAPED = new Map([
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

/** Takes the code points of one string after the other. */
export interface PointSink {
  /** The item that begins at a byte, which is all zeros. */
  begin(offset: number): void;
  put(point: number): TextFault | undefined;
  end(): TextFault | undefined;
}

export class StringReader {
  readonly #scanner: JsonScanner;
  readonly #sink: PointSink;
  readonly #refuse: (fault: TextFault) => never;
  /** The first half of a surrogate pair that was an escape. */
  #high = 0;

  constructor(scanner: JsonScanner, sink: PointSink, refuse: (fault: TextFault) => never) {
    this.#scanner = scanner;
    this.#sink = sink;
    this.#refuse = refuse;
  }

  /** At the opening quote of the string for the item that begins at a byte. */
  begin(offset: number): void {
    this.#scanner.start = this.#scanner.at++;
    this.#high = 0;
    this.#sink.begin(offset);
  }

  /** Reads up to about so many bytes of it; true behind its end. */
  readSome(bytesMax: number): boolean {
    const scanner = this.#scanner;
    const { bytes } = scanner;
    const stop = Math.min(bytes.length, scanner.at + bytesMax);
    while (scanner.at < stop) {
      const byte = bytes[scanner.at]!;
      if (byte === QUOTE) {
        scanner.at++;
        if (this.#high !== 0) this.#put(0);
        this.#check(this.#sink.end());
        return true;
      }
      if (byte < SPACE) scanner.refuse(scanner.at, 'strings hold no control characters');
      if (byte === BACKSLASH) this.#readEscape();
      else if (byte < 0x80) {
        scanner.at++;
        this.#put(byte);
      } else this.#readLong(byte);
    }
    if (scanner.at >= bytes.length) scanner.refuse(bytes.length, 'the text ends inside a string');
    return false;
  }

  /** UTF-8 of two to four bytes. */
  #readLong(first: number): void {
    const scanner = this.#scanner;
    const count = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let point = first & (0x7f >> count);
    for (let i = 1; i < count; i++) point = (point << 6) | (scanner.bytes[scanner.at + i]! & 0x3f);
    scanner.at += count;
    this.#put(point);
  }

  #readEscape(): void {
    const scanner = this.#scanner;
    const letter = scanner.bytes[scanner.at + 1] ?? 0;
    if (letter !== LOWER_U) {
      const point = ESCAPED.get(letter);
      if (point === undefined) return scanner.refuse(scanner.at, 'the string has an escape that JSON does not know');
      scanner.at += 2;
      return this.#put(point);
    }
    const digits = Buffer.from(scanner.bytes.subarray(scanner.at + 2, scanner.at + 6)).toString('latin1');
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) scanner.refuse(scanner.at, 'the escape has no four hexadecimal digits');
    scanner.at += 6;
    const unit = Number.parseInt(digits, 16);
    const high = this.#high;
    if (high !== 0 && unit >= 0xdc00 && unit <= 0xdfff) {
      this.#high = 0;
      return this.#put(0x1_0000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
    }
    if (unit < 0xd800 || unit > 0xdbff) return this.#put(unit);
    if (high !== 0) this.#put(0);
    this.#high = unit;
  }

  #put(point: number): void {
    // Half a pair, and what comes is not the other half.
    this.#check(this.#sink.put(this.#high === 0 ? point : this.#high));
  }

  #check(fault: TextFault | undefined): void {
    if (fault) this.#refuse(fault);
  }
}

/** Zeros behind the end of a text that are passed over: they would be read as its end. */
const ZEROS_MAX = 1024;

export function textSink(dtype: TextDType, buffer: ItemBuffer): PointSink {
  const { length } = dtype;
  const isLittle = dtype.byteOrder !== '>';
  const isBytes = dtype.kind === 'S';
  const pointMax = isBytes ? 0xff : 0xd7ff;
  let start = 0;
  let index = 0;
  return {
    begin(offset) {
      start = offset;
      index = 0;
    },
    put(point) {
      const fault = point <= pointMax ? undefined : pointFault(dtype, point);
      if (fault) return fault;
      if (index >= length) {
        if (point !== 0 || index > length + ZEROS_MAX) return lengthFault(dtype);
      } else if (isBytes) buffer.bytes[start + index] = point;
      else buffer.view.setUint32(start + 4 * index, point, isLittle);
      index++;
      return undefined;
    },
    end: () => undefined,
  };
}

const BASE64 = new Int8Array(128).fill(-1);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
for (let value = 0; value < 64; value++) BASE64[ALPHABET.charCodeAt(value)] = value;
const EQUALS = 0x3d;

const NO_BASE64: TextFault = {
  code: 'bad_value',
  why: 'it is no base64 of RFC 4648, with letters, digits, + and /, and = up to a multiple of four characters',
};

/** Base64 as bytes; of fewer bytes than the item has, zeros follow, as numpy has it. */
export function voidSink({ itemsize }: VoidDType, buffer: ItemBuffer): PointSink {
  let at = 0;
  let end = 0;
  let bits = 0;
  let letters = 0;
  let padding = 0;
  return {
    begin(offset) {
      at = offset;
      end = offset + itemsize;
      bits = letters = padding = 0;
    },
    put(point) {
      if (point === EQUALS) return ++padding > 2 ? NO_BASE64 : undefined;
      const value = BASE64[point] ?? -1;
      if (value < 0 || padding > 0) return NO_BASE64;
      bits = ((bits << 6) | value) & 0xff_ffff;
      if (letters++ % 4 === 0) return undefined;
      if (at === end) {
        const why = `it is longer than ${itemsize} byte${itemsize === 1 ? '' : 's'} and would be cut. Shorten it`;
        return { code: 'would_lose', why };
      }
      // After the second letter of four there are 12 bits, after the third 10, after the last 8.
      buffer.bytes[at++] = bits >> (2 * ((4 - (letters % 4)) % 4));
      return undefined;
    },
    end: () => ((letters + padding) % 4 === 0 && padding < 3 && letters % 4 !== 1 ? undefined : NO_BASE64),
  };
}

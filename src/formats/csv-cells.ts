/** Single values as cells of CSV (RFC 4180): for each family of dtypes what writes one. Hazard: nothing checks for room. */
import {
  dateText,
  isCodePoint,
  isNumber,
  isText,
  isTime,
  NAT,
  REPLACEMENT,
  textLength,
  type ComplexDType,
  type LeafDType,
  type TextDType,
  type TimeDType,
  type VoidDType,
} from '../dtype/index.js';
import { invariant } from '../errors.js';
import { NUMBER_BYTES_MAX, writeText } from './json-digits.js';
import { numberWriter, partWriter } from './json-items.js';
import type { ItemSource, WriteItem } from './json-pieces.js';
import { DATE_BYTES_MAX } from './json-size.js';
import { writeUtf8 } from './utf8.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PLUS = 0x2b;
const MINUS = 0x2d;
const LETTER_J = 0x6a;

/** The most bytes that one cell takes. */
export function cellBytesMax(dtype: LeafDType): number {
  if (dtype.kind === 'c') return 2 * NUMBER_BYTES_MAX + 2;
  if (isTime(dtype)) return DATE_BYTES_MAX;
  // A character of latin-1 is two bytes of UTF-8, and so is a quote.
  if (isText(dtype)) return (dtype.kind === 'S' ? 2 : 4) * dtype.length + 2;
  return dtype.kind === 'V' ? 4 * Math.ceil(dtype.itemsize / 3) : NUMBER_BYTES_MAX;
}

/** Writes the value that begins at a byte. */
export function cellWriter(dtype: LeafDType, source: ItemSource): WriteItem {
  if (isNumber(dtype)) return numberWriter(dtype, source);
  if (isTime(dtype)) return timeCell(dtype, source);
  if (isText(dtype)) return textCell(dtype, source);
  if (dtype.kind === 'V') return voidCell(dtype, source);
  invariant(dtype.kind === 'c', 'tables have no long doubles');
  return complexCell(dtype, source);
}

/** As Python reads it: `1.5-2.0j`. */
function complexCell(dtype: ComplexDType, source: ItemSource): WriteItem {
  const part = partWriter(dtype, source);
  const half = dtype.itemsize / 2;
  return (offset, target, at) => {
    at = part(offset, target, at);
    const sign = at++;
    const end = part(offset + half, target, at);
    if (target[at] === MINUS) {
      target.copyWithin(sign, at, end);
      at = end - 1;
    } else {
      target[sign] = PLUS;
      at = end;
    }
    target[at++] = LETTER_J;
    return at;
  };
}

/** Dates as text where they have a unit, else counts; NaT is an empty cell. */
function timeCell({ kind, unit, byteOrder }: TimeDType, { view }: ItemSource): WriteItem {
  const isLittle = byteOrder !== '>';
  const textOf =
    kind === 'M' && unit ? (count: bigint): string => dateText(count, unit) : (count: bigint): string => String(count);
  return (offset, target, at) => {
    const count = view.getBigInt64(offset, isLittle);
    return count === NAT ? at : writeText(textOf(count), target, at);
  };
}

function voidCell({ itemsize }: VoidDType, { bytes }: ItemSource): WriteItem {
  return (offset, target, at) =>
    at +
    Buffer.from(target.buffer, target.byteOffset + at).write(
      Buffer.from(bytes.buffer, bytes.byteOffset + offset, itemsize).toString('base64'),
      'latin1',
    );
}

/** In quotes where it has a quote, a comma, or an end of a line. */
function textCell(dtype: TextDType, { bytes, view }: ItemSource): WriteItem {
  const isLittle = dtype.byteOrder !== '>';
  const isBytes = dtype.kind === 'S';
  const pointAt = (offset: number, i: number): number =>
    isBytes ? bytes[offset + i]! : view.getUint32(offset + 4 * i, isLittle);
  return (offset, target, at) => {
    const length = textLength(dtype, bytes, offset);
    let isQuoted = false;
    for (let i = 0; i < length && !isQuoted; i++) isQuoted = wantsQuotes(pointAt(offset, i));
    if (isQuoted) target[at++] = QUOTE;
    for (let i = 0; i < length; i++) {
      const point = pointAt(offset, i);
      if (point === QUOTE) target[at++] = QUOTE;
      at = writeUtf8(isCodePoint(point) ? point : REPLACEMENT, target, at);
    }
    if (isQuoted) target[at++] = QUOTE;
    return at;
  };
}

function wantsQuotes(point: number): boolean {
  return point === QUOTE || point === COMMA || point === LINE_FEED || point === CARRIAGE_RETURN;
}

/** A name as a cell. */
export function csvName(name: string): string {
  if (name === '') return '""';
  return /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

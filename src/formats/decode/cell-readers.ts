/**
 * Cells of text → items of every dtype that has text, put together once for a dtype and then called for each cell. What the
 * dtype cannot hold is refused; whoever calls adds the line and the column.
 */
import {
  integerRange,
  isNumber,
  isText,
  isTime,
  NAT,
  numberDType,
  overflowOf,
  readDate,
  type ComplexDType,
  type LeafDType,
  type NumberDType,
  type TextDType,
  type TextFault,
  type TimeDType,
  type VoidDType,
} from '../../dtype/index.js';
import { fail, invariant } from '../../errors.js';
import { shown } from '../../shown.js';
import type { ItemBuffer } from '../json-item-place.js';
import { textSink, voidSink } from '../json-strings.js';
import { storeAt } from '../number-store.js';
import { ABSENT, BARE } from './cells.js';
import { BOOL, COMPLEX, INTEGER, MISSING, NumberCell, TEXT, type Part } from './number-cell.js';

/** What cells are read from: set anew for each stretch of text. */
export class CellText {
  bytes: Uint8Array = new Uint8Array(0);
  readonly number = new NumberCell();

  set(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.number.bytes = bytes;
  }

  shown(start: number, end: number): string {
    const part = this.bytes.subarray(start, Math.min(end, start + 100));
    return shown(Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString());
  }
}

/** Reads the cell at a place of the text as the item that begins at a byte, which is all zeros. */
export type ReadCell = (start: number, end: number, form: number, offset: number) => void;

export function cellReader(dtype: LeafDType, text: CellText, into: ItemBuffer): ReadCell {
  if (isNumber(dtype)) return dtype.kind === 'f' ? floatCell(dtype, text, into) : integerCell(dtype, text, into);
  if (isTime(dtype)) return timeCell(dtype, text, into);
  if (isText(dtype)) return textCell(dtype, text, into);
  if (dtype.kind === 'V') return voidCell(dtype, text, into);
  invariant(dtype.kind === 'c', 'long doubles have been refused');
  return complexCell(dtype, text, into);
}

function floatCell(dtype: NumberDType, text: CellText, { view }: ItemBuffer): ReadCell {
  const { put } = storeAt(dtype, view);
  const { number } = text;
  const max = overflowOf(dtype);
  return (start, end, _form, offset) => {
    const kind = number.look(start, end);
    if (kind === MISSING) return put(offset, Number.NaN);
    if (kind >= COMPLEX) return refuse(text, dtype, start, end, 'bad_value', 'it is no number');
    const value = number.value();
    if ((value >= max || value <= -max) && !number.isInfinity) {
      refuse(text, dtype, start, end, 'would_lose', 'it would become infinity, which is written inf');
    }
    put(offset, value);
  };
}

/** Bools, too, which are 0 and 1. */
function integerCell(dtype: NumberDType, text: CellText, { view }: ItemBuffer): ReadCell {
  const { put, putExact } = storeAt(dtype, view);
  const { number } = text;
  const { min, max } = integerRange(dtype);
  const least = Number(min);
  const most = Number(max);
  const range = `it holds ${dtype.kind === 'b' ? 'true and false' : `${min} to ${max}`}`;
  return (start, end, _form, offset) => {
    const kind = number.look(start, end);
    if ((kind & INTEGER) !== 0 && number.isShort) {
      const value = number.value();
      if (value < least || value > most) refuse(text, dtype, start, end, 'would_lose', range);
      return put(offset, value);
    }
    if (kind === BOOL) return put(offset, number.value());
    if (kind === MISSING) refuse(text, dtype, start, end, 'would_lose', 'what is missing is NaN, and it has none');
    if (kind >= COMPLEX) refuse(text, dtype, start, end, 'bad_value', `it is no number; ${range}`);
    const value = number.integer();
    if (value === undefined) return refuse(text, dtype, start, end, 'would_lose', 'it is no whole number');
    if (value < min || value > max) refuse(text, dtype, start, end, 'would_lose', range);
    if (dtype.itemsize === 8) putExact(offset, value);
    else put(offset, Number(value));
  };
}

const NO_PART: Part = { value: 0, isInfinity: false };
const MISSING_PARTS: readonly Part[] = [
  { value: Number.NaN, isInfinity: false },
  { value: Number.NaN, isInfinity: false },
];

function complexCell(dtype: ComplexDType, text: CellText, into: ItemBuffer): ReadCell {
  const half = numberDType(`${dtype.byteOrder}f${dtype.itemsize / 2}`);
  const { put } = storeAt(half, into.view);
  const { number } = text;
  const max = overflowOf(half);
  return (start, end, _form, offset) => {
    const kind = number.look(start, end);
    if (kind === TEXT) refuse(text, dtype, start, end, 'bad_value', 'it is no number such as 1.5-2j');
    const parts =
      kind === MISSING
        ? MISSING_PARTS
        : kind === COMPLEX
          ? number.parts()
          : [{ value: number.value(), isInfinity: number.isInfinity }, NO_PART];
    for (const [i, { value, isInfinity }] of parts.entries()) {
      if (Math.abs(value) >= max && !isInfinity) {
        refuse(text, dtype, start, end, 'would_lose', 'it would become infinity, which is written inf');
      }
      put(offset + i * half.itemsize, value);
    }
  };
}

const COUNT = /^[+-]?[0-9]{1,30}$/;
const COUNT_MAX = 2n ** 63n - 1n;
/** Longer texts are no dates: years have thirty digits at most. */
const DATE_BYTES_MAX = 100;

/** Dates of a unit as ISO text, durations and what has no unit as counts. */
function timeCell(dtype: TimeDType, text: CellText, { view }: ItemBuffer): ReadCell {
  const { kind, unit } = dtype;
  const isLittle = dtype.byteOrder !== '>';
  const isDate = kind === 'M' && unit !== undefined;
  const wanted = isDate ? 'it takes a date of ISO 8601 such as 2024-05-01T12:30' : 'it takes a count of its unit';
  const { number } = text;
  return (start, end, form, offset) => {
    const found = number.look(start, end);
    const word = end - start > DATE_BYTES_MAX ? '' : number.text();
    if (found === MISSING || /^nat$/i.test(word)) return view.setBigInt64(offset, NAT, isLittle);
    let count = (!isDate || form === BARE) && COUNT.test(word) ? BigInt(word.replace(/^\+/, '')) : undefined;
    if (isDate && form !== BARE) {
      const date = readDate(word, unit);
      if (date === 'NaT') return view.setBigInt64(offset, NAT, isLittle);
      if (date && !date.isExact) {
        refuse(
          text,
          dtype,
          start,
          end,
          'would_lose',
          'it lies between two counts of its unit, and would be cut. Round it',
        );
      }
      count = date?.count;
    }
    if (count === undefined) return refuse(text, dtype, start, end, 'bad_value', wanted);
    if (count > COUNT_MAX || count <= NAT) {
      refuse(text, dtype, start, end, 'would_lose', `counts of its unit are ${NAT + 1n} to ${COUNT_MAX}`);
    }
    view.setBigInt64(offset, count, isLittle);
  };
}

/** All of the cell, spaces included; UTF-8 that was found to be so. */
function textCell(dtype: TextDType, text: CellText, into: ItemBuffer): ReadCell {
  const sink = textSink(dtype, into);
  const check = (fault: TextFault | undefined, start: number, end: number): void => {
    if (fault) refuse(text, dtype, start, end, fault.code, fault.why);
  };
  return (start, end, _form, offset) => {
    const { bytes } = text;
    sink.begin(offset);
    for (let at = start; at < end;) {
      const byte = bytes[at]!;
      if (byte < 0x80) {
        at++;
        check(sink.put(byte), start, end);
      } else {
        const count = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        let point = byte & (0x7f >> count);
        for (let i = 1; i < count; i++) point = (point << 6) | (bytes[at + i]! & 0x3f);
        at += count;
        check(sink.put(point), start, end);
      }
    }
  };
}

function voidCell(dtype: VoidDType, text: CellText, into: ItemBuffer): ReadCell {
  const sink = voidSink(dtype, into);
  return (start, end, form, offset) => {
    const { bytes } = text;
    if (form === ABSENT) refuse(text, dtype, start, end, 'would_lose', 'what is missing has no bytes');
    sink.begin(offset);
    for (let at = start; at < end; at++) {
      const fault = sink.put(bytes[at]!);
      if (fault) refuse(text, dtype, start, end, fault.code, fault.why);
    }
    const fault = sink.end();
    if (fault) refuse(text, dtype, start, end, fault.code, fault.why);
  };
}

function refuse(
  text: CellText,
  dtype: LeafDType,
  start: number,
  end: number,
  code: 'would_lose' | 'bad_value',
  why: string,
): never {
  const value = start === end ? 'an empty cell' : text.shown(start, end);
  const cannot = code === 'would_lose' ? 'cannot hold' : 'cannot be';
  return fail(code, `${dtype.name} ${cannot} ${value}: ${why}.`, { value, dtype: dtype.typestr });
}

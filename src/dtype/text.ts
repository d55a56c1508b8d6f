/**
 * Items of text ⇄ strings. `S` has one character per byte (latin-1), `U` one code point in every four bytes, of the
 * dtype's byte order; zeros at the end are no text. Hazard: files may hold code points that Unicode does not have.
 */
import type { TextDType } from './types.js';

/** Stands for a code point that is no valid Unicode: a surrogate, or one beyond U+10FFFF. */
export const REPLACEMENT = 0xfffd;

export function isCodePoint(value: number): boolean {
  return value < 0xd800 || (value > 0xdfff && value <= 0x10_ffff);
}

/** Code points that are turned into text at once: arguments of one call. */
const PIECE = 1024;

/** The text of the item that begins at a byte; code points that are none come as U+FFFD. */
export function textAt(dtype: TextDType, bytes: Uint8Array, offset: number): string {
  const length = textLength(dtype, bytes, offset);
  if (dtype.kind === 'S') return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 4 * length);
  const isLittle = dtype.byteOrder !== '>';
  let text = '';
  for (let from = 0; from < length; from += PIECE) {
    const points: number[] = [];
    for (let i = from; i < Math.min(length, from + PIECE); i++) {
      const point = view.getUint32(4 * i, isLittle);
      points.push(isCodePoint(point) ? point : REPLACEMENT);
    }
    text += String.fromCodePoint(...points);
  }
  return text;
}

/** Characters of an item, without the zeros at its end. */
export function textLength(dtype: TextDType, bytes: Uint8Array, offset: number): number {
  let end = offset + dtype.itemsize;
  while (end > offset && bytes[end - 1] === 0) end--;
  return dtype.kind === 'S' ? end - offset : Math.ceil((end - offset) / 4);
}

/** Why a text is no item of a dtype. */
export interface TextFault {
  readonly code: 'would_lose' | 'bad_value';
  /** The end of a sentence. */
  readonly why: string;
}

/** What is wrong with a code point of a text; undefined where the dtype takes it. */
export function pointFault({ kind }: TextDType, point: number): TextFault | undefined {
  if (!isCodePoint(point)) {
    return { code: 'bad_value', why: `${pointName(point)} is half of a surrogate pair, which is no character` };
  }
  if (kind === 'U' || point <= 0xff) return undefined;
  return {
    code: 'bad_value',
    why: `${pointName(point)} is no character of latin-1, which bytes hold. Write to a unicode dtype such as "<U12"`,
  };
}

export function lengthFault({ length, kind }: TextDType): TextFault {
  const unit = kind === 'S' ? 'byte' : 'character';
  return {
    code: 'would_lose',
    why: `it is longer than ${length} ${unit}${length === 1 ? '' : 's'} and would be cut. Shorten it, or write to a longer dtype`,
  };
}

function pointName(point: number): string {
  return `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * Writes a text as the item that begins at a byte, zeros behind it; zeros at its end are none of it.
 * @returns what is wrong with it, in place of which part of the item may have been written
 */
export function putText(dtype: TextDType, text: string, bytes: Uint8Array, offset: number): TextFault | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, dtype.itemsize);
  const isLittle = dtype.byteOrder !== '>';
  bytes.fill(0, offset, offset + dtype.itemsize);
  let index = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    const fault = pointFault(dtype, point);
    if (fault) return fault;
    if (index < dtype.length) {
      if (dtype.kind === 'S') view.setUint8(index, point);
      else view.setUint32(4 * index, point, isLittle);
    } else if (point !== 0) return lengthFault(dtype);
    index++;
  }
  return undefined;
}

/**
 * Single items of every dtype as JSON text: for each family of dtypes what writes it. Put together once for a dtype, and
 * then called for each item.
 */
import {
  dateText,
  isNumber,
  isStructure,
  isText,
  isTime,
  NAT,
  subArrayOf,
  type ComplexDType,
  type DType,
  type Field,
  type LeafDType,
  type NumberDType,
  type StructureDType,
  type TimeDType,
  type VoidDType,
} from '../dtype/index.js';
import { invariant } from '../errors.js';
import { fromFloat16Bits } from '../float16.js';
import { writeInteger, writeText } from './json-digits.js';
import { writeFloat16, writeFloat32, writeFloat64 } from './json-floats.js';
import { jsonItemSize, keyBytes } from './json-size.js';
import {
  list,
  literal,
  literals,
  sequence,
  type Item,
  type ItemSource,
  type Part,
  type WriteItem,
} from './json-pieces.js';
import { textItem } from './json-text.js';
import { JSON_WORDS, wordOf, type Words } from './words.js';

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const QUOTE = 0x22;

/** @throws unsupported_dtype */
export function itemOf(dtype: DType, source: ItemSource): Item {
  return isStructure(dtype) ? objectItem(dtype, source) : leafItem(dtype, source);
}

function leafItem(dtype: LeafDType, source: ItemSource): Item {
  const { textMax } = jsonItemSize(dtype);
  if (isText(dtype)) return textItem(dtype, source);
  if (dtype.kind === 'V') return voidItem(dtype, source);
  if (isNumber(dtype)) return { textMax, write: numberWriter(dtype, source) };
  if (isTime(dtype)) return { textMax, write: timeWriter(dtype, source) };
  invariant(dtype.kind === 'c', 'all others have a size as JSON');
  return { textMax, write: complexWriter(dtype, source) };
}

/** Not the fast way of whole arrays: json-elements.ts has a loop for each dtype. */
export function numberWriter(dtype: NumberDType, { bytes, view, isQuoted, words }: ItemSource): WriteItem {
  const isLittle = dtype.byteOrder !== '>';
  switch (dtype.name) {
    case 'bool':
      return (offset, target, at) => writeText(bytes[offset] ? 'true' : 'false', target, at);
    case 'int8':
      return (offset, target, at) => writeInteger(view.getInt8(offset), target, at);
    case 'int16':
      return (offset, target, at) => writeInteger(view.getInt16(offset, isLittle), target, at);
    case 'int32':
      return (offset, target, at) => writeInteger(view.getInt32(offset, isLittle), target, at);
    case 'uint8':
      return (offset, target, at) => writeInteger(bytes[offset]!, target, at);
    case 'uint16':
      return (offset, target, at) => writeInteger(view.getUint16(offset, isLittle), target, at);
    case 'uint32':
      return (offset, target, at) => writeInteger(view.getUint32(offset, isLittle), target, at);
    case 'int64':
      return wideWriter(offset => view.getBigInt64(offset, isLittle), isQuoted);
    case 'uint64':
      return wideWriter(offset => view.getBigUint64(offset, isLittle), isQuoted);
    case 'float16':
      return (offset, target, at) => {
        const bits = view.getUint16(offset, isLittle);
        const value = fromFloat16Bits(bits);
        return words && !Number.isFinite(value)
          ? writeText(wordOf(value, words), target, at)
          : writeFloat16(value, bits, target, at);
      };
    case 'float32':
      return float32Writer(view, isLittle, words);
    case 'float64':
      return float64Writer(view, isLittle, words);
  }
}

function float32Writer(view: DataView, isLittle: boolean, words: Words | undefined): WriteItem {
  return (offset, target, at) => {
    const value = view.getFloat32(offset, isLittle);
    return words && !Number.isFinite(value)
      ? writeText(wordOf(value, words), target, at)
      : writeFloat32(value, view.getInt32(offset, isLittle), target, at);
  };
}

function float64Writer(view: DataView, isLittle: boolean, words: Words | undefined): WriteItem {
  return (offset, target, at) => {
    const value = view.getFloat64(offset, isLittle);
    return words && !Number.isFinite(value)
      ? writeText(wordOf(value, words), target, at)
      : writeFloat64(value, target, at);
  };
}

function wideWriter(read: (offset: number) => bigint, isQuoted: boolean): WriteItem {
  return (offset, target, at) => {
    if (isQuoted) target[at++] = QUOTE;
    at = writeText(String(read(offset)), target, at);
    if (isQuoted) target[at++] = QUOTE;
    return at;
  };
}

/** One part of a complex number, as a float of its width. */
export function partWriter({ itemsize, byteOrder }: ComplexDType, { view, words }: ItemSource): WriteItem {
  const isLittle = byteOrder !== '>';
  return itemsize === 8 ? float32Writer(view, isLittle, words) : float64Writer(view, isLittle, words);
}

function complexWriter(dtype: ComplexDType, source: ItemSource): WriteItem {
  const half = dtype.itemsize / 2;
  const part = partWriter(dtype, source);
  return (offset, target, at) => {
    target[at++] = OPEN_LIST;
    at = part(offset, target, at);
    target[at++] = COMMA;
    at = part(offset + half, target, at);
    target[at++] = CLOSE_LIST;
    return at;
  };
}

/** Dates as text where they have a unit, else counts. */
function timeWriter(
  { kind, unit, byteOrder }: TimeDType,
  { view, isQuoted, words = JSON_WORDS }: ItemSource,
): WriteItem {
  const isLittle = byteOrder !== '>';
  const textOf =
    kind === 'M' && unit
      ? (count: bigint): string => `"${dateText(count, unit)}"`
      : (count: bigint): string => (isQuoted ? `"${count}"` : String(count));
  return (offset, target, at) => {
    const count = view.getBigInt64(offset, isLittle);
    return writeText(count === NAT ? words.nat : textOf(count), target, at);
  };
}

/** Bytes of void that become text at once: a multiple of three, so that the pieces join to one text. */
const VOID_PIECE_BYTES = 3 * 2048;

function voidItem({ itemsize }: VoidDType, { bytes }: ItemSource): Item {
  const piece = (start: number, end: number): WriteItem => {
    const { buffer, byteOffset } = bytes;
    return (offset, target, at) =>
      writeText(Buffer.from(buffer, byteOffset + offset + start, end - start).toString('base64'), target, at);
  };
  const pieces: Item[] = [];
  for (let start = 0; start < itemsize; start += VOID_PIECE_BYTES) {
    const end = Math.min(itemsize, start + VOID_PIECE_BYTES);
    pieces.push({ textMax: 4 * Math.ceil((end - start) / 3), write: piece(start, end) });
  }
  const quote = literal(Uint8Array.of(QUOTE));
  return sequence([quote, ...pieces, quote].map(item => ({ offset: 0, item })));
}

function objectItem(dtype: StructureDType, source: ItemSource): Item {
  const parts: Part[] = [];
  for (const [i, field] of dtype.fields.entries()) {
    const key = Uint8Array.of(i === 0 ? OPEN_OBJECT : COMMA, ...keyBytes(field.name), COLON);
    for (const item of literals(key)) parts.push({ offset: 0, item });
    parts.push({ offset: field.offset, item: fieldItem(field, source) });
  }
  parts.push({ offset: 0, item: literal(Uint8Array.of(CLOSE_OBJECT)) });
  return sequence(parts);
}

/** The fields of an item without their names, as a list. */
export function fieldsItem(dtype: StructureDType, source: ItemSource): Item {
  const parts = dtype.fields.flatMap((field, i) => [
    { offset: 0, item: literal(Uint8Array.of(i === 0 ? OPEN_LIST : COMMA)) },
    { offset: field.offset, item: fieldItem(field, source) },
  ]);
  return sequence([...parts, { offset: 0, item: literal(Uint8Array.of(CLOSE_LIST)) }]);
}

function fieldItem(field: Field, source: ItemSource): Item {
  const { shape, strides } = subArrayOf(field);
  let item = itemOf(field.dtype, source);
  for (let axis = shape.length - 1; axis >= 0; axis--) item = list(shape[axis]!, strides[axis]!, item);
  return item;
}

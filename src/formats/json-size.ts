/**
 * What an item of a dtype takes as JSON text, before there is one: how many values it is made of, and the least and the
 * most bytes of its text. Costs are counted with these, so that nothing is read for an answer that would be too large.
 */
import {
  isNumber,
  isStructure,
  isText,
  isTime,
  leavesOf,
  type DType,
  type Field,
  type LeafDType,
} from '../dtype/index.js';
import { fail } from '../errors.js';
import { shown } from '../shown.js';
import { NUMBER_BYTES_MAX } from './json-digits.js';

export interface JsonItemSize {
  /** Scalars in an item: 1, but for structures. */
  readonly values: number;
  /** Bytes of text that are there at least, without spaces. */
  readonly textMin: number;
  /** And at most: quotes, and characters that are written as escapes, included. */
  readonly textMax: number;
}

/** A year of thirty digits, the rest of a date, and quotes. */
export const DATE_BYTES_MAX = 64;
/** A control character, as `\u001f`; UTF-8 of others has four bytes at most. */
export const CHARACTER_BYTES_MAX = 6;

const FLOAT_MIN = 1;

/** @throws unsupported_dtype where something in it has no JSON */
export function jsonItemSize(dtype: DType, path: readonly string[] = []): JsonItemSize {
  if (!isStructure(dtype)) return leafSize(dtype, path);
  // A brace; then a quote, a quote, a colon and a comma or brace for each field.
  let values = 0;
  let textMin = 1;
  let textMax = 1;
  for (const field of dtype.fields) {
    const inner = fieldSize(field, path);
    const key = keyBytes(field.name);
    values += inner.values;
    textMin += field.name.length + 4 + inner.textMin;
    textMax += key.length + 2 + inner.textMax;
  }
  return { values, textMin, textMax };
}

/** Of all elements of a field, with the brackets around them. */
function fieldSize({ name, dtype, shape }: Field, path: readonly string[]): JsonItemSize {
  let { values, textMin, textMax } = jsonItemSize(dtype, [...path, name]);
  for (const length of shape.toReversed()) {
    values *= length;
    textMin = length * (textMin + 1) + 1;
    textMax = length * (textMax + 1) + 1;
  }
  return { values, textMin, textMax };
}

function leafSize(dtype: LeafDType, path: readonly string[]): JsonItemSize {
  const one = (textMin: number, textMax: number): JsonItemSize => ({ values: 1, textMin, textMax });
  if (isNumber(dtype)) return one(1, NUMBER_BYTES_MAX);
  if (dtype.kind === 'c') return one(2 * FLOAT_MIN + 3, 2 * NUMBER_BYTES_MAX + 3);
  if (isTime(dtype)) return one(1, DATE_BYTES_MAX);
  if (isText(dtype)) return one(2, CHARACTER_BYTES_MAX * dtype.length + 2);
  if (dtype.kind === 'V') return one(2, 4 * Math.ceil(dtype.itemsize / 3) + 2);
  return failNoJson(dtype, path);
}

/** Whether items of the dtype can be printed and read: a long double cannot. */
export function hasJson(dtype: DType): boolean {
  return leavesOf(dtype).every(({ dtype: { kind } }) => kind !== 'g' && kind !== 'G');
}

function failNoJson({ typestr, name }: LeafDType, path: readonly string[]): never {
  const field = path.length === 0 ? undefined : path.join('.');
  const of = field === undefined ? '' : `, the dtype of field ${shown(field)},`;
  const others = field === undefined ? '' : ', or the other fields with field=';
  return fail(
    'unsupported_dtype',
    `${name}${of} has no JSON: JavaScript cannot compute with the bytes of a long double. Use format=raw or npy${others}.`,
    { dtype: typestr, ...(field !== undefined && { field }), instead: ['raw', 'npy'] },
  );
}

/** The name of a member and what stands around it: `"name"`. */
export function keyBytes(name: string): Uint8Array {
  return Buffer.from(JSON.stringify(name));
}

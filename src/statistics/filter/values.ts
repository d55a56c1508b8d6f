/** JSON values → places among the values of a dtype. */
import type { DType } from '../../dtype.js';
import { fail } from '../../errors.js';
import type { ExactNumber } from '../sort-keys.js';
import { placeAmongIntegers, placeRounded, type Place } from './places.js';

const FLOAT_STRINGS = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const DIGITS = /^-?[0-9]{1,30}$/;

/**
 * The place of a value that a column of `dtype` is compared with: integers mathematically, floats after rounding to the
 * dtype. `undefined` for NaN.
 * @throws bad_operation where the dtype cannot be compared with such a value
 */
export function placeOf(dtype: DType, value: unknown, at: string): Place | undefined {
  if (dtype.kind === 'b') {
    if (typeof value !== 'boolean') refuseValue(dtype, value, at, 'true or false');
    return value ? { floor: 1n, ceil: 1n } : { floor: 0n, ceil: 0n };
  }
  const number = numberOf(dtype, value, at);
  return dtype.kind === 'f' ? placeRounded(dtype, number) : placeAmongIntegers(number);
}

/** A number as queries write it. 64-bit integers may be quoted, for clients whose numbers are doubles. */
export function numberOf(dtype: DType, value: unknown, at: string): ExactNumber {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'string') {
    const special = FLOAT_STRINGS.get(value);
    if (special !== undefined) return special;
    if (isWideInteger(dtype) && DIGITS.test(value)) return BigInt(value);
  }
  const expected = `a number, "NaN", "Infinity" or "-Infinity"${isWideInteger(dtype) ? ', or digits in quotes' : ''}`;
  return refuseValue(dtype, value, at, expected);
}

function isWideInteger(dtype: DType): boolean {
  return dtype.itemsize === 8 && dtype.kind !== 'f';
}

function refuseValue(dtype: DType, value: unknown, at: string, expected: string): never {
  const shown = shownValue(value);
  return fail('bad_operation', `${at} has ${shown}; elements of ${dtype.name} are compared with ${expected}.`, {
    at,
    dtype: dtype.typestr,
    value: shown,
  });
}

function shownValue(value: unknown): string {
  // Bodies are parsed JSON, whose depth is bounded; bigint stands for an integer of many digits.
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

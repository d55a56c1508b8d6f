/**
 * Where the numbers of a query stand among the values of a dtype, as ranks (kernels/sort-keys.ts): what makes comparisons exact
 * whatever is compared with what.
 */
import { isTime, isWide, NAT, readDate, type DType, type NumberDType, type TimeDType } from '../dtype/index.js';
import { rankOf, valueOfRank, type ExactNumber } from '../kernels/sort-keys.js';
import { nativeTypeOf } from '../kernels/native-types.js';
import { fail } from '../errors.js';
import { narrowTo } from '../narrow.js';

/** Ranks beyond those of every type, for numbers that are beyond every integer. */
const BEYOND = 1n << 70n;

/** Where a number stands among the values of a dtype: the largest that is not above it, the smallest that is not below. */
export interface Place {
  readonly floor: bigint;
  readonly ceil: bigint;
}

/**
 * The place of a number among the values of an integer dtype; `undefined` for NaN. Floors of numbers outside the dtype
 * are outside its ranks.
 */
function placeAmongIntegers(value: ExactNumber): Place | undefined {
  if (typeof value === 'bigint') return { floor: value, ceil: value };
  if (Number.isNaN(value)) return undefined;
  if (Math.abs(value) > 2 ** 70) return value > 0 ? { floor: BEYOND, ceil: BEYOND } : { floor: -BEYOND, ceil: -BEYOND };
  return { floor: BigInt(Math.floor(value)), ceil: BigInt(Math.ceil(value)) };
}

/**
 * The place of a number in a float dtype after rounding to it, as numpy compares an array with a Python number: 0.1
 * meets the float32 that prints as 0.1.
 */
function placeRounded(dtype: NumberDType, value: ExactNumber): Place | undefined {
  const number = narrowTo(dtype)(Number(value));
  if (Number.isNaN(number)) return undefined;
  const rank = rankOf(nativeTypeOf(dtype), number);
  return { floor: rank, ceil: rank };
}

/** The place of a number, or of a count, among the values of a dtype, compared mathematically. */
export function placeExact(dtype: NumberDType | TimeDType, value: ExactNumber): Place | undefined {
  if (isTime(dtype) || dtype.kind !== 'f') return placeAmongIntegers(value);
  const nearest = placeRounded(dtype, value);
  if (!nearest) return undefined;
  const { floor } = nearest;
  const rounded = valueOfRank(nativeTypeOf(dtype), floor);
  // A double and a bigint compare exactly. Between two halves lie ranks of f32, which separate them as well.
  if (rounded < value) return { floor, ceil: floor + 1n };
  if (rounded > value) return { floor: floor - 1n, ceil: floor };
  return nearest;
}

const FLOAT_STRINGS = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const DIGITS = /^-?[0-9]{1,30}$/;

/**
 * The place of a value that a column of `dtype` is compared with: integers and dates mathematically, floats after rounding
 * to the dtype. `undefined` for NaN.
 * @throws bad_operation where the dtype cannot be compared with such a value
 */
export function placeOf(dtype: NumberDType | TimeDType, value: unknown, at: string): Place | undefined {
  if (isTime(dtype)) return placeOfTime(dtype, value, at);
  if (dtype.kind === 'b') {
    if (typeof value !== 'boolean') refuseValue(dtype, value, at, 'true or false');
    return value ? { floor: 1n, ceil: 1n } : { floor: 0n, ceil: 0n };
  }
  const number = numberOf(dtype, value, at);
  return dtype.kind === 'f' ? placeRounded(dtype, number) : placeAmongIntegers(number);
}

/** A moment as text lies on a count of the column's unit, or between two of them. */
function placeOfTime(dtype: TimeDType, value: unknown, at: string): Place | undefined {
  if (typeof value === 'number' || typeof value === 'bigint')
    return value === NAT ? undefined : placeAmongIntegers(value);
  if (typeof value === 'string') {
    const read = dtype.kind === 'M' ? readDate(value, dtype.unit) : readCount(value);
    if (read === 'NaT') return undefined;
    if (read) return { floor: read.count, ceil: read.isExact ? read.count : read.count + 1n };
  }
  const expected =
    dtype.kind === 'M'
      ? 'ISO text such as "2024-05-01T12:30", "NaT", or counts of their unit'
      : 'counts of their unit, or "NaT"';
  return refuseValue(dtype, value, at, expected);
}

function readCount(text: string): { readonly count: bigint; readonly isExact: boolean } | 'NaT' | undefined {
  if (/^nat$/i.test(text)) return 'NaT';
  return DIGITS.test(text) ? { count: BigInt(text), isExact: true } : undefined;
}

/** A number as queries write it. 64-bit integers may be quoted, for clients whose numbers are doubles. */
export function numberOf(dtype: NumberDType, value: unknown, at: string): ExactNumber {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'string') {
    const special = FLOAT_STRINGS.get(value);
    if (special !== undefined) return special;
    if (isWide(dtype) && DIGITS.test(value)) return BigInt(value);
  }
  const expected = `a number, "NaN", "Infinity" or "-Infinity"${isWide(dtype) ? ', or digits in quotes' : ''}`;
  return refuseValue(dtype, value, at, expected);
}

export function refuseValue(dtype: DType, value: unknown, at: string, expected: string): never {
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

/**
 * Where the numbers of a query stand among the values of a dtype, as ranks (codes.ts): what makes comparisons exact
 * whatever is compared with what.
 */
import type { DType } from '../../dtype.js';
import { float16ToFloat32, toFloat16Bits } from '../../float16.js';
import { rankOf, valueOfRank, type ExactNumber } from '../sort-keys.js';
import { nativeTypeOf } from '../../kernels/native-types.js';

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
export function placeAmongIntegers(value: ExactNumber): Place | undefined {
  if (typeof value === 'bigint') return { floor: value, ceil: value };
  if (Number.isNaN(value)) return undefined;
  if (Math.abs(value) > 2 ** 70) return value > 0 ? { floor: BEYOND, ceil: BEYOND } : { floor: -BEYOND, ceil: -BEYOND };
  return { floor: BigInt(Math.floor(value)), ceil: BigInt(Math.ceil(value)) };
}

/**
 * The place of a number in a float dtype after rounding to it, as numpy compares an array with a Python number: 0.1
 * meets the float32 that prints as 0.1.
 */
export function placeRounded(dtype: DType, value: ExactNumber): Place | undefined {
  const number = roundTo(dtype, Number(value));
  if (Number.isNaN(number)) return undefined;
  const rank = rankOf(nativeTypeOf(dtype), number);
  return { floor: rank, ceil: rank };
}

/** The place of a number among the values of a dtype, compared mathematically. */
export function placeExact(dtype: DType, value: ExactNumber): Place | undefined {
  if (dtype.kind !== 'f') return placeAmongIntegers(value);
  const nearest = placeRounded(dtype, value);
  if (!nearest) return undefined;
  const { floor } = nearest;
  const rounded = valueOfRank(nativeTypeOf(dtype), floor);
  // A double and a bigint compare exactly. Between two halves lie ranks of f32, which separate them as well.
  if (rounded < value) return { floor, ceil: floor + 1n };
  if (rounded > value) return { floor: floor - 1n, ceil: floor };
  return nearest;
}

/** The nearest value of a float dtype, ties to even. */
export function roundTo(dtype: DType, value: number): number {
  if (dtype.name === 'float32') return Math.fround(value);
  if (dtype.name === 'float16') return float16ToFloat32(Uint16Array.of(toFloat16Bits(value)))[0]!;
  return value;
}

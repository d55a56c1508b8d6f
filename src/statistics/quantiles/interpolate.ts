/**
 * From two neighbours of a sorted sample to the quantile between them, in the arithmetic that numpy uses for the dtype.
 * For floats it is followed to the bit, infinities and overflow included (between infinite neighbours numpy answers NaN).
 * Differences of integers are exact here, where numpy's wrap around in the dtype.
 */
import type { DType } from '../../dtype.js';
import { narrowTo } from '../../narrow.js';

/** An element: a bigint for 64-bit integers, else a number. */
export type Element = number | bigint;

type Interpolate = (lower: Element, upper: Element, weight: number) => number;

/**
 * Lerp as numpy.quantile does: from the nearer neighbour, so that it never passes the other. A single q leaves floats in
 * their dtype (`inOwnDType`); under a list of them the weights are float64, and so is everything after the difference.
 */
export function interpolation(dtype: DType, inOwnDType: boolean): Interpolate {
  if (dtype.kind !== 'f') {
    return (lower, upper, weight) => lerp(Number(lower), Number(upper), differenceOf(lower, upper), weight, same);
  }
  const narrow = narrowTo(dtype);
  const round = inOwnDType ? narrow : same;
  return (lower, upper, weight) =>
    lerp(Number(lower), Number(upper), narrow(Number(upper) - Number(lower)), weight, round);
}

function lerp(
  lower: number,
  upper: number,
  difference: number,
  weight: number,
  round: (value: number) => number,
): number {
  if (weight >= 0.5) return round(upper - round(difference * round(1 - weight)));
  return round(lower + round(difference * round(weight)));
}

/**
 * The mean of the two middle elements, or of one with itself where their number is odd, as numpy.median. float16 is
 * added as float32, as numpy's mean does.
 */
export function middle(dtype: DType): (lower: Element, upper: Element, isPair: boolean) => number {
  const narrow = narrowTo(dtype);
  const add = dtype.kind === 'f' && dtype.itemsize < 8 ? Math.fround : same;
  return (lower, upper, isPair) =>
    isPair ? narrow(add(add(Number(lower) + Number(upper)) / 2)) : narrow(Number(upper));
}

function differenceOf(lower: Element, upper: Element): number {
  return typeof lower === 'bigint' ? Number(BigInt(upper) - lower) : Number(upper) - lower;
}

function same(value: number): number {
  return value;
}

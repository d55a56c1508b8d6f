/**
 * How values are put into buckets before it is known where the wanted ones lie: bucket 0 is for NaN, 1 for what lies below,
 * the last for what lies above, and the others divide what lies between evenly. Buckets ascend with the values, whatever
 * rounding does, so each holds a range of sort keys.
 */
import { elementOf, keyRangeOf } from '../../../kernels/sort-keys.js';
import type { NativeType } from '../../../kernels/native-types.js';

/** Plain data. */
export interface Scale {
  readonly low: number;
  /** Buckets to a unit. */
  readonly perUnit: number;
  readonly buckets: number;
}

const { fround } = Math;

/** Values of a sample at these shares of it are the ends of what is divided. */
const LOW_SHARE = 0.002;

/**
 * A scale for values of a type that are like a sample, in ascending order and finite; undefined where nothing can be
 * divided. That of float32 is applied in float32.
 */
export function scaleOf(type: NativeType, sample: Float64Array, buckets: number): Scale | undefined {
  const low = sample[Math.floor(LOW_SHARE * sample.length)];
  const high = sample[Math.ceil((1 - LOW_SHARE) * (sample.length - 1))];
  if (low === undefined || high === undefined) return undefined;
  const exact = (buckets - 3) / (high - low);
  const perUnit = type === 'f32' ? Math.fround(exact) : exact;
  return perUnit > 0 && Number.isFinite(perUnit) ? { low, perUnit, buckets } : undefined;
}

/** The bucket of a value that is not NaN, as the kernel countScaled finds it: to the nearest, ties to even. */
function bucketOf({ low, perUnit, buckets }: Scale, type: NativeType, value: number): number {
  if (type !== 'f32') return clamped((value - low) * perUnit, buckets) + (2 ** 52 + 2) - 2 ** 52;
  const place = fround(fround(value - fround(low)) * fround(perUnit));
  return fround(clamped(place, buckets) + (2 ** 23 + 2)) - 2 ** 23;
}

function clamped(place: number, buckets: number): number {
  return Math.min(Math.max(place, -1), buckets - 3);
}

/** The lowest sort key of each bucket from 1 on, and behind the last one the key that is beyond all numbers. */
export function keyBounds(scale: Scale, type: NativeType): bigint[] {
  const { least, most } = keyRangeOf(type);
  const bounds = [0n];
  let from = least;
  for (let bucket = 1; bucket < scale.buckets; bucket++) {
    // The first key from `from` on whose bucket is not a lower one.
    let [low, high] = [from, most + 1n];
    while (low < high) {
      const middle = (low + high) >> 1n;
      if (bucketOf(scale, type, Number(elementOf(type, middle))) >= bucket) high = middle;
      else low = middle + 1n;
    }
    from = low;
    bounds.push(low);
  }
  bounds.push(most + 1n);
  return bounds;
}

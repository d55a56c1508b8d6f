/** Exact integers from the float64 pairs they are kept in, and the one rounding of their quotient. */
import { LIMITS } from '../../limits.js';

/** A number where it is exact, else a bigint: both print all their digits. */
export type Integer = number | bigint;

/**
 * Values at their places, in turns of LIMITS.cellsPerTurn: as doubles, or all as bigint where one of them is beyond 2 ** 53,
 * so that an array has one type.
 */
export function* placed(
  length: number,
  valueOf: (i: number) => Integer,
  placeOf: (i: number) => number = i => i,
): Generator<void, Float64Array | bigint[]> {
  const values = new Float64Array(length);
  let exact: bigint[] | undefined;
  for (let i = 0; i < length; i++) {
    if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
    const found = valueOf(i);
    const value = typeof found === 'bigint' ? smallest(found) : found;
    if (typeof value === 'number') values[placeOf(i)] = value;
    else (exact ??= Array.from<bigint>({ length }))[placeOf(i)] = value;
  }
  if (!exact) return values;
  for (let i = 0; i < length; i++) {
    if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
    exact[i] ??= BigInt(values[i]!);
  }
  return exact;
}

/** high * 2 ** 32 + low, each the exact sum of integers in float64. */
export function exactInteger(low: number, lowRest = 0, high = 0, highRest = 0): Integer {
  // Below 2 ** 53 every step of this sum is exact.
  const approximate = high * 2 ** 32 + low;
  if (Math.abs(low) < 2 ** 52 && Math.abs(high) < 2 ** 19 && lowRest === 0 && highRest === 0) return approximate;
  return smallest(((BigInt(high) + BigInt(highRest)) << 32n) + BigInt(low) + BigInt(lowRest));
}

export function subtractExact(a: Integer, b: Integer): Integer {
  return smallest(BigInt(a) - BigInt(b));
}

function smallest(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** sum / count, rounded once to the nearest double (ties to even). */
export function divideExact(sum: Integer, count: number): number {
  if (typeof sum === 'number') return sum / count;
  const divisor = BigInt(count);
  const magnitude = sum < 0n ? -sum : sum;
  // Enough bits for a quotient of more than 64, the last of which stands for all that was cut off.
  const shift = BigInt(Math.max(0, 66 + divisor.toString(2).length - magnitude.toString(2).length));
  const scaled = magnitude << shift;
  const quotient = scaled / divisor;
  const sticky = scaled % divisor === 0n ? 0n : 1n;
  const rounded = Number((quotient << 1n) | sticky) / 2 ** Number(shift + 1n);
  return sum < 0n ? -rounded : rounded;
}

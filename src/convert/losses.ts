/** Finds the first number that another dtype cannot hold: out of its range, or finite and infinite there. */
import { integerRange, isWide, overflowOf, type NumberDType } from '../dtype/index.js';
import { doublesOf, highHalves, lowHalves, NONE } from './kernel.js';

/** The index of the first element that is lost, or NONE. */
export type Check = (source: Uint8Array) => number;

/** Undefined where every value of one is a value of the other, digits of floats aside. */
export function lossesOf(from: NumberDType, to: NumberDType): Check | undefined {
  if (from.kind === 'b') return firstBadBool;
  if (to.kind === 'f') return to.itemsize === 8 ? undefined : beyond(from, overflowOf(to));
  if (from.kind === 'f' || to.kind === 'b') return undefined;
  if (isWide(from) && isWide(to)) return from.kind === to.kind ? undefined : firstHighBit;
  const [low, high] = [integerRange(from), integerRange(to)];
  if (low.min >= high.min && low.max <= high.max) return undefined;
  return outside(from, Number(high.min), Number(high.max));
}

/** numpy would call any other byte than 0 true, and keep it. */
export function firstBadBool(source: Uint8Array): number {
  for (let i = 0; i < source.length; i++) if (source[i]! > 1) return i;
  return NONE;
}

function beyond(from: NumberDType, limit: number): Check {
  return source => {
    const values = valuesOf(from, source);
    for (let i = 0; i < values.length; i++) {
      const value = Math.abs(values[i]!);
      if (value >= limit && value < Number.POSITIVE_INFINITY) return i;
    }
    return NONE;
  };
}

function outside(from: NumberDType, min: number, max: number): Check {
  return source => {
    const values = valuesOf(from, source);
    for (let i = 0; i < values.length; i++) if (values[i]! < min || values[i]! > max) return i;
    return NONE;
  };
}

/** Between int64 and uint64: both hold what has no highest bit. */
function firstHighBit(source: Uint8Array): number {
  const highs = highHalves(source);
  for (let i = 1; i < highs.length; i += 2) if (highs[i]! < 0) return (i - 1) / 2;
  return NONE;
}

/** 64-bit integers rounded to doubles: right on which side of a bound that is a double they are. */
function valuesOf(from: NumberDType, source: Uint8Array): Float64Array {
  if (!isWide(from)) return doublesOf(from, source);
  const lows = lowHalves(source);
  const highs = from.kind === 'i' ? highHalves(source) : lows;
  const values = new Float64Array(lows.length / 2);
  for (let i = 0; i < values.length; i++) values[i] = highs[2 * i + 1]! * 2 ** 32 + lows[2 * i]!;
  return values;
}

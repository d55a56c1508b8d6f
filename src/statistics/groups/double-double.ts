/**
 * Numbers of about 106 bits as unevaluated sums of two doubles (Dekker 1971; Hida, Li, Bailey 2001), for the few steps
 * where a variance is finished: there a difference of large numbers must not lose what is left.
 */
export interface DoubleDouble {
  readonly high: number;
  readonly low: number;
}

export function sumOf(a: number, b: number): DoubleDouble {
  const high = a + b;
  const added = high - a;
  return { high, low: a - (high - added) + (b - added) };
}

export function productOf(a: number, b: number): DoubleDouble {
  const high = a * b;
  const [aHigh, aLow] = split(a);
  const [bHigh, bLow] = split(b);
  return { high, low: aHigh * bHigh - high + aHigh * bLow + aLow * bHigh + aLow * bLow };
}

/** In halves of 26 bits. Overflows beyond 2 ** 996. */
function split(value: number): [number, number] {
  const scaled = value * 134_217_729;
  const high = scaled - (scaled - value);
  return [high, value - high];
}

export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const { high, low } = sumOf(a.high, b.high);
  return sumOf(high, low + (a.low + b.low));
}

export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const { high, low } = productOf(a.high, b.high);
  return sumOf(high, low + (a.high * b.low + a.low * b.high));
}

export function divide(a: DoubleDouble, by: number): DoubleDouble {
  const high = a.high / by;
  const { high: back, low } = productOf(high, by);
  return sumOf(high, (a.high - back - low + a.low) / by);
}

export function negate({ high, low }: DoubleDouble): DoubleDouble {
  return { high: -high, low: -low };
}

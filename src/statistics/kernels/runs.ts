/**
 * Kernels over one run of a Float64Array, `[from, to)`. They see one typed-array class only, so that V8 compiles each
 * once and keeps it fast; blocks are short enough to stay in the first-level cache between kernels. Except for sumRun
 * they expect no NaN.
 */

/** Plain sum in eight lanes; the caller compensates between blocks. NaN when a NaN, or both infinities, are present. */
export function sumRun(x: Float64Array, from: number, to: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let e = 0;
  let f = 0;
  let g = 0;
  let h = 0;
  let i = from;
  for (const last = to - 7; i < last; i += 8) {
    a += x[i]!;
    b += x[i + 1]!;
    c += x[i + 2]!;
    d += x[i + 3]!;
    e += x[i + 4]!;
    f += x[i + 5]!;
    g += x[i + 6]!;
    h += x[i + 7]!;
  }
  for (; i < to; i++) a += x[i]!;
  return a + b + (c + d) + (e + f + (g + h));
}

/** Sum of squared distances from `mean`. */
export function squaresRun(x: Float64Array, from: number, to: number, mean: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = from;
  for (const last = to - 3; i < last; i += 4) {
    const p = x[i]! - mean;
    const q = x[i + 1]! - mean;
    const r = x[i + 2]! - mean;
    const s = x[i + 3]! - mean;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (; i < to; i++) {
    const p = x[i]! - mean;
    a += p * p;
  }
  return a + b + (c + d);
}

export function minRun(x: Float64Array, from: number, to: number): number {
  let a = Number.POSITIVE_INFINITY;
  let b = a;
  let i = from;
  for (const last = to - 1; i < last; i += 2) {
    const p = x[i]!;
    const q = x[i + 1]!;
    if (p < a) a = p;
    if (q < b) b = q;
  }
  if (i < to && x[i]! < a) a = x[i]!;
  return a < b ? a : b;
}

export function maxRun(x: Float64Array, from: number, to: number): number {
  let a = Number.NEGATIVE_INFINITY;
  let b = a;
  let i = from;
  for (const last = to - 1; i < last; i += 2) {
    const p = x[i]!;
    const q = x[i + 1]!;
    if (p > a) a = p;
    if (q > b) b = q;
  }
  if (i < to && x[i]! > a) a = x[i]!;
  return a > b ? a : b;
}

/** True where nothing is below `least` or above `most`: what most blocks are, at two thirds of the cost of both extremes. */
export function isWithin(x: Float64Array, from: number, to: number, least: number, most: number): boolean {
  let i = from;
  for (const last = to - 3; i < last; i += 4) {
    const p = x[i]!;
    const q = x[i + 1]!;
    const r = x[i + 2]!;
    const s = x[i + 3]!;
    if (p < least || p > most || q < least || q > most || r < least || r > most || s < least || s > most) return false;
  }
  for (; i < to; i++) if (x[i]! < least || x[i]! > most) return false;
  return true;
}

/** Elements that are not zero; NaN is not zero. */
export function nonzeroRun(x: Float64Array, from: number, to: number): number {
  let zeros = 0;
  for (let i = from; i < to; i++) if (x[i]! === 0) zeros++;
  return to - from - zeros;
}

/** Copies what is not NaN to the start of `into`; answers how many that were. */
export function compactRun(x: Float64Array, from: number, to: number, into: Float64Array): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    const value = x[i]!;
    if (value === value) into[count++] = value;
  }
  return count;
}

/** Position of the first (or last) NaN, which must be there. */
export function findNan(x: Float64Array, from: number, to: number, last: boolean): number {
  if (last) {
    let i = to - 1;
    while (i > from && x[i] === x[i]) i--;
    return i;
  }
  let i = from;
  while (i < to - 1 && x[i] === x[i]) i++;
  return i;
}

/** Position of the smallest 64-bit integer, given as halves; among equal ones the first, or the last. */
export function minWideRun(high: Float64Array, low: Float64Array, from: number, to: number, last: boolean): number {
  let best = from;
  for (let i = from + 1; i < to; i++) {
    const order = high[i]! - high[best]! || low[i]! - low[best]!;
    if (order < 0 || (last && order === 0)) best = i;
  }
  return best;
}

export function maxWideRun(high: Float64Array, low: Float64Array, from: number, to: number, last: boolean): number {
  let best = from;
  for (let i = from + 1; i < to; i++) {
    const order = high[i]! - high[best]! || low[i]! - low[best]!;
    if (order > 0 || (last && order === 0)) best = i;
  }
  return best;
}

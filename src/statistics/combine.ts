/**
 * How partial quantities become one, cell by cell: the steps that blocks are added to a chunk with, and chunks to an
 * answer. Each is exact or rounds at the level of float64, so that what is merged loses nothing against one pass.
 */

/**
 * sum[cell] + rest[cell] += value. The rounding error of each addition is kept apart (Knuth's TwoSum), which makes
 * sums of integers exact. Once a sum is infinite or NaN the rest means nothing: see totalOf.
 */
export function addTo(sum: Float64Array, rest: Float64Array, cell: number, value: number): void {
  const before = sum[cell]!;
  const after = before + value;
  const added = after - before;
  rest[cell]! += before - (after - added) + (value - added);
  sum[cell] = after;
}

/** Adds value + rest, and keeps |rest| below half a unit of the sum's last place, so that it never overflows 53 bits. */
export function addPairTo(sum: Float64Array, rest: Float64Array, cell: number, value: number, valueRest: number): void {
  addTo(sum, rest, cell, value);
  const high = sum[cell]!;
  const low = rest[cell]! + valueRest;
  const total = high + low;
  if (Number.isFinite(total)) {
    sum[cell] = total;
    rest[cell] = low - (total - high);
  } else rest[cell] = 0;
}

/** A compensated sum as one double. */
export function totalOf(sum: number, rest: number): number {
  return Number.isFinite(sum) && Number.isFinite(rest) ? sum + rest : sum;
}

/** Mean (with what its rounding left out) and squared distances from it, of so many elements: arrays over cells. */
export interface MomentFields {
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly meanRest: Float64Array;
  readonly m2: Float64Array;
}

/**
 * Combines cells `[0, cells)` of `from` with those from `start` on (Chan, Golub, LeVeque 1979), all but their counts. An
 * infinite value has made the squares of its set NaN; distances of finite values that overflow are infinite, as in numpy.
 */
export function combineMoments(into: MomentFields, start: number, from: MomentFields, cells: number): void {
  for (let i = 0, cell = start; i < cells; i++, cell++) {
    const countB = from.count[i]!;
    const countA = into.count[cell]!;
    if (countB === 0) continue;
    if (countA === 0) {
      into.mean[cell] = from.mean[i]!;
      into.meanRest[cell] = from.meanRest[i]!;
      into.m2[cell] = from.m2[i]!;
      continue;
    }
    const before = into.mean[cell]!;
    const restBefore = into.meanRest[cell]!;
    // The means are large and close: their difference is exact, and what their rounding left out counts in it.
    const delta = from.mean[i]! - before + (from.meanRest[i]! - restBefore);
    const share = countB / (countA + countB);
    const moved = delta * share;
    const after = before + moved;
    const added = after - before;
    into.mean[cell] = after;
    const rest = restBefore + (before - (after - added) + (moved - added));
    into.meanRest[cell] = rest - rest === 0 ? rest : 0;
    const squaresA = into.m2[cell]!;
    const squaresB = from.m2[i]!;
    const squares = squaresA + squaresB + delta * delta * (countA * share);
    const overflows = Number.isNaN(squares) && !Number.isNaN(squaresA) && !Number.isNaN(squaresB);
    into.m2[cell] = overflows ? Number.POSITIVE_INFINITY : squares;
  }
}

const LARGE = 2 ** 900;
const SMALL = 2 ** -900;

/**
 * prod[cell] * 2 ** exponent[cell] *= the run. The factor is kept far from overflow and underflow, so a product whose
 * value is representable is found whatever the order of its factors.
 */
export function multiplyRun(
  x: Float64Array,
  from: number,
  to: number,
  prod: Float64Array,
  exponent: Float64Array,
  cell: number,
): void {
  let product = prod[cell]!;
  for (let i = from; i < to; i++) {
    const next = product * x[i]!;
    const magnitude = Math.abs(next);
    if (magnitude < LARGE && magnitude > SMALL) product = next;
    else {
      const a = scaleOf(product);
      const b = scaleOf(x[i]!);
      product = product * 2 ** a.half * 2 ** a.half * (x[i]! * 2 ** b.half * 2 ** b.half);
      exponent[cell]! -= 2 * (a.half + b.half);
    }
  }
  prod[cell] = product;
}

/** Half the exponent that brings a value near one (in two steps, since 2 ** 1074 is no double). 0 for 0, NaN, infinity. */
function scaleOf(value: number): { half: number } {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || !(magnitude < Number.POSITIVE_INFINITY)) return { half: 0 };
  return { half: -Math.round(Math.log2(magnitude) / 2) };
}

/** value * 2 ** exponent, rounded once. */
export function scaled(value: number, exponent: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  // Brought near one first, so that only the last step can round.
  const { half } = scaleOf(value);
  const near = value * 2 ** half * 2 ** half;
  const left = Math.max(-1200, Math.min(1200, exponent - 2 * half));
  const first = Math.max(-1000, Math.min(1000, left));
  return near * 2 ** first * 2 ** (left - first);
}

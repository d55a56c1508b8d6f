/** Mean and squared distances from it, of as many elements as are counted; var and std. */
import { numberDType } from '../../dtype/index.js';
import { type Accumulator, type Cells, type Fields, type Statistic, usedIn } from './accumulator.js';

const FLOAT64 = numberDType('<f8');

/** Weighs by the counts of both, and leaves these to be added afterwards. */
export const MOMENTS: Accumulator = {
  fields: () => ({ mean: 0, meanRest: 0, m2: 0 }),
  weighs: true,
  combine: (into, to, from, at, count) => combineMoments(into as MomentFields, to, from as MomentFields, at, count),
};

/** numpy divides by count - ddof, but never by less than zero; its nan-functions answer NaN instead of dividing by zero. */
export function varianceFrom(cells: Cells, cell: number, m2: number): number {
  const count = usedIn(cells, cell);
  const divisor = count - cells.ddof;
  if (count === 0 || (divisor <= 0 && cells.omitsNan && 'fc'.includes(cells.dtype.kind))) return Number.NaN;
  return m2 / Math.max(divisor, 0);
}

function varianceOf(cells: Cells, cell: number): number {
  return varianceFrom(cells, cell, cells.fields['m2']![cell]!);
}

export const MOMENT_STATISTICS = {
  var: { needs: ['moments'], dtype: () => FLOAT64, value: varianceOf, showsNan: true },
  std: {
    needs: ['moments'],
    dtype: () => FLOAT64,
    value: (cells, cell) => Math.sqrt(varianceOf(cells, cell)),
    showsNan: true,
  },
} as const satisfies Record<string, Statistic>;

/** Mean (with what its rounding left out) and squared distances from it, of so many elements: arrays over cells. */
export type MomentFields = Fields & Readonly<Record<'count' | 'mean' | 'meanRest' | 'm2', Float64Array>>;

/**
 * Combines cells `[0, cells)` of `from` with those from `start` on (Chan, Golub, LeVeque 1979), all but their counts. An
 * infinite value has made the squares of its set NaN; distances of finite values that overflow are infinite, as in numpy.
 */
export function combineMoments(into: MomentFields, to: number, from: MomentFields, at: number, count: number): void {
  for (let i = at, cell = to; i < at + count; i++, cell++) {
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

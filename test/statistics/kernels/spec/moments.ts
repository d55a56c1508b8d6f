/** Count, mean and squares of a block, in distances from a value near its mean: what runs and rows have in common. */
import { twoSum, type Moments } from './cell-fields.js';
import type { Elements } from './elements.js';

/** From this share of squares that the mean's distance makes up on, a block is looked at again. */
const SHIFT_SHARE_MAX = 63 / 64;

/** Where distances are counted from; for 64-bit integers from `base` on, exactly. */
export interface Shift {
  readonly shift: number;
  readonly base?: bigint;
}

export interface Distances {
  readonly distances: number;
  readonly squares: number;
  /** Elements behind them. */
  readonly count: number;
}

/** Adds up distances and their squares in the order that the kernel has. Elements that are NaN are none where `omit`. */
export type AddUp = (elements: Elements, shift: Shift, omit: boolean) => Distances;

export function distanceOf(elements: Elements, i: number, { shift, base }: Shift): number {
  return base === undefined ? elements.value(i) - shift : Number((elements.exact(i) as bigint) - base) - shift;
}

/** What a block adds to a cell; the first look too, of which the sum of float32 is derived. Undefined for none. */
export function momentsOf(
  elements: Elements,
  first: Shift,
  omit: boolean,
  addUp: AddUp,
): { moments: Moments; looked: Distances } | undefined {
  const looked = addUp(elements, first, omit);
  const { count } = looked;
  if (count === 0) return undefined;
  let { shift } = first;
  let { distances, squares } = looked;
  let offset = distances / count;
  if (distances * offset > SHIFT_SHARE_MAX * squares && Number.isFinite(squares)) {
    shift += offset;
    ({ distances, squares } = addUp(elements, { ...first, shift }, omit));
    offset = distances / count;
  }
  const m2 = squares - distances * offset;
  const moments = { ...meanOf(first.base, shift, offset), count, m2: squaresOf(elements, m2, omit) };
  return { moments, looked };
}

/** base + shift + offset, and what its rounding left out. */
function meanOf(base: bigint | undefined, shift: number, offset: number): { mean: number; rest: number } {
  let from = shift;
  let by = offset;
  let rest = 0;
  if (base !== undefined) {
    by += shift;
    from = Number(base);
    rest = Number(base - BigInt(from));
  }
  const { sum, error } = twoSum(from, by);
  return { mean: sum, rest: Number.isFinite(sum) ? rest + error : 0 };
}

/** NaN for a block with an infinite value, and infinite where finite ones overflow. */
function squaresOf(elements: Elements, m2: number, omit: boolean): number {
  if (!Number.isNaN(m2)) return Math.max(m2, 0);
  for (let i = 0; i < elements.length; i++) {
    const value = elements.value(i);
    if (!Number.isFinite(value) && !(omit && Number.isNaN(value))) return Number.NaN;
  }
  return Number.POSITIVE_INFINITY;
}

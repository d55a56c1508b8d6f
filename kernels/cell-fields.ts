/**
 * What is known of a cell, in fields of 8 bytes. A field of neighbouring cells is contiguous: field k of a cell is at
 * cell + k * fieldBytes. Numbers are float64 unless said otherwise.
 */

/** Sum and what its rounding left out. Integers: an int64; of 64-bit ones, int64 sums of their low and of their high halves. */
export const SUM: usize = 0;
export const SUM_REST: usize = 1;
/** Elements behind the sum, where NaN are left out. */
export const SUM_COUNT: usize = 2;
/** Elements, mean (and what its rounding left out) and sum of squared distances from it. */
export const COUNT: usize = 3;
export const MEAN: usize = 4;
export const MEAN_REST: usize = 5;
export const M2: usize = 6;
/** Elements that are not NaN, and their extremes; those of 64-bit integers as such. */
export const SEEN: usize = 7;
export const MIN: usize = 8;
export const MAX: usize = 9;
export const ARGMIN: usize = 10;
export const ARGMAX: usize = 11;
export const NAN_INDEX: usize = 12;
export const ZEROS: usize = 13;

export class Cell {
  /** Adds to a number. */
  @inline static add(cell: usize, fieldBytes: usize, field: usize, value: f64): void {
    const at = cell + field * fieldBytes;
    store<f64>(at, load<f64>(at) + value);
  }

  /** Adds to an integer. */
  @inline static addInteger(cell: usize, fieldBytes: usize, field: usize, value: i64): void {
    const at = cell + field * fieldBytes;
    store<i64>(at, load<i64>(at) + value);
  }

  /** Adds to the sum, and the rounding error to its rest (Knuth's TwoSum). */
  @inline static addToSum(cell: usize, fieldBytes: usize, value: f64): void {
    const before = load<f64>(cell + SUM * fieldBytes);
    const after = before + value;
    const added = after - before;
    Cell.add(cell, fieldBytes, SUM_REST, before - (after - added) + (value - added));
    store<f64>(cell + SUM * fieldBytes, after);
  }

  /** The same for the cell and the next one. */
  @inline static addPairToSums(cell: usize, fieldBytes: usize, values: v128): void {
    const before = v128.load(cell + SUM * fieldBytes);
    const after = f64x2.add(before, values);
    const added = f64x2.sub(after, before);
    const error = f64x2.add(f64x2.sub(before, f64x2.sub(after, added)), f64x2.sub(values, added));
    v128.store(cell + SUM_REST * fieldBytes, f64x2.add(v128.load(cell + SUM_REST * fieldBytes), error));
    v128.store(cell + SUM * fieldBytes, after);
  }
}

/** Combines count, mean (with its rest) and squares of more elements with a cell's (Chan, Golub, LeVeque 1979). */
export function mergeMoments(cell: usize, fieldBytes: usize, n: f64, mean: f64, rest: f64, m2: f64): void {
  const count = load<f64>(cell + COUNT * fieldBytes);
  const all = count + n;
  store<f64>(cell + COUNT * fieldBytes, all);
  const meanAt = cell + MEAN * fieldBytes;
  const restAt = cell + MEAN_REST * fieldBytes;
  const m2At = cell + M2 * fieldBytes;
  if (count == 0) {
    store<f64>(meanAt, mean);
    store<f64>(restAt, rest);
    store<f64>(m2At, m2);
    return;
  }
  const before = load<f64>(meanAt);
  const beforeRest = load<f64>(restAt);
  const beforeM2 = load<f64>(m2At);
  // The means are large and close: their difference is exact, and what their rounding left out counts in it.
  const delta = mean - before + (rest - beforeRest);
  const share = n / all;
  const moved = delta * share;
  const after = before + moved;
  const added = after - before;
  const error = before - (after - added) + (moved - added);
  store<f64>(meanAt, after);
  store<f64>(restAt, after - after == 0 ? beforeRest + error : 0);
  let squares = beforeM2 + m2 + delta * delta * (count * share);
  // Distances of finite values that overflow are infinite; only an infinite value makes squares NaN.
  if (squares != squares && beforeM2 == beforeM2 && m2 == m2) squares = Infinity;
  store<f64>(m2At, squares);
}

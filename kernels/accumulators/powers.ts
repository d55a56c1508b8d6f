/**
 * Sums of the second to fourth powers of distances from the mean, updated by each element (Terriberry 2007; Pébay 2008,
 * Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order Statistical Moments).
 */
import { Is } from '../types';
import { addElements } from './elements';

/** What a 64-bit integer has too many digits of for a float64: its last 11 bits, where it needs more than 53. */
function lowOf<T>(value: T): T {
  if (!Is.wide<T>()) return 0 as T;
  return f64(value) < 9007199254740992 && f64(value) > -9007199254740992 ? (0 as T) : ((value & 0x7ff) as T);
}

@unmanaged
class Powers {
  count: f64;
  mean: f64;
  /** What the mean's rounding left out. */
  rest: f64;
  m2: f64;
  m3: f64;
  m4: f64;

  add<T>(value: T, index: f64): void {
    const before = this.mean;
    const low = lowOf<T>(value);
    const delta = f64(value - low) - before + (f64(low) - this.rest);
    const earlier = this.count;
    const n = earlier + 1;
    const step = delta / n;
    const after = before + step;
    const added = after - before;
    this.count = n;
    this.mean = after;
    this.rest = after - after == 0 ? this.rest + (before - (after - added) + (step - added)) : 0;
    const square = step * step;
    const term = delta * step * earlier;
    this.m4 += term * square * (n * n - 3 * n + 3) + 6 * square * this.m2 - 4 * step * this.m3;
    this.m3 += term * step * (n - 2) - 3 * step * this.m2;
    this.m2 += term;
  }
}

export function addPowers(spec: usize): void {
  addElements<Powers>(spec);
}

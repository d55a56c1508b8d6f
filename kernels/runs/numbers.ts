/** How many elements of a run of floats are not NaN. */
import { Lanes } from '../lanes';

export function numbersIn<T>(ptr: usize, length: usize): usize {
  let counts = i64x2.splat(0);
  const lanes: usize = 16 / sizeof<T>();
  let left = length;
  for (; left >= lanes; left -= lanes, ptr += 16) {
    const x = v128.load(ptr);
    counts = sizeof<T>() == 4 ? i32x4.sub(counts, f32x4.eq(x, x)) : i64x2.sub(counts, f64x2.eq(x, x));
  }
  let seen = sizeof<T>() == 4 ? <usize>Lanes.sumCounts(counts) : <usize>Lanes.sumIntegers(counts);
  for (; left > 0; left--, ptr += sizeof<T>()) seen += usize(load<T>(ptr) == load<T>(ptr));
  return seen;
}

/** How many elements of a run are zero. NaN is not. */
import { Cell, ZEROS } from '../cell-fields';

export function zerosRun<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  const zero = i64x2.splat(0);
  const lanes: usize = 16 / sizeof<T>();
  let count: i32 = 0;
  let left = length;
  for (; left >= lanes; left -= lanes, ptr += 16) count += Count.lanes<T>(v128.eq<T>(v128.load(ptr), zero));
  for (; left > 0; left--, ptr += sizeof<T>()) if (load<T>(ptr) == (0 as T)) count++;
  Cell.add(cell, fieldBytes, ZEROS, f64(count));
}

class Count {
  /** Lanes of a mask that are set. */
  @inline static lanes<T>(mask: v128): i32 {
    if (sizeof<T>() == 1) return popcnt(i8x16.bitmask(mask));
    if (sizeof<T>() == 2) return popcnt(i16x8.bitmask(mask));
    if (sizeof<T>() == 4) return popcnt(i32x4.bitmask(mask));
    return popcnt(i64x2.bitmask(mask));
  }
}

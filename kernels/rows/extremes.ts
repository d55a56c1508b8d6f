/** The least and the most of columns, where they are, and how many elements are not NaN. */
import { WANTS_NAN } from '../../src/kernels/constants';
import { ARGMAX, ARGMIN, Cell, MAX, MIN, NAN_INDEX, SEEN } from '../cell-fields';
import { Extremes } from '../runs/extremes';
import { Lanes } from '../lanes';
import { Is, Limit } from '../types';

const ROWS: usize = 16;

/** Rows come in the order of their columns' lanes. `room`: 24 bytes per column. */
export function extremesRowsOf<T>(
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
  room: usize,
): void {
  if (rows == 0) return;
  const mins = room;
  const maxs = room + width * sizeof<T>();
  const counts = room + width * 16;
  fill<T>(mins, width, Limit.highest<T>());
  fill<T>(maxs, width, Limit.lowest<T>());
  fill<f64>(counts, width, isFloat<T>() ? 0 : f64(rows));
  const lanes: usize = 16 / sizeof<T>();
  for (let row: usize = 0; row < rows; row += ROWS, ptr += ROWS * step) {
    const n = min(ROWS, rows - row);
    let j: usize = 0;
    for (; j + lanes <= width; j += lanes) {
      const at = j * sizeof<T>();
      addStrip<T>(ptr + at, step, n, mins + at, maxs + at, counts + j * 8);
    }
    for (; j < width; j++) {
      const at = j * sizeof<T>();
      addColumn<T>(ptr + at, step, n, mins + at, maxs + at, counts + j * 8);
    }
  }
  let j: usize = 0;
  if (!Is.wide<T>()) {
    for (; j + 2 <= width; j += 2) {
      const cell = cells + j * 8;
      const at = j * sizeof<T>();
      Pair.add(cell + SEEN * fieldBytes, v128.load(counts + j * 8));
      Pair.keepLeast(cell + MIN * fieldBytes, Lanes.two<T>(mins + at));
      Pair.keepMost(cell + MAX * fieldBytes, Lanes.two<T>(maxs + at));
    }
  }
  for (; j < width; j++) {
    const least = load<T>(mins + j * sizeof<T>());
    const most = load<T>(maxs + j * sizeof<T>());
    Cell.add(cells + j * 8, fieldBytes, SEEN, load<f64>(counts + j * 8));
    if (Is.wide<T>()) Extremes.keepWide<T>(cells + j * 8, fieldBytes, least, most);
    else Extremes.keep(cells + j * 8, fieldBytes, f64(least), f64(most));
  }
}

/** A field of two neighbouring cells. */
class Pair {
  @inline static add(at: usize, values: v128): void {
    v128.store(at, f64x2.add(v128.load(at), values));
  }

  @inline static keepLeast(at: usize, values: v128): void {
    v128.store(at, f64x2.pmin(v128.load(at), values));
  }

  @inline static keepMost(at: usize, values: v128): void {
    v128.store(at, f64x2.pmax(v128.load(at), values));
  }
}

function fill<T>(at: usize, count: usize, value: T): void {
  const values = v128.splat<T>(value);
  const lanes: usize = 16 / sizeof<T>();
  let i: usize = 0;
  for (; i + lanes <= count; i += lanes) v128.store(at + i * sizeof<T>(), values);
  for (; i < count; i++) store<T>(at + i * sizeof<T>(), value);
}

/** As many columns as a vector has lanes. */
function addStrip<T>(ptr: usize, step: usize, rows: usize, mins: usize, maxs: usize, counts: usize): void {
  let least = v128.load(mins);
  let most = v128.load(maxs);
  let count = i64x2.splat(0);
  for (; rows > 0; rows--, ptr += step) {
    const x = v128.load(ptr);
    least = Lanes.min<T>(least, x);
    most = Lanes.max<T>(most, x);
    if (isFloat<T>()) {
      count = sizeof<T>() == 4 ? i32x4.sub(count, f32x4.eq(x, x)) : i64x2.sub(count, f64x2.eq(x, x));
    }
  }
  v128.store(mins, least);
  v128.store(maxs, most);
  if (!isFloat<T>()) return;
  if (sizeof<T>() == 4) {
    v128.store(counts, f64x2.add(v128.load(counts), f64x2.convert_low_i32x4_s(count)));
    v128.store(counts, f64x2.add(v128.load(counts, 16), f64x2.convert_low_i32x4_s(Lanes.high(count))), 16);
  } else {
    store<f64>(counts, load<f64>(counts) + f64(i64x2.extract_lane(count, 0)));
    store<f64>(counts, load<f64>(counts, 8) + f64(i64x2.extract_lane(count, 1)), 8);
  }
}

function addColumn<T>(ptr: usize, step: usize, rows: usize, mins: usize, maxs: usize, counts: usize): void {
  let least = load<T>(mins);
  let most = load<T>(maxs);
  let count: f64 = 0;
  for (; rows > 0; rows--, ptr += step) {
    const x = load<T>(ptr);
    if (x < least) least = x;
    if (x > most) most = x;
    if (isFloat<T>() && x == x) count += 1;
  }
  store<T>(mins, least);
  store<T>(maxs, most);
  if (isFloat<T>()) store<f64>(counts, load<f64>(counts) + count);
}

/** The extremes of columns, and the lowest index of each. The first row has `index`, each next one `indexStep` more. */
export function argsRowsOf<T>(
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
  index: f64,
  indexStep: f64,
  wants: i32,
): void {
  for (let row: usize = 0; row < rows; row++, ptr += step, index += indexStep) {
    for (let j: usize = 0; j < width; j++) {
      const x = load<T>(ptr + j * sizeof<T>());
      const cell = cells + j * 8;
      if (isFloat<T>() && x != x) {
        if (wants & WANTS_NAN && index < load<f64>(cell + NAN_INDEX * fieldBytes)) {
          store<f64>(cell + NAN_INDEX * fieldBytes, index);
        }
        continue;
      }
      Cell.add(cell, fieldBytes, SEEN, 1);
      if (Is.wide<T>()) {
        const least = load<T>(cell + MIN * fieldBytes);
        const most = load<T>(cell + MAX * fieldBytes);
        if (x <= least) keep(cell + ARGMIN * fieldBytes, index, x < least);
        if (x >= most) keep(cell + ARGMAX * fieldBytes, index, x > most);
        Extremes.keepWide<T>(cell, fieldBytes, x, x);
      } else {
        const value = f64(x);
        const least = load<f64>(cell + MIN * fieldBytes);
        const most = load<f64>(cell + MAX * fieldBytes);
        if (value <= least) keep(cell + ARGMIN * fieldBytes, index, value < least);
        if (value >= most) keep(cell + ARGMAX * fieldBytes, index, value > most);
        Extremes.keep(cell, fieldBytes, value, value);
      }
    }
  }
}

function keep(at: usize, index: f64, isBetter: bool): void {
  if (isBetter || index < load<f64>(at)) store<f64>(at, index);
}

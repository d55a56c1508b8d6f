/**
 * Count, mean and squared distances from the mean of columns. A block of rows is summed in distances from a value near
 * each column's mean; a column for which that value was far off is looked at again by itself.
 */
import { Cell, COUNT, M2, MEAN, MEAN_REST, mergeMoments } from '../cell-fields';
import { Lanes } from '../lanes';
import { Lines } from '../lines';
import { BLOCK, Is, Yes } from '../types';

const ROWS: usize = 16;
/** Rows at the start of a block that the shifts are taken from. */
const SAMPLES: usize = 8;
/** From so many rows on, taking samples costs little beside the sums. */
const LONG_BLOCK: usize = 1024;
/** A mean that is so few (squared) standard deviations from zero costs no digits worth a shift. */
const NEAR: f64 = 16;
const SHIFT_SHARE_MAX: f64 = 63.0 / 64;

/** Where the numbers of each column stand, by columns of 8 bytes: 32 bytes for each in `room`. */
let shifts: usize = 0;
let distances: usize = 0;
let squares: usize = 0;
let counts: usize = 0;

/** The column that was looked at again. */
let distance: f64 = 0;
let square: f64 = 0;

/** `width` columns of one block. */
export function momentsRowsOf<T>(lines: Lines, ptr: usize, width: usize, cells: usize): void {
  const step = lines.step;
  const fieldBytes = lines.fieldBytes;
  const room = lines.workspace;
  const omit = isFloat<T>() && lines.omits != 0;
  const sums = Is.single<T>() && lines.sums != 0;
  let rows = lines.count;
  shifts = room;
  distances = room + width * 8;
  squares = room + width * 16;
  counts = room + width * 24;
  while (rows > 0) {
    const n = min(rows, BLOCK);
    findShifts<T>(ptr, step, n, width, cells, fieldBytes);
    memory.fill(distances, 0, width * 16);
    addBlock<T, void>(ptr, step, n, width);
    let omits = false;
    // NaN show in the distances: only then they are looked for.
    if (omit) {
      omits = hasNan(width);
      if (omits) {
        memory.fill(distances, 0, width * 24);
        addBlock<T, Yes>(ptr, step, n, width);
      }
    }
    let j: usize = 0;
    if (!Is.wide<T>() && !omits) {
      for (; j + 2 <= width; j += 2) {
        if (keepPair(n, j * 8, cells + j * 8, fieldBytes, sums)) continue;
        keepColumn<T>(ptr + j * sizeof<T>(), step, n, j * 8, cells + j * 8, fieldBytes, false, sums);
        const next = j + 1;
        keepColumn<T>(ptr + next * sizeof<T>(), step, n, next * 8, cells + next * 8, fieldBytes, false, sums);
      }
    }
    for (; j < width; j++) {
      keepColumn<T>(ptr + j * sizeof<T>(), step, n, j * 8, cells + j * 8, fieldBytes, omits, sums);
    }
    ptr += n * step;
    rows -= n;
  }
}

function hasNan(width: usize): bool {
  let all: f64 = 0;
  for (let j: usize = 0; j < width; j++) all += load<f64>(distances + j * 8);
  return all != all;
}

/**
 * Short blocks are shifted by the mean that their cells have had so far; long ones, and the first, by that of their first
 * rows, without NaN. Of float32 a float32, of integers an integer; 0 where that is near enough, or there is none. Of
 * 64-bit integers the first row as it is.
 */
function findShifts<T>(ptr: usize, step: usize, rows: usize, width: usize, cells: usize, fieldBytes: usize): void {
  if (Is.wide<T>()) {
    for (let j: usize = 0; j < width; j++) store<T>(shifts + j * 8, load<T>(ptr + j * 8));
    return;
  }
  const keeps = rows < LONG_BLOCK;
  const samples = min(rows, SAMPLES);
  let j: usize = 0;
  for (; j + 2 <= width; j += 2) {
    const cell = cells + j * 8;
    const counts = v128.load(cell + COUNT * fieldBytes);
    if (keeps && i64x2.all_true(counts)) {
      const mean = v128.load(cell + MEAN * fieldBytes);
      const m2 = v128.load(cell + M2 * fieldBytes);
      const isNear = f64x2.le(f64x2.mul(f64x2.mul(mean, mean), counts), f64x2.mul(f64x2.splat(NEAR), m2));
      v128.store(shifts + j * 8, v128.andnot(Finite.near<T>(mean), isNear));
    } else if (!keeps || !v128.any_true(counts)) {
      samplePair<T>(ptr + j * sizeof<T>(), step, samples, j * 8);
    } else {
      for (let k = j; k < j + 2; k++)
        findShift<T>(ptr + k * sizeof<T>(), step, samples, k * 8, cells, fieldBytes, keeps);
    }
  }
  if (j < width) findShift<T>(ptr + j * sizeof<T>(), step, samples, j * 8, cells, fieldBytes, keeps);
}

/** Two columns' from samples. */
function samplePair<T>(ptr: usize, step: usize, samples: usize, at: usize): void {
  let total = f64x2.splat(0);
  let count = total;
  for (let i: usize = 0, from = ptr; i < samples; i++, from += step) {
    const x = Lanes.two<T>(from);
    const is = f64x2.eq(x, x);
    total = f64x2.add(total, v128.and(x, is));
    count = f64x2.add(count, v128.and(f64x2.splat(1), is));
  }
  const mean = f64x2.div(total, count);
  let scatter = f64x2.splat(0);
  for (let i: usize = 0, from = ptr; i < samples; i++, from += step) {
    const d = f64x2.sub(Lanes.two<T>(from), mean);
    scatter = f64x2.add(scatter, v128.and(f64x2.mul(d, d), f64x2.eq(d, d)));
  }
  const isNear = f64x2.le(f64x2.mul(f64x2.mul(mean, mean), count), f64x2.mul(f64x2.splat(NEAR), scatter));
  v128.store(shifts + at, v128.andnot(Finite.near<T>(mean), isNear));
}

/** One column's; `at` is where its numbers stand. */
function findShift<T>(
  ptr: usize,
  step: usize,
  samples: usize,
  at: usize,
  cells: usize,
  fieldBytes: usize,
  keeps: bool,
): void {
  const known = load<f64>(cells + at + COUNT * fieldBytes);
  let mean: f64;
  let isNear: bool;
  if (keeps && known > 0) {
    mean = load<f64>(cells + at + MEAN * fieldBytes);
    isNear = mean * mean * known <= NEAR * load<f64>(cells + at + M2 * fieldBytes);
  } else {
    let total: f64 = 0;
    let count: f64 = 0;
    for (let i: usize = 0, from = ptr; i < samples; i++, from += step) {
      const x = f64(load<T>(from));
      if (x != x) continue;
      total += x;
      count += 1;
    }
    mean = total / count;
    let scatter: f64 = 0;
    for (let i: usize = 0, from = ptr; i < samples; i++, from += step) {
      const d = f64(load<T>(from)) - mean;
      if (d == d) scatter += d * d;
    }
    isNear = mean * mean * count <= NEAR * scatter;
  }
  const shift = isInteger<T>() ? Math.floor(mean) : sizeof<T>() == 4 ? f64(f32(mean)) : mean;
  store<f64>(shifts + at, isNear || !Is.finite(shift) ? 0 : shift);
}

class Strip {
  /** True where eight columns have no shift. */
  @inline static isPlain(at: usize): bool {
    const any = v128.or(
      v128.or(v128.load(shifts + at), v128.load(shifts + at, 16)),
      v128.or(v128.load(shifts + at, 32), v128.load(shifts + at, 48)),
    );
    return !v128.any_true(any);
  }

  /** Eight columns; `at` is where their numbers stand. */
  @inline static add<T, Shift>(ptr: usize, step: usize, rows: usize, at: usize): void {
    const shift0 = v128.load(shifts + at);
    const shift1 = v128.load(shifts + at, 16);
    const shift2 = v128.load(shifts + at, 32);
    const shift3 = v128.load(shifts + at, 48);
    let s0 = v128.load(distances + at);
    let s1 = v128.load(distances + at, 16);
    let s2 = v128.load(distances + at, 32);
    let s3 = v128.load(distances + at, 48);
    let q0 = v128.load(squares + at);
    let q1 = v128.load(squares + at, 16);
    let q2 = v128.load(squares + at, 32);
    let q3 = v128.load(squares + at, 48);
    for (; rows > 0; rows--, ptr += step) {
      let d = Lanes.two<T>(ptr);
      if (!isVoid<Shift>()) d = f64x2.sub(d, shift0);
      s0 = f64x2.add(s0, d);
      q0 = f64x2.add(q0, f64x2.mul(d, d));
      d = Lanes.two<T, Yes>(ptr);
      if (!isVoid<Shift>()) d = f64x2.sub(d, shift1);
      s1 = f64x2.add(s1, d);
      q1 = f64x2.add(q1, f64x2.mul(d, d));
      const next = ptr + 4 * sizeof<T>();
      d = Lanes.two<T>(next);
      if (!isVoid<Shift>()) d = f64x2.sub(d, shift2);
      s2 = f64x2.add(s2, d);
      q2 = f64x2.add(q2, f64x2.mul(d, d));
      d = Lanes.two<T, Yes>(next);
      if (!isVoid<Shift>()) d = f64x2.sub(d, shift3);
      s3 = f64x2.add(s3, d);
      q3 = f64x2.add(q3, f64x2.mul(d, d));
    }
    v128.store(distances + at, s0);
    v128.store(distances + at, s1, 16);
    v128.store(distances + at, s2, 32);
    v128.store(distances + at, s3, 48);
    v128.store(squares + at, q0);
    v128.store(squares + at, q1, 16);
    v128.store(squares + at, q2, 32);
    v128.store(squares + at, q3, 48);
  }
}

function addBlock<T, Omit>(ptr: usize, step: usize, rows: usize, width: usize): void {
  for (let row: usize = 0; row < rows; row += ROWS, ptr += ROWS * step) {
    const n = min(ROWS, rows - row);
    let j: usize = 0;
    if (isVoid<Omit>() && !Is.wide<T>()) {
      for (; j + 8 <= width; j += 8) {
        if (Strip.isPlain(j * 8)) Strip.add<T, void>(ptr + j * sizeof<T>(), step, n, j * 8);
        else Strip.add<T, Yes>(ptr + j * sizeof<T>(), step, n, j * 8);
      }
    }
    for (; j + 2 <= width; j += 2) addPair<T, Omit>(ptr + j * sizeof<T>(), step, n, j * 8);
    for (; j < width; j++) addColumn<T, Omit>(ptr + j * sizeof<T>(), step, n, j * 8);
  }
}

function addPair<T, Omit>(ptr: usize, step: usize, rows: usize, at: usize): void {
  const shift = v128.load(shifts + at);
  const baseLows = Lanes.lows(shift);
  const baseHighs = Lanes.highs<T>(shift);
  const unit = f64x2.splat(4294967296);
  const one = f64x2.splat(1);
  let s = v128.load(distances + at);
  let q = v128.load(squares + at);
  let count = isVoid<Omit>() ? s : v128.load(counts + at);
  for (; rows > 0; rows--, ptr += step) {
    const x = Is.wide<T>() ? v128.load(ptr) : Lanes.two<T>(ptr);
    let d = f64x2.sub(x, shift);
    if (Is.wide<T>()) {
      // Of the halves it is exact, so that it is rounded once.
      d = f64x2.mul(f64x2.sub(Lanes.highs<T>(x), baseHighs), unit);
      d = f64x2.add(d, f64x2.sub(Lanes.lows(x), baseLows));
    }
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      count = f64x2.add(count, v128.and(is, one));
      d = v128.and(d, is);
    }
    s = f64x2.add(s, d);
    q = f64x2.add(q, f64x2.mul(d, d));
  }
  v128.store(distances + at, s);
  v128.store(squares + at, q);
  if (!isVoid<Omit>()) v128.store(counts + at, count);
}

class Distance {
  /** Of 64-bit integers: their difference is exact as an unsigned number, and is rounded once. */
  @inline static wide<T>(x: T, base: T): f64 {
    return x >= base ? f64(u64(x) - u64(base)) : -f64(u64(base) - u64(x));
  }
}

function addColumn<T, Omit>(ptr: usize, step: usize, rows: usize, at: usize): void {
  const shift = load<f64>(shifts + at);
  const base = load<T>(shifts + at);
  let s = load<f64>(distances + at);
  let q = load<f64>(squares + at);
  let count = isVoid<Omit>() ? 0 : load<f64>(counts + at);
  for (; rows > 0; rows--, ptr += step) {
    const x = load<T>(ptr);
    if (!isVoid<Omit>()) {
      if (x != x) continue;
      count += 1;
    }
    const d = Is.wide<T>() ? Distance.wide<T>(x, base) : f64(x) - shift;
    s += d;
    q += d * d;
  }
  store<f64>(distances + at, s);
  store<f64>(squares + at, q);
  if (!isVoid<Omit>()) store<f64>(counts + at, count);
}

class Finite {
  @inline static mask(x: v128): v128 {
    return f64x2.eq(f64x2.sub(x, x), f64x2.splat(0));
  }

  /** What `nearby` answers, for two. */
  @inline static near<T>(mean: v128): v128 {
    let shift = mean;
    if (isInteger<T>()) shift = f64x2.floor(mean);
    else if (sizeof<T>() == 4) shift = f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(mean));
    return v128.and(shift, Finite.mask(shift));
  }
}

/** What keepColumn does, for two columns of which nothing special has to be said; false where something has. */
function keepPair(rows: usize, at: usize, cell: usize, fieldBytes: usize, sums: bool): bool {
  const n = f64x2.splat(f64(rows));
  const shift = v128.load(shifts + at);
  const s = v128.load(distances + at);
  const q = v128.load(squares + at);
  const offset = f64x2.div(s, n);
  const share = f64x2.mul(s, offset);
  const isFar = f64x2.gt(share, f64x2.mul(f64x2.splat(SHIFT_SHARE_MAX), q));
  let m2 = f64x2.max(f64x2.sub(q, share), f64x2.splat(0));
  let mean = f64x2.add(shift, offset);
  let added = f64x2.sub(mean, shift);
  let rest = f64x2.add(f64x2.sub(shift, f64x2.sub(mean, added)), f64x2.sub(offset, added));
  const countAt = cell + COUNT * fieldBytes;
  const count = v128.load(countAt);
  const all = f64x2.add(count, n);
  const isFirst = f64x2.eq(count, f64x2.splat(0));
  if (v128.any_true(isFar) || v128.any_true(isFirst) != i64x2.all_true(isFirst)) return false;
  if (!v128.any_true(isFirst)) {
    const before = v128.load(cell + MEAN * fieldBytes);
    const beforeRest = v128.load(cell + MEAN_REST * fieldBytes);
    const weight = f64x2.div(n, all);
    const delta = f64x2.add(f64x2.sub(mean, before), f64x2.sub(rest, beforeRest));
    const moved = f64x2.mul(delta, weight);
    mean = f64x2.add(before, moved);
    added = f64x2.sub(mean, before);
    rest = f64x2.add(f64x2.sub(before, f64x2.sub(mean, added)), f64x2.sub(moved, added));
    rest = f64x2.add(beforeRest, rest);
    const between = f64x2.mul(f64x2.mul(delta, delta), f64x2.mul(count, weight));
    m2 = f64x2.add(f64x2.add(v128.load(cell + M2 * fieldBytes), m2), between);
  }
  if (!i64x2.all_true(v128.and(Finite.mask(m2), Finite.mask(mean)))) return false;
  v128.store(countAt, all);
  v128.store(cell + MEAN * fieldBytes, mean);
  v128.store(cell + MEAN_REST * fieldBytes, rest);
  v128.store(cell + M2 * fieldBytes, m2);
  if (sums) {
    Cell.addPairToSums(cell, fieldBytes, f64x2.mul(n, shift));
    Cell.addPairToSums(cell, fieldBytes, s);
  }
  return true;
}

/** Combines what a block added to a column with its cell. */
function keepColumn<T>(
  ptr: usize,
  step: usize,
  rows: usize,
  at: usize,
  cell: usize,
  fieldBytes: usize,
  omits: bool,
  sums: bool,
): void {
  const count = omits ? load<f64>(counts + at) : f64(rows);
  if (count == 0) return;
  const base = load<T>(shifts + at);
  let shift: f64 = Is.wide<T>() ? 0 : load<f64>(shifts + at);
  distance = load<f64>(distances + at);
  square = load<f64>(squares + at);
  if (sums) {
    // Exact: a float32 times less than 2 ** 14.
    Cell.addToSum(cell, fieldBytes, count * shift);
    Cell.addToSum(cell, fieldBytes, distance);
  }
  let offset = distance / count;
  if (distance * offset > SHIFT_SHARE_MAX * square && Is.finite(square)) {
    shift += offset;
    lookAgain<T>(ptr, step, rows, shift, base);
    offset = distance / count;
  }
  let m2 = square - distance * offset;
  if (m2 != m2) m2 = hasInfinity<T>(ptr, step, rows, omits) ? NaN : Infinity;
  let rest: f64 = 0;
  if (Is.wide<T>()) {
    offset += shift;
    const high = (isSigned<T>() ? f64(load<i32>(shifts + at, 4)) : f64(load<u32>(shifts + at, 4))) * 4294967296;
    const low = f64(load<u32>(shifts + at));
    shift = high + low;
    const added = shift - high;
    rest = high - (shift - added) + (low - added);
  }
  const mean = shift + offset;
  const added = mean - shift;
  rest += shift - (mean - added) + (offset - added);
  mergeMoments(cell, fieldBytes, count, mean, Is.finite(mean) ? rest : 0, max(m2, 0));
}

/** NaN are left out: where they are not, the squares are no number, and this is not called. */
function lookAgain<T>(ptr: usize, step: usize, rows: usize, shift: f64, base: T): void {
  distance = 0;
  square = 0;
  for (; rows > 0; rows--, ptr += step) {
    const x = load<T>(ptr);
    const d = (Is.wide<T>() ? Distance.wide<T>(x, base) : f64(x)) - shift;
    if (d != d) continue;
    distance += d;
    square += d * d;
  }
}

/** An infinite value makes squares NaN, and so does a NaN that is not left out; finite ones that overflow do not. */
function hasInfinity<T>(ptr: usize, step: usize, rows: usize, omits: bool): bool {
  for (; rows > 0; rows--, ptr += step) {
    const x = f64(load<T>(ptr));
    if (!Is.finite(x) && (x == x || !omits)) return true;
  }
  return false;
}

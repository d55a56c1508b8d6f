/**
 * Count, mean and squared distances from the mean of runs; with `Extremes` also those of floats in the same pass.
 * A block is summed in distances from a value near its mean, so that offsets cost no digits; where that value was far
 * off, the block is looked at again. Blocks are combined by Chan's formula. How elements are put into lanes depends on the
 * length of a run alone, never on the runs beside it.
 */
import { Cell, mergeMoments, SEEN } from '../cell-fields';
import { Lanes } from '../lanes';
import { Lines } from '../lines';
import { BLOCK, Is, Limit, Yes } from '../types';
import { Extremes as Kept, extremesRun } from './extremes';
import { numbersIn } from './numbers';

/** Of four stretches: the shift, twice, that distances are taken from; the sum of distances; that of their squares. */
const SHIFTS = memory.data(64, 16);
const DISTANCES = memory.data(32, 16);
const SQUARES = memory.data(32, 16);

/** Distances of the last block from its shift, their squares, and its extremes. */
let distances: f64 = 0;
let squares: f64 = 0;
let least: f64 = 0;
let most: f64 = 0;

/** The value that distances of 64-bit integers are taken from, in halves that fit a float64; the shift comes on top. */
let baseHigh: f64 = 0;
let baseLow: f64 = 0;

/** The last elements held NaN: the next ones are expected to. This decides about speed only. */
let expectsNan: bool = false;

/** Runs below this length are summed four runs at a time, longer ones in four quarters. */
const LONG: usize = 4096;
/** Values that the shift is taken from, among the first so many: reading further ahead would cost more than it saves. */
const SAMPLES: usize = 16;
const SAMPLES_SHORT: usize = 8;
const SAMPLED: usize = 256;
/** A mean that is so few (squared) standard deviations from zero costs no digits worth a shift. */
const NEAR: f64 = 16;
/** From this share of squares that the mean's distance makes up on, the block is looked at again. */
const SHIFT_SHARE_MAX: f64 = 63.0 / 64;

export function momentsOfRuns<T>(lines: Lines): void {
  if (lines.length == 0) return;
  // 64-bit integers are counted from a base that stretches of one run alone share.
  const isShort = !Is.wide<T>() && lines.length < LONG;
  if (isFloat<T>() && lines.omits) {
    if (isShort) shortRuns<T, Yes>(lines);
    else if (lines.extremes) longRuns<T, Yes, Yes>(lines);
    else longRuns<T, Yes, void>(lines);
  } else if (isShort) shortRuns<T, void>(lines);
  else if (isFloat<T>() && lines.extremes) longRuns<T, void, Yes>(lines);
  else longRuns<T, void, void>(lines);
}

/** Four runs at a time; the last one stands in where there are fewer. */
function shortRuns<T, Omit>(lines: Lines): void {
  const step = lines.step;
  const length = lines.length;
  const fieldBytes = lines.fieldBytes;
  let ptr = lines.ptr;
  let cell = lines.cells;
  for (let left = lines.count; left > 0;) {
    const taken = min<usize>(left, 4);
    let shifted = false;
    for (let i: usize = 0; i < 4; i++) {
      const shift = i < taken ? shiftOf<T>(ptr + i * step, length) : load<f64>(SHIFTS + (taken - 1) * 16);
      v128.store(SHIFTS + i * 16, f64x2.splat(shift));
      if (shift != 0) shifted = true;
    }
    const hasNan = sumStretches<T, Omit, void>(ptr, step, taken, length, shifted);
    let seen: usize = 0;
    for (let i: usize = 0; i < taken; i++, ptr += step, cell += lines.cellStep) {
      distances = load<f64>(DISTANCES + i * 8);
      squares = load<f64>(SQUARES + i * 8);
      const count = !isVoid<Omit>() && hasNan ? numbersIn<T>(ptr, length) : length;
      if (isFloat<T>() && lines.extremes) extremesRun<T>(ptr, length, cell, fieldBytes);
      keepBlock<T, Omit>(lines, ptr, length, cell, load<f64>(SHIFTS + i * 16), count);
      seen += count;
    }
    if (!isVoid<Omit>()) expectsNan = seen < taken * length;
    left -= taken;
  }
}

function longRuns<T, Omit, Extremes>(lines: Lines): void {
  let from = lines.ptr;
  let cell = lines.cells;
  for (let i = lines.count; i > 0; i--, from += lines.step, cell += lines.cellStep) {
    let ptr = from;
    for (let left = lines.length; left > 0;) {
      const n = min(left, BLOCK);
      const shift = shiftOf<T>(ptr, n);
      const hasNan = sumBlock<T, Omit, Extremes>(ptr, n, shift);
      const seen = isFloat<T>() && hasNan ? numbersIn<T>(ptr, n) : n;
      if (!isVoid<Omit>()) expectsNan = seen < n;
      if (!isVoid<Extremes>()) {
        Cell.add(cell, lines.fieldBytes, SEEN, f64(seen));
        Kept.keep(cell, lines.fieldBytes, least, most);
      }
      keepBlock<T, Omit>(lines, ptr, n, cell, shift, isVoid<Omit>() ? n : seen);
      ptr += n * sizeof<T>();
      left -= n;
    }
  }
}

/** Combines what is known of a block, or a short run, with its cell. `count` elements of `n` are behind the sums. */
function keepBlock<T, Omit>(lines: Lines, ptr: usize, n: usize, cell: usize, shift: f64, count: usize): void {
  if (count == 0) return;
  if (Is.single<T>() && lines.sums) {
    // Exact: a float32 times less than 2 ** 14. For other types the sum would be less than exact.
    Cell.addToSum(cell, lines.fieldBytes, f64(count) * shift);
    Cell.addToSum(cell, lines.fieldBytes, distances);
  }
  let offset = distances / f64(count);
  if (distances * offset > SHIFT_SHARE_MAX * squares && Is.finite(squares)) {
    shift += offset;
    sumBlock<T, Omit, void>(ptr, n, shift);
    offset = distances / f64(count);
  }
  const m2 = squaresOf<T, Omit>(ptr, n, offset);
  let rest: f64 = 0;
  if (Is.wide<T>()) {
    // The shift counts from a base of two halves.
    offset += shift;
    shift = baseHigh * 4294967296 + baseLow;
    const added = shift - baseLow;
    rest = baseLow - (shift - added) + (baseHigh * 4294967296 - added);
  }
  const mean = shift + offset;
  const added = mean - shift;
  rest += shift - (mean - added) + (offset - added);
  mergeMoments(cell, lines.fieldBytes, f64(count), mean, Is.finite(mean) ? rest : 0, m2);
}

/** Squares about the mean. NaN for a block with an infinite value, and infinite where finite ones overflow. */
function squaresOf<T, Omit>(ptr: usize, n: usize, offset: f64): f64 {
  const m2 = squares - distances * offset;
  if (m2 == m2) return max(m2, 0);
  for (let i: usize = 0; i < n; i++) {
    const x = f64(load<T>(ptr + i * sizeof<T>()));
    if (!Is.finite(x) && (isVoid<Omit>() || x == x)) return NaN;
  }
  return Infinity;
}

/**
 * A value near the mean, from a few that are not NaN: of float32 a float32, of integers an integer, so that distances
 * are exact; 0 where that is near enough.
 */
function shiftOf<T>(ptr: usize, n: usize): f64 {
  if (Is.wide<T>()) {
    const middle = ptr + (min(n, SAMPLED) >> 1) * 8;
    baseLow = f64(load<u32>(middle));
    baseHigh = isSigned<T>() ? f64(load<i32>(middle, 4)) : f64(load<u32>(middle, 4));
    return 0;
  }
  const samples = min(n, n < LONG ? SAMPLES_SHORT : SAMPLES);
  const stride = (min(n, SAMPLED) / samples) * sizeof<T>();
  let first: f64 = 0;
  let total: f64 = 0;
  let all: f64 = 0;
  let count: f64 = 0;
  for (let i: usize = 0; i < samples; i++, ptr += stride) {
    const x = f64(load<T>(ptr));
    if (x != x) continue;
    if (count == 0) first = x;
    const d = x - first;
    total += d;
    all += d * d;
    count += 1;
  }
  const mean = first + total / count;
  if (!Is.finite(mean)) return 0;
  const scatter = all - (total * total) / count;
  if (mean * mean <= (NEAR * scatter) / count) return 0;
  if (isInteger<T>()) return Math.floor(mean);
  return sizeof<T>() == 4 ? f64(f32(mean)) : mean;
}

/** Sums a block by its quarters. True where it may hold NaN. */
function sumBlock<T, Omit, Extremes>(ptr: usize, n: usize, shift: f64): bool {
  for (let i: usize = 0; i < 64; i += 16) v128.store(SHIFTS + i, f64x2.splat(shift));
  const quarter = n >> 2;
  const hasNan = sumStretches<T, Omit, Extremes>(ptr, quarter * sizeof<T>(), 4, quarter, shift != 0);
  for (let i = quarter << 2; i < n; i++) addOne<T, Omit, Extremes>(ptr + i * sizeof<T>(), 0);
  distances = load<f64>(DISTANCES) + load<f64>(DISTANCES, 8) + (load<f64>(DISTANCES, 16) + load<f64>(DISTANCES, 24));
  squares = load<f64>(SQUARES) + load<f64>(SQUARES, 8) + (load<f64>(SQUARES, 16) + load<f64>(SQUARES, 24));
  return hasNan || distances != distances;
}

/**
 * Sums four stretches of `n` elements, `apart` bytes from each other; of less than four, `taken`, the last stands in for
 * others. With `Omit`, NaN are left out: they show in the sums, and only then they are looked for. True where one may be.
 */
function sumStretches<T, Omit, Extremes>(ptr: usize, apart: usize, taken: usize, n: usize, shifted: bool): bool {
  const p1 = ptr + (taken > 1 ? apart : 0);
  const p2 = p1 + (taken > 2 ? apart : 0);
  const p3 = p2 + (taken > 3 ? apart : 0);
  if (isVoid<Omit>() || !expectsNan) {
    if (shifted) sumFour<T, void, Extremes, Yes>(ptr, p1, p2, p3, n);
    else sumFour<T, void, Extremes, void>(ptr, p1, p2, p3, n);
    const all = f64x2.add(v128.load(DISTANCES), v128.load(DISTANCES, 16));
    if (i64x2.all_true(f64x2.eq(all, all))) return false;
  }
  if (!isVoid<Omit>()) sumFour<T, Yes, Extremes, Yes>(ptr, p1, p2, p3, n);
  return true;
}

/** Four stretches, each in two lanes. Without `Shift`, all shifts are 0. */
function sumFour<T, Omit, Extremes, Shift>(p0: usize, p1: usize, p2: usize, p3: usize, n: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let q0 = s0;
  let q1 = s0;
  let q2 = s0;
  let q3 = s0;
  let min0 = v128.splat<T>(Limit.highest<T>());
  let min1 = min0;
  let max0 = v128.splat<T>(Limit.lowest<T>());
  let max1 = max0;
  const high = f64x2.splat(baseHigh);
  const low = f64x2.splat(baseLow);
  const half = 2 * sizeof<T>();
  for (const end = p0 + (n >> 2) * 2 * half; p0 < end; p0 += 2 * half, p1 += 2 * half, p2 += 2 * half, p3 += 2 * half) {
    if (!isVoid<Extremes>()) {
      const y = v128.load(p0);
      min0 = Four.min<T>(min0, y, p0);
      max0 = Four.max<T>(max0, y, p0);
    }
    let x = Distance.pair<T, void, Omit, Shift>(p0, high, low, 0);
    s0 = f64x2.add(s0, x);
    q0 = f64x2.add(q0, f64x2.mul(x, x));
    x = Distance.pair<T, Yes, Omit, Shift>(p0, high, low, 0);
    s0 = f64x2.add(s0, x);
    q0 = f64x2.add(q0, f64x2.mul(x, x));
    if (!isVoid<Extremes>()) {
      const y = v128.load(p1);
      min1 = Four.min<T>(min1, y, p1);
      max1 = Four.max<T>(max1, y, p1);
    }
    x = Distance.pair<T, void, Omit, Shift>(p1, high, low, 16);
    s1 = f64x2.add(s1, x);
    q1 = f64x2.add(q1, f64x2.mul(x, x));
    x = Distance.pair<T, Yes, Omit, Shift>(p1, high, low, 16);
    s1 = f64x2.add(s1, x);
    q1 = f64x2.add(q1, f64x2.mul(x, x));
    if (!isVoid<Extremes>()) {
      const y = v128.load(p2);
      min0 = Four.min<T>(min0, y, p2);
      max0 = Four.max<T>(max0, y, p2);
    }
    x = Distance.pair<T, void, Omit, Shift>(p2, high, low, 32);
    s2 = f64x2.add(s2, x);
    q2 = f64x2.add(q2, f64x2.mul(x, x));
    x = Distance.pair<T, Yes, Omit, Shift>(p2, high, low, 32);
    s2 = f64x2.add(s2, x);
    q2 = f64x2.add(q2, f64x2.mul(x, x));
    if (!isVoid<Extremes>()) {
      const y = v128.load(p3);
      min1 = Four.min<T>(min1, y, p3);
      max1 = Four.max<T>(max1, y, p3);
    }
    x = Distance.pair<T, void, Omit, Shift>(p3, high, low, 48);
    s3 = f64x2.add(s3, x);
    q3 = f64x2.add(q3, f64x2.mul(x, x));
    x = Distance.pair<T, Yes, Omit, Shift>(p3, high, low, 48);
    s3 = f64x2.add(s3, x);
    q3 = f64x2.add(q3, f64x2.mul(x, x));
  }
  v128.store(DISTANCES, Lanes.sums(s0, s1));
  v128.store(DISTANCES, Lanes.sums(s2, s3), 16);
  v128.store(SQUARES, Lanes.sums(q0, q1));
  v128.store(SQUARES, Lanes.sums(q2, q3), 16);
  if (!isVoid<Extremes>()) {
    min0 = Lanes.min<T>(min0, min1);
    max0 = Lanes.max<T>(max0, max1);
    least = Is.single<T>() ? f64(Lanes.least4(min0)) : Lanes.least2(min0);
    most = Is.single<T>() ? f64(Lanes.most4(max0)) : Lanes.most2(max0);
  }
  for (n &= 3; n > 0; n--, p0 += sizeof<T>(), p1 += sizeof<T>(), p2 += sizeof<T>(), p3 += sizeof<T>()) {
    addOne<T, Omit, Extremes>(p0, 0);
    addOne<T, Omit, Extremes>(p1, 8);
    addOne<T, Omit, Extremes>(p2, 16);
    addOne<T, Omit, Extremes>(p3, 24);
  }
}

class Four {
  /** The least, by lanes, of a vector and four floats, whose first vector is `x`. */
  @inline static min<T>(least: v128, x: v128, ptr: usize): v128 {
    if (sizeof<T>() == 4) return f32x4.pmin(least, x);
    return f64x2.pmin(f64x2.pmin(least, x), v128.load(ptr, 16));
  }

  @inline static max<T>(most: v128, x: v128, ptr: usize): v128 {
    if (sizeof<T>() == 4) return f32x4.pmax(most, x);
    return f64x2.pmax(f64x2.pmax(most, x), v128.load(ptr, 16));
  }
}

/** Adds an element to the sums of a stretch, which stand `at` bytes behind those of the first. */
function addOne<T, Omit, Extremes>(ptr: usize, at: usize): void {
  const x = Distance.one<T>(ptr);
  if (!isVoid<Extremes>()) {
    if (x < least) least = x;
    if (x > most) most = x;
  }
  const d = x - load<f64>(SHIFTS + 2 * at);
  if (!isVoid<Omit>() && d != d) return;
  store<f64>(DISTANCES + at, load<f64>(DISTANCES + at) + d);
  store<f64>(SQUARES + at, load<f64>(SQUARES + at) + d * d);
}

class Distance {
  /** Two elements as float64, from the shift `at` bytes behind the first; with `Omit`, zeros of NaN. */
  @inline static pair<T, Second, Omit, Shift>(ptr: usize, high: v128, low: v128, at: usize): v128 {
    let x = Is.wide<T>()
      ? Distance.wide<T>(v128.load(ptr, isVoid<Second>() ? 0 : 16), high, low)
      : Lanes.two<T, Second>(ptr);
    if (!isVoid<Shift>()) x = f64x2.sub(x, v128.load(SHIFTS + at));
    return isVoid<Omit>() ? x : v128.and(x, f64x2.eq(x, x));
  }

  /** Of 64-bit integers, from the base: the distances of their halves are exact. */
  @inline static wide<T>(x: v128, high: v128, low: v128): v128 {
    const d = f64x2.mul(f64x2.sub(Lanes.highs<T>(x), high), f64x2.splat(4294967296));
    return f64x2.add(d, f64x2.sub(Lanes.lows(x), low));
  }

  @inline static one<T>(ptr: usize): f64 {
    if (!Is.wide<T>()) return f64(load<T>(ptr));
    const high = isSigned<T>() ? f64(load<i32>(ptr, 4)) : f64(load<u32>(ptr, 4));
    return (high - baseHigh) * 4294967296 + (f64(load<u32>(ptr)) - baseLow);
  }
}

/**
 * Count, mean and squared distances from the mean of runs; with `Extremes` also those of floats in the same pass.
 * A block is summed in distances from a value near its mean, so that offsets cost no digits; where that value was far
 * off, the block is looked at again. Blocks are combined by Chan's formula.
 */
import { Cell, mergeMoments, SEEN } from '../cell-fields';
import { Lanes } from '../lanes';
import { BLOCK, Is, Yes } from '../types';
import { Extremes as Kept } from './extremes';

/** What the last block was found to hold: distances from the shift, their squares, and of what is not NaN its number and extremes. */
let distances: f64 = 0;
let squares: f64 = 0;
let seen: f64 = 0;
let least: f64 = 0;
let most: f64 = 0;

/** The value that distances of 64-bit integers are taken from, in halves that fit a float64; the shift comes on top. */
let baseHigh: f64 = 0;
let baseLow: f64 = 0;

/** The last block held NaN: the next one is expected to. This decides about speed only. */
let expectsNan: bool = false;

/** Values that the shift is taken from, among the first so many: reading further ahead would cost more than it saves. */
const SAMPLES: usize = 16;
const SAMPLED: usize = 256;
/** A mean that is so few (squared) standard deviations from zero costs no digits worth a shift. */
const NEAR: f64 = 16;
/** From this share of squares that the mean's distance makes up on, the block is looked at again. */
const SHIFT_SHARE_MAX: f64 = 63.0 / 64;

/** `adds`: the sum too is derived and added, which is exact enough for float32 alone. */
export function momentsRun<T, Omit, Extremes>(
  ptr: usize,
  length: usize,
  cell: usize,
  fieldBytes: usize,
  adds: bool,
): void {
  while (length > 0) {
    const n = min(length, BLOCK);
    momentsBlock<T, Omit, Extremes>(ptr, n, cell, fieldBytes, adds);
    ptr += n * sizeof<T>();
    length -= n;
  }
}

function momentsBlock<T, Omit, Extremes>(ptr: usize, n: usize, cell: usize, fieldBytes: usize, adds: bool): void {
  let shift = shiftOf<T>(ptr, n);
  lookAtBlock<T, Omit, Extremes>(ptr, n, shift);
  if (!isVoid<Extremes>()) {
    Cell.add(cell, fieldBytes, SEEN, seen);
    Kept.keep(cell, fieldBytes, least, most);
  }
  const count = isVoid<Omit>() ? f64(n) : seen;
  if (count == 0) return;
  if (adds) {
    // Exact: a float32 times less than 2 ** 14.
    Cell.addToSum(cell, fieldBytes, count * shift);
    Cell.addToSum(cell, fieldBytes, distances);
  }
  let offset = distances / count;
  if (distances * offset > SHIFT_SHARE_MAX * squares && Is.finite(squares)) {
    shift += offset;
    if (isVoid<Omit>() || !expectsNan) sumBlock<T, void, void, Yes>(ptr, n, shift);
    else sumBlock<T, Yes, void, Yes>(ptr, n, shift);
    offset = distances / count;
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
  mergeMoments(cell, fieldBytes, count, mean, Is.finite(mean) ? rest : 0, m2);
}

/** NaN shows in the distances: only then they are counted, or left out. */
function lookAtBlock<T, Omit, Extremes>(ptr: usize, n: usize, shift: f64): void {
  if (!isFloat<T>()) {
    sumBlock<T, void, void, Yes>(ptr, n, shift);
    return;
  }
  if (isVoid<Omit>() || !expectsNan) {
    if (shift == 0) sumBlock<T, void, Extremes, void>(ptr, n, shift);
    else sumBlock<T, void, Extremes, Yes>(ptr, n, shift);
    seen = f64(n);
    if ((isVoid<Omit>() && isVoid<Extremes>()) || distances == distances) return;
  }
  const plain = distances;
  sumBlock<T, Yes, Extremes, Yes>(ptr, n, shift);
  expectsNan = seen < f64(n);
  if (isVoid<Omit>()) distances = plain;
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
  const samples = min(n, SAMPLES);
  let total: f64 = 0;
  let count = 0;
  for (let i: usize = 0; i < samples; i++) {
    const x = f64(load<T>(ptr + ((i * min(n, SAMPLED)) / samples) * sizeof<T>()));
    if (x != x) continue;
    total += x;
    count++;
  }
  const mean = total / f64(count);
  if (!Is.finite(mean)) return 0;
  let scatter: f64 = 0;
  for (let i: usize = 0; i < samples; i++) {
    const d = f64(load<T>(ptr + ((i * min(n, SAMPLED)) / samples) * sizeof<T>())) - mean;
    if (d == d) scatter += d * d;
  }
  if (mean * mean <= (NEAR * scatter) / f64(count)) return 0;
  if (isInteger<T>()) return Math.floor(mean);
  return sizeof<T>() == 4 ? f64(f32(mean)) : mean;
}

/** Fills the numbers above. With `Omit`, NaN are left out and counted; without `Shift`, it must be 0. */
function sumBlock<T, Omit, Extremes, Shift>(ptr: usize, n: usize, shift: f64): void {
  if (isFloat<T>()) {
    if (sizeof<T>() == 4) sumBlockF32<Omit, Extremes, Shift>(ptr, n, shift);
    else sumBlockF64<Omit, Extremes, Shift>(ptr, n, shift);
  } else if (Is.wide<T>()) sumBlockWide<T>(ptr, n, shift);
  else sumBlockInteger<T>(ptr, n, shift);
}

/*
 * Element i is added in lane i modulo four. More lanes would need more registers than there are, which costs twice the
 * time.
 */

function sumBlockF32<Omit, Extremes, Shift>(ptr: usize, n: usize, shift: f64): void {
  const at = f64x2.splat(shift);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let q0 = s0;
  let q1 = s0;
  let counts = s0;
  let mins = f32x4.splat(Infinity);
  let maxs = f32x4.splat(-Infinity);
  const body = n & ~3;
  for (const end = ptr + (body << 2); ptr < end; ptr += 16) {
    if (!isVoid<Extremes>()) {
      const x = v128.load(ptr);
      mins = f32x4.pmin(mins, x);
      maxs = f32x4.pmax(maxs, x);
    }
    let d = f64x2.promote_low_f32x4(v128.load64_zero(ptr));
    if (!isVoid<Shift>()) d = f64x2.sub(d, at);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(d, d);
      counts = i64x2.sub(counts, is);
      d = v128.and(d, is);
    }
    s0 = f64x2.add(s0, d);
    q0 = f64x2.add(q0, f64x2.mul(d, d));
    d = f64x2.promote_low_f32x4(v128.load64_zero(ptr, 8));
    if (!isVoid<Shift>()) d = f64x2.sub(d, at);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(d, d);
      counts = i64x2.sub(counts, is);
      d = v128.and(d, is);
    }
    s1 = f64x2.add(s1, d);
    q1 = f64x2.add(q1, f64x2.mul(d, d));
  }
  if (!isVoid<Omit>()) seen = f64(Lanes.sumIntegers(counts));
  if (!isVoid<Extremes>()) {
    least = f64(Lanes.least4(mins));
    most = f64(Lanes.most4(maxs));
  }
  distances = Lanes.sum(f64x2.add(s0, s1));
  squares = Lanes.sum(f64x2.add(q0, q1));
  addTail<f32, Omit, Extremes>(ptr, n - body, shift);
}

function sumBlockF64<Omit, Extremes, Shift>(ptr: usize, n: usize, shift: f64): void {
  const at = f64x2.splat(shift);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let q0 = s0;
  let q1 = s0;
  let counts = s0;
  let mins = f64x2.splat(Infinity);
  let maxs = f64x2.splat(-Infinity);
  const body = n & ~3;
  for (const end = ptr + (body << 3); ptr < end; ptr += 32) {
    const x = v128.load(ptr);
    const y = v128.load(ptr, 16);
    if (!isVoid<Extremes>()) {
      mins = f64x2.pmin(f64x2.pmin(mins, x), y);
      maxs = f64x2.pmax(f64x2.pmax(maxs, x), y);
    }
    let d = isVoid<Shift>() ? x : f64x2.sub(x, at);
    let e = isVoid<Shift>() ? y : f64x2.sub(y, at);
    if (!isVoid<Omit>()) {
      const isX = f64x2.eq(x, x);
      const isY = f64x2.eq(y, y);
      counts = i64x2.sub(i64x2.sub(counts, isX), isY);
      d = v128.and(d, isX);
      e = v128.and(e, isY);
    }
    s0 = f64x2.add(s0, d);
    q0 = f64x2.add(q0, f64x2.mul(d, d));
    s1 = f64x2.add(s1, e);
    q1 = f64x2.add(q1, f64x2.mul(e, e));
  }
  if (!isVoid<Omit>()) seen = f64(Lanes.sumIntegers(counts));
  if (!isVoid<Extremes>()) {
    least = Lanes.least2(mins);
    most = Lanes.most2(maxs);
  }
  distances = Lanes.sum(f64x2.add(s0, s1));
  squares = Lanes.sum(f64x2.add(q0, q1));
  addTail<f64, Omit, Extremes>(ptr, n - body, shift);
}

/** Integers of less than 64 bits. */
function sumBlockInteger<T>(ptr: usize, n: usize, shift: f64): void {
  const at = f64x2.splat(shift);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let q0 = s0;
  let q1 = s0;
  const body = n & ~3;
  for (const end = ptr + body * sizeof<T>(); ptr < end; ptr += 4 * sizeof<T>()) {
    const x = Lanes.four<T>(ptr);
    let d = f64x2.sub(Lanes.convert<T>(x), at);
    s0 = f64x2.add(s0, d);
    q0 = f64x2.add(q0, f64x2.mul(d, d));
    d = f64x2.sub(Lanes.convert<T>(Lanes.high(x)), at);
    s1 = f64x2.add(s1, d);
    q1 = f64x2.add(q1, f64x2.mul(d, d));
  }
  distances = Lanes.sum(f64x2.add(s0, s1));
  squares = Lanes.sum(f64x2.add(q0, q1));
  addTail<T, void, void>(ptr, n - body, shift);
}

/** 64-bit integers: the distances of their halves are exact, so that theirs are rounded once. */
function sumBlockWide<T>(ptr: usize, n: usize, shift: f64): void {
  const at = f64x2.splat(shift);
  const high = f64x2.splat(baseHigh);
  const low = f64x2.splat(baseLow);
  const unit = f64x2.splat(4294967296);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let q0 = s0;
  let q1 = s0;
  const body = n & ~3;
  for (const end = ptr + (body << 3); ptr < end; ptr += 32) {
    const x = v128.load(ptr);
    const y = v128.load(ptr, 16);
    const lows = v128.shuffle<i32>(x, y, 0, 2, 4, 6);
    const highs = v128.shuffle<i32>(x, y, 1, 3, 5, 7);
    let d = f64x2.sub(isSigned<T>() ? f64x2.convert_low_i32x4_s(highs) : f64x2.convert_low_i32x4_u(highs), high);
    d = f64x2.add(f64x2.mul(d, unit), f64x2.sub(f64x2.convert_low_i32x4_u(lows), low));
    d = f64x2.sub(d, at);
    s0 = f64x2.add(s0, d);
    q0 = f64x2.add(q0, f64x2.mul(d, d));
    const rest = Lanes.high(highs);
    d = f64x2.sub(isSigned<T>() ? f64x2.convert_low_i32x4_s(rest) : f64x2.convert_low_i32x4_u(rest), high);
    d = f64x2.add(f64x2.mul(d, unit), f64x2.sub(f64x2.convert_low_i32x4_u(Lanes.high(lows)), low));
    d = f64x2.sub(d, at);
    s1 = f64x2.add(s1, d);
    q1 = f64x2.add(q1, f64x2.mul(d, d));
  }
  distances = Lanes.sum(f64x2.add(s0, s1));
  squares = Lanes.sum(f64x2.add(q0, q1));
  for (let i = body; i < n; i++, ptr += 8) {
    const d = Wide.distance<T>(ptr) - shift;
    distances += d;
    squares += d * d;
  }
}

class Wide {
  @inline static distance<T>(ptr: usize): f64 {
    const high = isSigned<T>() ? f64(load<i32>(ptr, 4)) : f64(load<u32>(ptr, 4));
    return (high - baseHigh) * 4294967296 + (f64(load<u32>(ptr)) - baseLow);
  }
}

/** At most three elements behind the last whole vector, one after the other. */
function addTail<T, Omit, Extremes>(ptr: usize, n: usize, shift: f64): void {
  for (let i: usize = 0; i < n; i++, ptr += sizeof<T>()) {
    const x = f64(load<T>(ptr));
    if (!isVoid<Extremes>()) {
      if (x < least) least = x;
      if (x > most) most = x;
    }
    if (!isVoid<Omit>()) {
      if (x != x) continue;
      seen += 1;
    }
    const d = x - shift;
    distances += d;
    squares += d * d;
  }
}

/** Bytes of a file → native numbers, packed; and what kernels found → float64. */

/** Any byte but zero becomes 1. `from` and `to` may be the same, but must not overlap otherwise. */
export function boolsToBytes(from: usize, to: usize, count: usize): void {
  const one = i8x16.splat(1);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) v128.store(to + i, i8x16.min_u(v128.load(from + i), one));
  for (; i < count; i++) store<u8>(to + i, u8(load<u8>(from + i) != 0));
}

/** Reverses the bytes of every item of 2, 4 or 8 bytes, in place. */
export function swapBytes(ptr: usize, count: usize, itemsize: usize): void {
  const end = ptr + count * itemsize;
  if (itemsize == 2) {
    for (; ptr + 16 <= end; ptr += 16) {
      const x = v128.load(ptr);
      v128.store(ptr, v128.shuffle<i8>(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
    }
    for (; ptr < end; ptr += 2) store<u16>(ptr, bswap(load<u16>(ptr)));
  } else if (itemsize == 4) {
    for (; ptr + 16 <= end; ptr += 16) {
      const x = v128.load(ptr);
      v128.store(ptr, v128.shuffle<i8>(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    }
    for (; ptr < end; ptr += 4) store<u32>(ptr, bswap(load<u32>(ptr)));
  } else {
    for (; ptr + 16 <= end; ptr += 16) {
      const x = v128.load(ptr);
      v128.store(ptr, v128.shuffle<i8>(x, x, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
    }
    for (; ptr < end; ptr += 8) store<u64>(ptr, bswap(load<u64>(ptr)));
  }
}

const HALF_SIGN = memory.data<u32>([0x8000, 0x8000, 0x8000, 0x8000], 16);
const HALF_REST = memory.data<u32>([0x7fff, 0x7fff, 0x7fff, 0x7fff], 16);
/** From here on a half is infinite or NaN, once its exponent stands where that of a float32 does. */
const HALF_SPECIAL = memory.data<i32>([0xf7fffff, 0xf7fffff, 0xf7fffff, 0xf7fffff], 16);
const FLOAT_SPECIAL = memory.data<u32>([0x7f800000, 0x7f800000, 0x7f800000, 0x7f800000], 16);
/** 2 ** 112, the distance between the biases of both exponents. */
const BIAS = memory.data<u32>([0x77800000, 0x77800000, 0x77800000, 0x77800000], 16);

/** float16 → float32, exact. `to` may be `from` less 2 * count bytes, or apart. */
export function halvesToFloats(from: usize, to: usize, count: usize): void {
  const signs = v128.load(HALF_SIGN);
  const rests = v128.load(HALF_REST);
  const special = v128.load(HALF_SPECIAL);
  const infinite = v128.load(FLOAT_SPECIAL);
  const bias = v128.load(BIAS);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const x = v128.load16x4_u(from + i * 2);
    const bits = i32x4.shl(v128.and(x, rests), 13);
    const value = v128.or(f32x4.mul(bits, bias), v128.and(i32x4.gt_s(bits, special), infinite));
    v128.store(to + i * 4, v128.or(value, i32x4.shl(v128.and(x, signs), 16)));
  }
  for (; i < count; i++) {
    const x = u32(load<u16>(from + i * 2));
    const bits = (x & 0x7fff) << 13;
    let value = reinterpret<u32>(reinterpret<f32>(bits) * reinterpret<f32>(0x77800000));
    if (bits > 0xf7fffff) value |= 0x7f800000;
    store<u32>(to + i * 4, value | ((x & 0x8000) << 16));
  }
}

function packOf<T>(from: usize, rowStep: usize, rows: usize, step: usize, count: usize, to: usize): void {
  for (; rows > 0; rows--, from += rowStep) {
    for (let i: usize = 0, at = from; i < count; i++, at += step, to += sizeof<T>()) store<T>(to, load<T>(at));
  }
}

/** `rows` rows of `count` items of 1, 2, 4, 8 or 16 bytes, `step` bytes apart, the rows `rowStep` bytes apart → one after the other. */
export function packItems(
  itemsize: i32,
  from: usize,
  rowStep: usize,
  rows: usize,
  step: usize,
  count: usize,
  to: usize,
): void {
  if (itemsize == 1) packOf<u8>(from, rowStep, rows, step, count, to);
  else if (itemsize == 2) packOf<u16>(from, rowStep, rows, step, count, to);
  else if (itemsize == 4) packOf<u32>(from, rowStep, rows, step, count, to);
  else if (itemsize == 8) packOf<u64>(from, rowStep, rows, step, count, to);
  else packOf<v128>(from, rowStep, rows, step, count, to);
}

/** Rows that are packed before the next ones: their cache lines and pages are at hand for each of their columns. */
const ROWS_AT_HAND: usize = 64;

/**
 * One item of each of `columns` columns of `rows` rows, `rowStep` bytes apart → packed columns. `table` has of each column
 * the address of its first item, the bytes of an item (1, 2, 4 or 8), and where it goes (u32 each).
 */
export function packColumns(table: usize, columns: usize, rowStep: usize, rows: usize): void {
  for (let first = packQuarters(table, columns, rowStep, rows); first < rows; first += ROWS_AT_HAND) {
    const count = min<usize>(ROWS_AT_HAND, rows - first);
    for (let entry = table; entry < table + columns * 12; entry += 12) {
      const itemsize = usize(load<u32>(entry, 4));
      const from = usize(load<u32>(entry)) + first * rowStep;
      packItems(i32(itemsize), from, 0, 1, rowStep, count, usize(load<u32>(entry, 8)) + first * itemsize);
    }
  }
}

/**
 * Columns of 4 bytes that stand in 16 bytes of a row are turned four rows at a time: each row is one load. Answers how many
 * rows are done: none of other columns, and not the last ones, behind which no bytes may be.
 */
function packQuarters(table: usize, columns: usize, rowStep: usize, rows: usize): usize {
  const end = table + columns * 12;
  if (columns === 0) return 0;
  let from: usize = usize.MAX_VALUE;
  for (let entry = table; entry < end; entry += 12) from = min<usize>(from, usize(load<u32>(entry)));
  /** Where each quarter of the 16 bytes goes; 0: nowhere. */
  let a: usize = 0;
  let b: usize = 0;
  let c: usize = 0;
  let d: usize = 0;
  for (let entry = table; entry < end; entry += 12) {
    const distance = usize(load<u32>(entry)) - from;
    const to = usize(load<u32>(entry, 8));
    if (load<u32>(entry, 4) !== 4) return 0;
    if (distance === 0 && a === 0) a = to;
    else if (distance === 4 && b === 0) b = to;
    else if (distance === 8 && c === 0) c = to;
    else if (distance === 12 && d === 0) d = to;
    else return 0;
  }
  let row: usize = 0;
  for (; row + 4 < rows; row += 4, from += 4 * rowStep) {
    const first = v128.load(from);
    const second = v128.load(from + rowStep);
    const third = v128.load(from + 2 * rowStep);
    const fourth = v128.load(from + 3 * rowStep);
    const front = v128.shuffle<i32>(first, second, 0, 4, 1, 5);
    const back = v128.shuffle<i32>(third, fourth, 0, 4, 1, 5);
    if (a) v128.store(a + row * 4, v128.shuffle<i64>(front, back, 0, 2));
    if (b) v128.store(b + row * 4, v128.shuffle<i64>(front, back, 1, 3));
    const frontRest = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
    const backRest = v128.shuffle<i32>(third, fourth, 2, 6, 3, 7);
    if (c) v128.store(c + row * 4, v128.shuffle<i64>(frontRest, backRest, 0, 2));
    if (d) v128.store(d + row * 4, v128.shuffle<i64>(frontRest, backRest, 1, 3));
  }
  return row;
}

/**
 * int64 whose least number means that there is none (NaT) → uint64 in the same order. Numbers are those of their sort keys,
 * from 1 on, and NaT is 0; or, where it is to come last, they are one less, and NaT is the largest.
 */
export function timesToKeys(from: usize, count: usize, isLast: i32, to: usize): void {
  const less: i64 = isLast ? 1 : 0;
  const sign = i64x2.splat(i64.MIN_VALUE);
  const lesses = i64x2.splat(less);
  let i: usize = 0;
  for (; i + 2 <= count; i += 2) {
    v128.store(to + i * 8, i64x2.sub(v128.xor(v128.load(from + i * 8), sign), lesses));
  }
  if (i < count) store<i64>(to + i * 8, (load<i64>(from + i * 8) ^ i64.MIN_VALUE) - less);
}

/** The same → float64: the high halves, or the low ones, and NaN for NaT. */
export function timesToHalves(from: usize, count: usize, isLow: i32, to: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const value = load<i64>(from + i * 8);
    const half = isLow ? f64(u32(value)) : f64(i32(value >> 32));
    store<f64>(to + i * 8, value == i64.MIN_VALUE ? NaN : half);
  }
}

/** Which numbers `complexParts` makes of complex ones: real parts, imaginary parts, or how large they are. */
const REAL: i32 = 0;
const IMAGINARY: i32 = 1;

/**
 * Complex numbers of two floats of `itemsize` bytes → one float of each: a part of it, or the sum of their magnitudes,
 * which is zero, or NaN, where the number is. Where `spreads`, a part is NaN as soon as the other one is.
 */
export function complexParts(itemsize: i32, from: usize, count: usize, part: i32, spreads: i32, to: usize): void {
  if (itemsize == 4) partsOf<f32>(from, count, part, spreads, to);
  else partsOf<f64>(from, count, part, spreads, to);
}

/** The real, and the imaginary, parts of what two vectors hold. */
class Parts {
  @inline static even<T>(a: v128, b: v128): v128 {
    return sizeof<T>() == 4 ? v128.shuffle<f32>(a, b, 0, 2, 4, 6) : v128.shuffle<f64>(a, b, 0, 2);
  }

  @inline static odd<T>(a: v128, b: v128): v128 {
    return sizeof<T>() == 4 ? v128.shuffle<f32>(a, b, 1, 3, 5, 7) : v128.shuffle<f64>(a, b, 1, 3);
  }
}

function partsOf<T>(from: usize, count: usize, part: i32, spreads: i32, to: usize): void {
  const end = to + count * sizeof<T>();
  if (part != REAL && part != IMAGINARY) {
    for (; to < end; to += sizeof<T>(), from += 2 * sizeof<T>()) {
      store<T>(to, abs<T>(load<T>(from)) + abs<T>(load<T>(from + sizeof<T>())));
    }
    return;
  }
  for (; to + 16 <= end; to += 16, from += 32) {
    const first = v128.load(from);
    const second = v128.load(from, 16);
    const real = Parts.even<T>(first, second);
    const imaginary = Parts.odd<T>(first, second);
    const value = part == REAL ? real : imaginary;
    const beside = part == REAL ? imaginary : real;
    v128.store(to, spreads ? v128.bitselect(value, beside, v128.eq<T>(beside, beside)) : value);
  }
  const own: usize = part == REAL ? 0 : sizeof<T>();
  const other = sizeof<T>() - own;
  for (; to < end; to += sizeof<T>(), from += 2 * sizeof<T>()) {
    const value = load<T>(from + own);
    const beside = load<T>(from + other);
    store<T>(to, spreads && beside != beside ? beside : value);
  }
}

/** int64 below 2 ** 62 → the nearest float64, and what that left out. */
export function integersToPairs(from: usize, count: usize, values: usize, rests: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const integer = load<i64>(from + i * 8);
    const value = f64(integer);
    store<f64>(rests + i * 8, f64(integer - i64(value)));
    store<f64>(values + i * 8, value);
  }
}

/** 64-bit integers → their high halves, with their sign where they have one, and their low halves. `highs` may be `from`. */
export function integersToHalves(signed: i32, from: usize, count: usize, highs: usize, lows: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const low = load<u32>(from + i * 8);
    const high = load<u32>(from + i * 8, 4);
    store<f64>(highs + i * 8, signed ? f64(i32(high)) : f64(high));
    store<f64>(lows + i * 8, f64(low));
  }
}

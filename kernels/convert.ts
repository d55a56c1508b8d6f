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

/** `rows` rows of `count` items of 1, 2, 4 or 8 bytes, `step` bytes apart, the rows `rowStep` bytes apart → one after the other. */
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
  else packOf<u64>(from, rowStep, rows, step, count, to);
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

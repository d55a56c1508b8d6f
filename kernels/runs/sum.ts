/** Sums of runs. Element i of a block is added in a lane of its own, given by i modulo the number of lanes. */
import { Cell, SUM, SUM_COUNT, SUM_REST } from '../cell-fields';
import { Lanes } from '../lanes';
import { BLOCK, Yes } from '../types';

/** float32: plain in 16 lanes of float64 within a block, compensated between blocks. */
export function sumRunF32(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  while (length > 0) {
    const n = min(length, BLOCK);
    Cell.addToSum(cell, fieldBytes, sumBlockF32(ptr, n));
    ptr += n << 2;
    length -= n;
  }
}

function sumBlockF32(ptr: usize, n: usize): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let e = a;
  let f = a;
  let g = a;
  let h = a;
  for (const end = ptr + ((n & ~15) << 2); ptr < end; ptr += 64) {
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(ptr)));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 8)));
    c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 16)));
    d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 24)));
    e = f64x2.add(e, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 32)));
    f = f64x2.add(f, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 40)));
    g = f64x2.add(g, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 48)));
    h = f64x2.add(h, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 56)));
  }
  let left = n & 15;
  for (; left >= 2; left -= 2, ptr += 8) a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(ptr)));
  if (left > 0) a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load32_zero(ptr)));
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  e = f64x2.add(f64x2.add(e, f), f64x2.add(g, h));
  return Lanes.sum(f64x2.add(a, e));
}

/** The same without NaN, which are added as zeros. */
export function sumRunF32Omit(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  while (length > 0) {
    const n = min(length, BLOCK);
    // NaN show in the sum: only then they are looked for.
    let sum = expectsNan ? NaN : sumBlockF32(ptr, n);
    seen = i32(n);
    if (sum != sum) {
      sum = sumBlockF32Omit(ptr, n);
      expectsNan = seen < i32(n);
    }
    Cell.addToSum(cell, fieldBytes, sum);
    Cell.add(cell, fieldBytes, SUM_COUNT, f64(seen));
    ptr += n << 2;
    length -= n;
  }
}

/** Elements of the last block that were not NaN. */
let seen: i32 = 0;

/** The last block held NaN: the next one is expected to. This decides about speed only. */
let expectsNan: bool = false;

function sumBlockF32Omit(ptr: usize, n: usize): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let e = a;
  let f = a;
  let g = a;
  let h = a;
  let counts = i32x4.splat(0);
  for (const end = ptr + ((n & ~15) << 2); ptr < end; ptr += 64) {
    let x = v128.load(ptr);
    let is = f32x4.eq(x, x);
    counts = i32x4.sub(counts, is);
    x = v128.and(x, is);
    a = f64x2.add(a, f64x2.promote_low_f32x4(x));
    b = f64x2.add(b, f64x2.promote_low_f32x4(Lanes.high(x)));
    x = v128.load(ptr, 16);
    is = f32x4.eq(x, x);
    counts = i32x4.sub(counts, is);
    x = v128.and(x, is);
    c = f64x2.add(c, f64x2.promote_low_f32x4(x));
    d = f64x2.add(d, f64x2.promote_low_f32x4(Lanes.high(x)));
    x = v128.load(ptr, 32);
    is = f32x4.eq(x, x);
    counts = i32x4.sub(counts, is);
    x = v128.and(x, is);
    e = f64x2.add(e, f64x2.promote_low_f32x4(x));
    f = f64x2.add(f, f64x2.promote_low_f32x4(Lanes.high(x)));
    x = v128.load(ptr, 48);
    is = f32x4.eq(x, x);
    counts = i32x4.sub(counts, is);
    x = v128.and(x, is);
    g = f64x2.add(g, f64x2.promote_low_f32x4(x));
    h = f64x2.add(h, f64x2.promote_low_f32x4(Lanes.high(x)));
  }
  seen = Lanes.sumCounts(counts);
  let left = n & 15;
  for (; left >= 2; left -= 2, ptr += 8) {
    const x = v128.load64_zero(ptr);
    const is = f32x4.eq(x, x);
    seen -= i32x4.extract_lane(is, 0) + i32x4.extract_lane(is, 1);
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.and(x, is)));
  }
  if (left > 0) {
    const x = v128.load32_zero(ptr);
    const is = f32x4.eq(x, x);
    seen -= i32x4.extract_lane(is, 0);
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.and(x, is)));
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  e = f64x2.add(f64x2.add(e, f), f64x2.add(g, h));
  return Lanes.sum(f64x2.add(a, e));
}

/** Runs of float64 below this length are summed in two lanes: joining eight would take longer than they save. */
const SHORT: usize = 64;

/** The same as below without NaN, which show in the sum: only then they are looked for. */
export function sumRunF64Omit(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  const sum = load<f64>(cell + SUM * fieldBytes);
  const rest = load<f64>(cell + SUM_REST * fieldBytes);
  if (!expectsNan) {
    sumRunF64<void>(ptr, length, cell, fieldBytes);
    const all = load<f64>(cell + SUM * fieldBytes);
    if (all == all) {
      Cell.add(cell, fieldBytes, SUM_COUNT, f64(length));
      return;
    }
    store<f64>(cell + SUM * fieldBytes, sum);
    store<f64>(cell + SUM_REST * fieldBytes, rest);
  }
  const count = load<f64>(cell + SUM_COUNT * fieldBytes);
  sumRunF64<Yes>(ptr, length, cell, fieldBytes);
  expectsNan = load<f64>(cell + SUM_COUNT * fieldBytes) - count < f64(length);
}

/** float64: every addition is compensated, in eight lanes. With `Omit`, NaN are added as zeros. */
export function sumRunF64<Omit>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let r0 = s0;
  let r1 = s0;
  let r2 = s0;
  let r3 = s0;
  let counts = i64x2.splat(0);
  const body = length < SHORT ? <usize>0 : length & ~7;
  for (const end = ptr + (body << 3); ptr < end; ptr += 64) {
    let x = v128.load(ptr);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      counts = i64x2.sub(counts, is);
      x = v128.and(x, is);
    }
    let t = f64x2.add(s0, x);
    let added = f64x2.sub(t, s0);
    r0 = f64x2.add(r0, f64x2.add(f64x2.sub(s0, f64x2.sub(t, added)), f64x2.sub(x, added)));
    s0 = t;
    x = v128.load(ptr, 16);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      counts = i64x2.sub(counts, is);
      x = v128.and(x, is);
    }
    t = f64x2.add(s1, x);
    added = f64x2.sub(t, s1);
    r1 = f64x2.add(r1, f64x2.add(f64x2.sub(s1, f64x2.sub(t, added)), f64x2.sub(x, added)));
    s1 = t;
    x = v128.load(ptr, 32);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      counts = i64x2.sub(counts, is);
      x = v128.and(x, is);
    }
    t = f64x2.add(s2, x);
    added = f64x2.sub(t, s2);
    r2 = f64x2.add(r2, f64x2.add(f64x2.sub(s2, f64x2.sub(t, added)), f64x2.sub(x, added)));
    s2 = t;
    x = v128.load(ptr, 48);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      counts = i64x2.sub(counts, is);
      x = v128.and(x, is);
    }
    t = f64x2.add(s3, x);
    added = f64x2.sub(t, s3);
    r3 = f64x2.add(r3, f64x2.add(f64x2.sub(s3, f64x2.sub(t, added)), f64x2.sub(x, added)));
    s3 = t;
  }
  for (let left = length - body; left > 0; left -= min(left, 2), ptr += 16) {
    let x = left > 1 ? v128.load(ptr) : v128.load64_zero(ptr);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      // The lane behind the end is a zero, which is not counted.
      counts = i64x2.sub(counts, left > 1 ? is : v128.and(is, i64x2(-1, 0)));
      x = v128.and(x, is);
    }
    const t = f64x2.add(s0, x);
    const added = f64x2.sub(t, s0);
    r0 = f64x2.add(r0, f64x2.add(f64x2.sub(s0, f64x2.sub(t, added)), f64x2.sub(x, added)));
    s0 = t;
  }
  addLanes(cell, fieldBytes, s0, r0);
  if (body > 0) {
    addLanes(cell, fieldBytes, s1, r1);
    addLanes(cell, fieldBytes, s2, r2);
    addLanes(cell, fieldBytes, s3, r3);
  }
  if (!isVoid<Omit>()) Cell.add(cell, fieldBytes, SUM_COUNT, f64(Lanes.sumIntegers(counts)));
}

function addLanes(cell: usize, fieldBytes: usize, sums: v128, rests: v128): void {
  Cell.addToSum(cell, fieldBytes, f64x2.extract_lane(sums, 0));
  Cell.addToSum(cell, fieldBytes, f64x2.extract_lane(sums, 1));
  Cell.add(cell, fieldBytes, SUM_REST, Lanes.sum(rests));
}

/** Elements of 8 and 16 bits whose sums fit the 32-bit lanes they are taken in. */
const NARROW_BLOCK: usize = 65536;

export function sumRunNarrow<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  let total: i64 = 0;
  while (length > 0) {
    const n = min(length, NARROW_BLOCK);
    total += sumBlockNarrow<T>(ptr, n);
    ptr += n * sizeof<T>();
    length -= n;
  }
  Cell.addInteger(cell, fieldBytes, SUM, total);
}

function sumBlockNarrow<T>(ptr: usize, n: usize): i64 {
  let a = i32x4.splat(0);
  let b = a;
  const step: usize = 32 / sizeof<T>();
  let left = n;
  for (; left >= step; left -= step, ptr += 32) {
    if (sizeof<T>() == 1) {
      if (isSigned<T>()) {
        a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(ptr))));
        b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(ptr, 16))));
      } else {
        a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v128.load(ptr))));
        b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v128.load(ptr, 16))));
      }
    } else if (isSigned<T>()) {
      a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_s(v128.load(ptr)));
      b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_s(v128.load(ptr, 16)));
    } else {
      a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(v128.load(ptr)));
      b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_u(v128.load(ptr, 16)));
    }
  }
  let total = Lanes.sumIntegers(
    isSigned<T>()
      ? i64x2.add(i64x2.extend_low_i32x4_s(i32x4.add(a, b)), i64x2.extend_high_i32x4_s(i32x4.add(a, b)))
      : i64x2.add(i64x2.extend_low_i32x4_u(i32x4.add(a, b)), i64x2.extend_high_i32x4_u(i32x4.add(a, b))),
  );
  for (; left > 0; left--, ptr += sizeof<T>()) total += i64(load<T>(ptr));
  return total;
}

export function sumRun32<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  let a = i64x2.splat(0);
  let b = a;
  let left = length;
  for (; left >= 8; left -= 8, ptr += 32) {
    const x = v128.load(ptr);
    const y = v128.load(ptr, 16);
    if (isSigned<T>()) {
      a = i64x2.add(a, i64x2.add(i64x2.extend_low_i32x4_s(x), i64x2.extend_high_i32x4_s(x)));
      b = i64x2.add(b, i64x2.add(i64x2.extend_low_i32x4_s(y), i64x2.extend_high_i32x4_s(y)));
    } else {
      a = i64x2.add(a, i64x2.add(i64x2.extend_low_i32x4_u(x), i64x2.extend_high_i32x4_u(x)));
      b = i64x2.add(b, i64x2.add(i64x2.extend_low_i32x4_u(y), i64x2.extend_high_i32x4_u(y)));
    }
  }
  let total = Lanes.sumIntegers(i64x2.add(a, b));
  for (; left > 0; left--, ptr += 4) total += i64(load<T>(ptr));
  Cell.addInteger(cell, fieldBytes, SUM, total);
}

const SIGN_64 = memory.data<u64>([0x8000000000000000, 0x8000000000000000], 16);
const LOW_32 = memory.data<u64>([0xffffffff, 0xffffffff], 16);

/** 64-bit integers: their low halves and their high halves by themselves, exact for 2 ** 31 elements. */
export function sumRun64<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  const sign = v128.load(SIGN_64);
  const mask = v128.load(LOW_32);
  let low0 = i64x2.splat(0);
  let low1 = low0;
  let high0 = low0;
  let high1 = low0;
  let left = length;
  for (; left >= 4; left -= 4, ptr += 32) {
    let x = v128.load(ptr);
    let y = v128.load(ptr, 16);
    // There is a fast shift for unsigned numbers only: signed ones are summed with 2 ** 63 more.
    if (isSigned<T>()) {
      x = v128.xor(x, sign);
      y = v128.xor(y, sign);
    }
    low0 = i64x2.add(low0, v128.and(x, mask));
    high0 = i64x2.add(high0, i64x2.shr_u(x, 32));
    low1 = i64x2.add(low1, v128.and(y, mask));
    high1 = i64x2.add(high1, i64x2.shr_u(y, 32));
  }
  let low = Lanes.sumIntegers(i64x2.add(low0, low1));
  let high = Lanes.sumIntegers(i64x2.add(high0, high1));
  if (isSigned<T>()) high -= i64(length - left) << 31;
  for (; left > 0; left--, ptr += 8) {
    low += load<u32>(ptr);
    high += isSigned<T>() ? i64(load<i32>(ptr, 4)) : i64(load<u32>(ptr, 4));
  }
  Cell.addInteger(cell, fieldBytes, SUM, low);
  Cell.addInteger(cell, fieldBytes, SUM_REST, high);
}

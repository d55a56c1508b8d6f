/**
 * Searching for elements of the sorted data without sorting it. Rounds count the digits of the elements' bits, as they
 * are in memory, in tables of 32-bit counters; whoever reads a table knows which order its indices stand for. Where whole
 * cells are at hand, their elements become keys: unsigned integers that sort as the elements do, NaN (all as one) last.
 * `rows` rows of `count` elements lie `stride` bytes apart.
 */

import { NAN_DIGIT } from '../src/kernels/constants';
import { INTERVALS, LENGTH, NEXT_SHIFT, SHIFT, TABLE_LENGTH } from '../src/kernels/refine-spec';

class Table {
  // @ts-ignore: decorator
  @inline static add(table: usize, index: u32): void {
    const at = table + ((<usize>index) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/** Counts every byte, in 256 counters. */
export function countBytes(ptr: usize, rows: usize, stride: usize, count: usize, table: usize): void {
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + count;
    for (let at = ptr; at < end; at++) Table.add(table, load<u8>(at));
  }
}

/** Counts every 16 bits, in 65,536 counters. */
export function countHalves(ptr: usize, rows: usize, stride: usize, count: usize, table: usize): void {
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 1);
    for (let at = ptr; at < end; at += 2) Table.add(table, load<u16>(at));
  }
}

/** Counts the 16 high bits of every float32; those of a NaN, whichever it is, at NAN_DIGIT. */
export function countFloats32(ptr: usize, rows: usize, stride: usize, count: usize, table: usize): void {
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 2);
    let at = ptr;
    for (; at + 64 <= end; at += 64) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      const nan = v128.or(v128.or(f32x4.ne(a, a), f32x4.ne(b, b)), v128.or(f32x4.ne(c, c), f32x4.ne(d, d)));
      if (v128.any_true(nan)) {
        countMixed32(a, table);
        countMixed32(b, table);
        countMixed32(c, table);
        countMixed32(d, table);
        continue;
      }
      Table.add(table, load<u16>(at, 2));
      Table.add(table, load<u16>(at, 6));
      Table.add(table, load<u16>(at, 10));
      Table.add(table, load<u16>(at, 14));
      Table.add(table, load<u16>(at, 18));
      Table.add(table, load<u16>(at, 22));
      Table.add(table, load<u16>(at, 26));
      Table.add(table, load<u16>(at, 30));
      Table.add(table, load<u16>(at, 34));
      Table.add(table, load<u16>(at, 38));
      Table.add(table, load<u16>(at, 42));
      Table.add(table, load<u16>(at, 46));
      Table.add(table, load<u16>(at, 50));
      Table.add(table, load<u16>(at, 54));
      Table.add(table, load<u16>(at, 58));
      Table.add(table, load<u16>(at, 62));
    }
    for (; at < end; at += 4) countFloat32(at, table);
  }
}

/** Four float32, some of which may be NaN. */
function countMixed32(bits: v128, table: usize): void {
  const indices = i32x4.shr_u(v128.bitselect(i32x4.splat(0x7fffffff), bits, f32x4.ne(bits, bits)), 16);
  Table.add(table, i32x4.extract_lane(indices, 0));
  Table.add(table, i32x4.extract_lane(indices, 1));
  Table.add(table, i32x4.extract_lane(indices, 2));
  Table.add(table, i32x4.extract_lane(indices, 3));
}

function countFloat32(at: usize, table: usize): void {
  const value = load<f32>(at);
  Table.add(table, value == value ? load<u16>(at, 2) : NAN_DIGIT);
}

/** Counts the 16 high bits of every float64; those of a NaN, whichever it is, at NAN_DIGIT. */
export function countFloats64(ptr: usize, rows: usize, stride: usize, count: usize, table: usize): void {
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 3);
    let at = ptr;
    for (; at + 64 <= end; at += 64) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      const nan = v128.or(v128.or(f64x2.ne(a, a), f64x2.ne(b, b)), v128.or(f64x2.ne(c, c), f64x2.ne(d, d)));
      if (v128.any_true(nan)) {
        for (let each = at; each < at + 64; each += 8) countFloat64(each, table);
        continue;
      }
      Table.add(table, load<u16>(at, 6));
      Table.add(table, load<u16>(at, 14));
      Table.add(table, load<u16>(at, 22));
      Table.add(table, load<u16>(at, 30));
      Table.add(table, load<u16>(at, 38));
      Table.add(table, load<u16>(at, 46));
      Table.add(table, load<u16>(at, 54));
      Table.add(table, load<u16>(at, 62));
    }
    for (; at < end; at += 8) countFloat64(at, table);
  }
}

function countFloat64(at: usize, table: usize): void {
  const value = load<f64>(at);
  Table.add(table, value == value ? load<u16>(at, 6) : NAN_DIGIT);
}

/**
 * Counts (element - base) >>> shift of 32-bit integers, `base` being at an address; what is above `last` counts as that.
 */
export function countOffsets32(
  ptr: usize,
  rows: usize,
  stride: usize,
  count: usize,
  base: usize,
  shift: i32,
  table: usize,
  last: u32,
): void {
  const first = load<u32>(base);
  const firsts = v128.load32_splat(base);
  const lasts = i32x4.splat(last);
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 2);
    let at = ptr;
    for (; at + 16 <= end; at += 16) {
      const indices = i32x4.min_u(lasts, i32x4.shr_u(i32x4.sub(v128.load(at), firsts), shift));
      Table.add(table, i32x4.extract_lane(indices, 0));
      Table.add(table, i32x4.extract_lane(indices, 1));
      Table.add(table, i32x4.extract_lane(indices, 2));
      Table.add(table, i32x4.extract_lane(indices, 3));
    }
    for (; at < end; at += 4) Table.add(table, min<u32>(last, (load<u32>(at) - first) >> shift));
  }
}

/** The same for 64-bit integers. */
export function countOffsets64(
  ptr: usize,
  rows: usize,
  stride: usize,
  count: usize,
  base: usize,
  shift: i32,
  table: usize,
  last: u32,
): void {
  const first = load<u64>(base);
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 3);
    for (let at = ptr; at < end; at += 8) Table.add(table, <u32>min<u64>(last, (load<u64>(at) - first) >> shift));
  }
}

/**
 * Counts the elements of `n` distinct intervals of bit patterns, each 1 << shift wide and beginning at a multiple of that:
 * those of the i-th by (element - first) >>> nextShift in the i-th table of `length` counters. `spec` holds the mask that
 * leaves a pattern's interval, as a vector; n, shift, nextShift and length, 32 bits each; the first pattern of each interval.
 */
export function refine32(ptr: usize, rows: usize, stride: usize, count: usize, spec: usize, table: usize): void {
  const mask = load<u32>(spec);
  const isHigh = load<i32>(spec, SHIFT) == 16;
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 2);
    let at = isHigh ? refineHalves(ptr, end, spec, table) : refineWords(ptr, end, spec, table);
    for (; at < end; at += 4) refineOne<u32>(load<u32>(at), mask, spec, table);
  }
}

/** Sixteen at a time, by their 16 high bits. Answers where it stopped. */
function refineHalves(at: usize, end: usize, spec: usize, table: usize): usize {
  const first = spec + INTERVALS;
  const last = first + (load<u32>(spec, LENGTH) << 2);
  const nextShift = load<i32>(spec, NEXT_SHIFT);
  for (; at + 64 <= end; at += 64) {
    const p = i16x8.shuffle(v128.load(at), v128.load(at, 16), 1, 3, 5, 7, 9, 11, 13, 15);
    const q = i16x8.shuffle(v128.load(at, 32), v128.load(at, 48), 1, 3, 5, 7, 9, 11, 13, 15);
    let inP = i16x8.eq(p, v128.load16_splat(first, 2));
    let inQ = i16x8.eq(q, v128.load16_splat(first, 2));
    for (let each = first + 4; each < last; each += 4) {
      inP = v128.or(inP, i16x8.eq(p, v128.load16_splat(each, 2)));
      inQ = v128.or(inQ, i16x8.eq(q, v128.load16_splat(each, 2)));
    }
    if (!v128.any_true(v128.or(inP, inQ))) continue;
    let found = <u32>i8x16.bitmask(i8x16.narrow_i16x8_s(inP, inQ));
    // All of one interval, as in constant data.
    if (found == 0xffff && last == first + 4) {
      for (let each = at; each < at + 64; each += 4) Table.add(table, (<u32>load<u16>(each)) >> nextShift);
      continue;
    }
    do {
      refineOne<u32>(load<u32>(at + ((<usize>ctz(found)) << 2)), 0xffff0000, spec, table);
      found &= found - 1;
    } while (found);
  }
  return at;
}

function refineWords(at: usize, end: usize, spec: usize, table: usize): usize {
  const mask = v128.load(spec);
  const first = spec + INTERVALS;
  const last = first + (load<u32>(spec, LENGTH) << 2);
  for (; at + 32 <= end; at += 32) {
    const p = v128.and(v128.load(at), mask);
    const q = v128.and(v128.load(at, 16), mask);
    let inP = i32x4.eq(p, v128.load32_splat(first));
    let inQ = i32x4.eq(q, v128.load32_splat(first));
    for (let each = first + 4; each < last; each += 4) {
      inP = v128.or(inP, i32x4.eq(p, v128.load32_splat(each)));
      inQ = v128.or(inQ, i32x4.eq(q, v128.load32_splat(each)));
    }
    if (!v128.any_true(v128.or(inP, inQ))) continue;
    let found = <u32>i16x8.bitmask(i16x8.narrow_i32x4_s(inP, inQ));
    do {
      refineOne<u32>(load<u32>(at + ((<usize>ctz(found)) << 2)), load<u32>(spec), spec, table);
      found &= found - 1;
    } while (found);
  }
  return at;
}

function refineOne<T>(bits: T, mask: T, spec: usize, table: usize): void {
  const interval = bits & mask;
  const length = (<usize>load<u32>(spec, TABLE_LENGTH)) << 2;
  const end = spec + INTERVALS + <usize>load<u32>(spec, LENGTH) * sizeof<T>();
  for (let each = spec + INTERVALS; each < end; each += sizeof<T>(), table += length) {
    if (load<T>(each) != interval) continue;
    Table.add(table, <u32>((bits - interval) >> (<T>load<u32>(spec, NEXT_SHIFT))));
    return;
  }
}

/** The same for 64-bit patterns. */
export function refine64(ptr: usize, rows: usize, stride: usize, count: usize, spec: usize, table: usize): void {
  const mask = v128.load(spec);
  const first = spec + INTERVALS;
  const last = first + (load<u32>(spec, LENGTH) << 3);
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 3);
    let at = ptr;
    for (; at + 32 <= end; at += 32) {
      const p = v128.and(v128.load(at), mask);
      const q = v128.and(v128.load(at, 16), mask);
      let inP = i64x2.eq(p, v128.load64_splat(first));
      let inQ = i64x2.eq(q, v128.load64_splat(first));
      for (let each = first + 8; each < last; each += 8) {
        inP = v128.or(inP, i64x2.eq(p, v128.load64_splat(each)));
        inQ = v128.or(inQ, i64x2.eq(q, v128.load64_splat(each)));
      }
      if (!v128.any_true(v128.or(inP, inQ))) continue;
      let found = (<u32>i64x2.bitmask(inP)) | ((<u32>i64x2.bitmask(inQ)) << 2);
      do {
        refineOne<u64>(load<u64>(at + ((<usize>ctz(found)) << 3)), load<u64>(spec), spec, table);
        found &= found - 1;
      } while (found);
    }
    for (; at < end; at += 8) refineOne<u64>(load<u64>(at), load<u64>(spec), spec, table);
  }
}

/**
 * Copies the 64-bit patterns of one of a spec's intervals to `to`, at most `room` of them, and answers how many it copied.
 * There must be space for one more.
 */
export function collect64(
  ptr: usize,
  rows: usize,
  stride: usize,
  count: usize,
  spec: usize,
  interval: i32,
  to: usize,
  room: usize,
): usize {
  const mask = v128.load(spec);
  const wanted = v128.load64_splat(spec + INTERVALS + ((<usize>interval) << 3));
  const last = to + (room << 3);
  let out = to;
  for (let row: usize = 0; row < rows; row++, ptr += stride) {
    const end = ptr + (count << 3);
    let at = ptr;
    for (; at + 32 <= end; at += 32) {
      const inP = i64x2.eq(v128.and(v128.load(at), mask), wanted);
      const inQ = i64x2.eq(v128.and(v128.load(at, 16), mask), wanted);
      if (!v128.any_true(v128.or(inP, inQ))) continue;
      for (let each = at; each < at + 32; each += 8) out = min<usize>(last, collectOne(each, spec, interval, out));
    }
    for (; at < end; at += 8) out = min<usize>(last, collectOne(at, spec, interval, out));
  }
  return (out - to) >> 3;
}

function collectOne(at: usize, spec: usize, interval: i32, out: usize): usize {
  const bits = load<u64>(at);
  store<u64>(out, bits);
  return out + ((bits & load<u64>(spec)) == load<u64>(spec + INTERVALS + ((<usize>interval) << 3)) ? 8 : 0);
}

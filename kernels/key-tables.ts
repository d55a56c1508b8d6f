/**
 * The first pass of a search for elements by rank: all elements of a cell are counted by the high bits of their sort keys.
 * Lines of `count` elements lie `stride` bytes apart. Tables of short integers and of floats are counted by the bits as they
 * are in memory, and brought into the order of the keys at the end.
 */
import { NAN_DIGIT } from '../src/kernels/constants';
import { keyOf } from './codes';
import { F32, F64, I16, I32, I64, I8, U16, U32, U8 } from './types';

/**
 * Adds elements to a table (u32). Those of 8 bits have 256 counters, those of 16 bits and floats 65,536, for their high
 * bits. Longer integers, and floats among which there is no NaN and whose range has not all keys, are counted by the bucket
 * of the range at `range` (its lowest key and the distance to its highest): 2 ** bits of them, of equal powers of two.
 */
export function countKeys(
  type: i32,
  ptr: usize,
  lines: usize,
  stride: usize,
  count: usize,
  range: usize,
  bits: i32,
  table: usize,
): void {
  const isWhole = load<u64>(range) === 0;
  for (let line: usize = 0; line < lines; line++, ptr += stride) {
    if (type === F32 && isWhole) countFloats<f32>(ptr, ptr + (count << 2), table);
    else if (type === F64 && isWhole) countFloats<f64>(ptr, ptr + (count << 3), table);
    else if (type === F32) countOffsets32<f32>(ptr, ptr + (count << 2), range, bits, table);
    else if (type === F64) countOffsets64<f64>(ptr, ptr + (count << 3), range, bits, table);
    else if (type === I8 || type === U8) for (let i: usize = 0; i < count; i++) Table.add(table, load<u8>(ptr + i));
    else if (type === I16 || type === U16) {
      for (let i: usize = 0; i < count; i++) Table.add(table, load<u16>(ptr + i * 2));
    } else if (type === I32) countOffsets32<i32>(ptr, ptr + (count << 2), range, bits, table);
    else if (type === U32) countOffsets32<u32>(ptr, ptr + (count << 2), range, bits, table);
    else if (type === I64) countOffsets64<i64>(ptr, ptr + (count << 3), range, bits, table);
    else countOffsets64<u64>(ptr, ptr + (count << 3), range, bits, table);
  }
}

/**
 * Writes the counters that are not 0 as pairs of their number and their count to `to`, at most `most` of them; answers how
 * many there are, or -1 where there are more. Counters are a multiple of four.
 */
export function packCounters(counters: usize, count: usize, most: usize, to: usize): i32 {
  let packed: usize = 0;
  for (let i: usize = 0; i < count; i += 4) {
    if (!v128.any_true(v128.load(counters + i * 4))) continue;
    if (packed + 4 > most) return -1;
    for (let each = i; each < i + 4; each++) {
      const own = load<u32>(counters + each * 4);
      store<u32>(to + packed * 8, u32(each));
      store<u32>(to + packed * 8, own, 4);
      packed += usize(own !== 0);
    }
  }
  return i32(packed);
}

/** Brings a table of all keys that `countKeys` has filled into the order of the keys: NaN are counted last. */
export function orderTable(type: i32, table: usize): void {
  const isFloat = type === F32 || type === F64;
  const half: usize = type === I8 ? 512 : isFloat || type === I16 ? 131_072 : 0;
  for (let i: usize = 0; i < half; i += 16) {
    const low = v128.load(table + i);
    v128.store(table + i, v128.load(table + half + i));
    v128.store(table + half + i, low);
  }
  if (!isFloat) return;
  for (let low = table, high = table + half - 16; low < high; low += 16, high -= 16) {
    const front = v128.load(low);
    const back = v128.load(high);
    v128.store(low, v128.shuffle<i32>(back, back, 3, 2, 1, 0));
    v128.store(high, v128.shuffle<i32>(front, front, 3, 2, 1, 0));
  }
}

class Table {
  @inline static add(table: usize, index: u32): void {
    const at = table + (usize(index) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/** NaN, whichever they are, are counted at NAN_DIGIT. */
function countFloats<T>(at: usize, end: usize, table: usize): void {
  while (at + 64 <= end) {
    const stop = at + 64;
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const nan = v128.or(v128.or(v128.ne<T>(a, a), v128.ne<T>(b, b)), v128.or(v128.ne<T>(c, c), v128.ne<T>(d, d)));
    if (v128.any_true(nan)) for (; at < stop; at += sizeof<T>()) countFloat<T>(at, table);
    for (; at < stop; at += 32) {
      Table.add(table, load<u16>(at, sizeof<T>() - 2));
      Table.add(table, load<u16>(at, 2 * sizeof<T>() - 2));
      Table.add(table, load<u16>(at, 3 * sizeof<T>() - 2));
      Table.add(table, load<u16>(at, 4 * sizeof<T>() - 2));
      if (sizeof<T>() === 8) continue;
      Table.add(table, load<u16>(at, 18));
      Table.add(table, load<u16>(at, 22));
      Table.add(table, load<u16>(at, 26));
      Table.add(table, load<u16>(at, 30));
    }
  }
  for (; at < end; at += sizeof<T>()) countFloat<T>(at, table);
}

function countFloat<T>(at: usize, table: usize): void {
  const value = load<T>(at);
  Table.add(table, value === value ? load<u16>(at, sizeof<T>() - 2) : NAN_DIGIT);
}

class Buckets {
  /** The shift that leaves the bucket of an offset in a range. */
  @inline static shiftOf(span: u64, bits: i32): i32 {
    return max<i32>(0, 64 - i32(clz(span)) - bits);
  }
}

/** What is above the range, as only a file that is being changed has, counts as the highest. */
function countOffsets32<T>(at: usize, end: usize, range: usize, bits: i32, table: usize): void {
  const low = load<u32>(range);
  const span = load<u64>(range, 8);
  const shift = Buckets.shiftOf(span, bits);
  const last = u32(span >> shift);
  const sign = i32x4.splat(i32.MIN_VALUE);
  const lows = i32x4.splat(low);
  const lasts = i32x4.splat(last);
  for (; at + 16 <= end; at += 16) {
    let keys = v128.load(at);
    if (isFloat<T>()) keys = v128.xor(keys, v128.or(i32x4.shr_s(keys, 31), sign));
    else if (isSigned<T>()) keys = v128.xor(keys, sign);
    const indices = i32x4.min_u(lasts, i32x4.shr_u(i32x4.sub(keys, lows), shift));
    Table.add(table, i32x4.extract_lane(indices, 0));
    Table.add(table, i32x4.extract_lane(indices, 1));
    Table.add(table, i32x4.extract_lane(indices, 2));
    Table.add(table, i32x4.extract_lane(indices, 3));
  }
  for (; at < end; at += 4) Table.add(table, min<u32>(last, (u32(keyOf<T>(at)) - low) >> shift));
}

function countOffsets64<T>(at: usize, end: usize, range: usize, bits: i32, table: usize): void {
  const low = load<u64>(range);
  const span = load<u64>(range, 8);
  const shift = Buckets.shiftOf(span, bits);
  const last = span >> shift;
  for (; at < end; at += 8) Table.add(table, u32(min<u64>(last, (keyOf<T>(at) - low) >> shift)));
}

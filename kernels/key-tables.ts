/**
 * The first pass of a search for elements by rank: all elements of a cell are counted by the high bits of their sort keys.
 * Lines of `count` elements lie `stride` bytes apart. Tables of short integers and of floats are counted by the bits as they
 * are in memory, and brought into the order of the keys at the end.
 */
import { NAN_DIGIT } from '../src/kernels/constants';
import { valueOf } from './codes';
import { F32, F64, I16, I32, I64, I8, U16, U32, U8 } from './types';

/**
 * Adds elements to a table (u32). Those of 8 bits have 256 counters, those of 16 bits and floats 65,536, for their high
 * bits. Longer integers are counted by the bucket of the range at `range` (its lowest key and the distance to its highest)
 * that they lie in: 2 ** bits of them, of equal powers of two.
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
  for (let line: usize = 0; line < lines; line++, ptr += stride) {
    if (type === F32) countFloats<f32>(ptr, ptr + (count << 2), table);
    else if (type === F64) countFloats<f64>(ptr, ptr + (count << 3), table);
    else if (type === I8 || type === U8) for (let i: usize = 0; i < count; i++) Table.add(table, load<u8>(ptr + i));
    else if (type === I16 || type === U16) {
      for (let i: usize = 0; i < count; i++) Table.add(table, load<u16>(ptr + i * 2));
    } else if (type === I32) countOffsets32<i32>(ptr, ptr + (count << 2), range, bits, table);
    else if (type === U32) countOffsets32<u32>(ptr, ptr + (count << 2), range, bits, table);
    else if (type === I64) countOffsets64<i64>(ptr, ptr + (count << 3), range, bits, table);
    else countOffsets64<u64>(ptr, ptr + (count << 3), range, bits, table);
  }
}

/** Brings a table that `countKeys` has filled into the order of the keys: NaN are counted last. */
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
  const low = u32(valueOf<T>(load<u64>(range)));
  const span = load<u64>(range, 8);
  const shift = Buckets.shiftOf(span, bits);
  const last = u32(span >> shift);
  const lows = i32x4.splat(low);
  const lasts = i32x4.splat(last);
  for (; at + 16 <= end; at += 16) {
    const indices = i32x4.min_u(lasts, i32x4.shr_u(i32x4.sub(v128.load(at), lows), shift));
    Table.add(table, i32x4.extract_lane(indices, 0));
    Table.add(table, i32x4.extract_lane(indices, 1));
    Table.add(table, i32x4.extract_lane(indices, 2));
    Table.add(table, i32x4.extract_lane(indices, 3));
  }
  for (; at < end; at += 4) Table.add(table, min<u32>(last, (load<u32>(at) - low) >> shift));
}

function countOffsets64<T>(at: usize, end: usize, range: usize, bits: i32, table: usize): void {
  const low = u64(valueOf<T>(load<u64>(range)));
  const span = load<u64>(range, 8);
  const shift = Buckets.shiftOf(span, bits);
  const last = span >> shift;
  for (; at < end; at += 8) Table.add(table, u32(min<u64>(last, (load<u64>(at) - low) >> shift)));
}

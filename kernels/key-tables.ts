/**
 * The first pass of a search for elements by rank: all elements of a cell are counted by the high bits of their sort keys.
 * Lines of `count` elements lie `stride` bytes apart. Tables of short integers and of floats are counted by the bits as they
 * are in memory, and brought into the order of the keys at the end.
 */
import { NAN_DIGIT } from '../src/kernels/constants';
import { keyOf, Values } from './codes';
import { STRETCH, Turns } from './lines';
import { F32, F64, forType, I16, I8, Kernel, Yes } from './types';

/** The range that `countKeys` counts by: its lowest key, the shift that leaves the bucket of an offset, and the last bucket. */
let low: u64 = 0;
let shift: u64 = 0;
let last: u64 = 0;

/**
 * Adds elements to a table (u32). Those of 8 bits have 256 counters, those of 16 bits and floats 65,536, for their high
 * bits. Longer integers, and floats among which there is no NaN and whose range has not all keys, are counted by the bucket
 * of the range at `range` (its lowest key and the distance to its highest): 2 ** bits of them, of equal powers of two. What
 * is above the range, as only a file that is being changed has, counts as the highest.
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
  const span = load<u64>(range, 8);
  low = load<u64>(range);
  shift = max<i32>(0, 64 - i32(clz(span)) - bits);
  last = span >> shift;
  for (; lines > 0; lines--, ptr += stride) forType<CountLine>(Values.of(type, ptr, 0, 0, count, table));
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

class CountLine extends Kernel {
  run<T>(args: usize): usize {
    const line = changetype<Values>(args);
    const end = line.from + line.count * sizeof<T>();
    if (isFloat<T>() && low === 0) countLine<T, Yes>(line.from, end, line.to);
    else countLine<T, void>(line.from, end, line.to);
    return 0;
  }
}

/** 64 bytes at a time, of four pages in turn. */
function countLine<T, Highs>(ptr: usize, end: usize, table: usize): void {
  for (const body = end - ((end - ptr) & 63); ptr < body;) {
    const reach = Turns.reach(body - ptr);
    for (const last = Turns.last(ptr, body); ptr < last; ptr += 64) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        if (!isVoid<Highs>()) countHighs<T>(at, table);
        else if (sizeof<T>() === 4) countOffsets<T>(at, table);
        else for (let i: usize = 0; i < 64; i += sizeof<T>()) Table.add(table, Index.of<T, Highs>(at + i));
      }
    }
    ptr += Turns.skip(reach);
  }
  for (; ptr < end; ptr += sizeof<T>()) Table.add(table, Index.of<T, Highs>(ptr));
}

class Index {
  /** The counter of an element. Of floats, NaN, whichever they are, have NAN_DIGIT. */
  @inline static of<T, Highs>(at: usize): u32 {
    if (sizeof<T>() === 1) return load<u8>(at);
    if (sizeof<T>() === 2) return load<u16>(at);
    if (isVoid<Highs>()) return u32(min<u64>(last, (keyOf<T>(at) - low) >> shift));
    const value = load<T>(at);
    return value === value ? load<u16>(at, sizeof<T>() - 2) : NAN_DIGIT;
  }
}

/** 64 bytes of floats, by their high bits. */
function countHighs<T>(at: usize, table: usize): void {
  const stop = at + 64;
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const c = v128.load(at, 32);
  const d = v128.load(at, 48);
  const nan = v128.or(v128.or(v128.ne<T>(a, a), v128.ne<T>(b, b)), v128.or(v128.ne<T>(c, c), v128.ne<T>(d, d)));
  if (v128.any_true(nan)) for (; at < stop; at += sizeof<T>()) Table.add(table, Index.of<T, Yes>(at));
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

/** 64 bytes of 32-bit elements, by bucket of the range. */
function countOffsets<T>(at: usize, table: usize): void {
  const sign = i32x4.splat(i32.MIN_VALUE);
  const lows = i32x4.splat(u32(low));
  const lasts = i32x4.splat(u32(last));
  for (const stop = at + 64; at < stop; at += 16) {
    let keys = v128.load(at);
    if (isFloat<T>()) keys = v128.xor(keys, v128.or(i32x4.shr_s(keys, 31), sign));
    else if (isSigned<T>()) keys = v128.xor(keys, sign);
    const indices = i32x4.min_u(lasts, i32x4.shr_u(i32x4.sub(keys, lows), i32(shift)));
    Table.add(table, i32x4.extract_lane(indices, 0));
    Table.add(table, i32x4.extract_lane(indices, 1));
    Table.add(table, i32x4.extract_lane(indices, 2));
    Table.add(table, i32x4.extract_lane(indices, 3));
  }
}

/**
 * Elements by rank, after the first pass: those whose sort keys lie in ranges of their cell are collected, and counted by
 * what part of the range they lie in. What kernels are told of values and of ranges stands in src/kernels/search-spec.ts.
 *
 * A range is its lowest key and the distance to its highest; those of a cell ascend and have no key in common. Cells are
 * looked at from the first that has ranges on; `starts[cell]` is the number of a cell's first range, and behind the last
 * cell of one more. `hulls` has the least and the most value of the ranges of each cell, in the type of the values: most
 * values lie outside and cost two comparisons.
 */
import {
  CELL,
  CELL_COUNT,
  CELLS,
  COUNT,
  FIRST_CELL,
  FROM,
  HULLS,
  RANGES,
  ROW_IDS,
  STARTS,
  STRIDE,
} from '../src/kernels/search-spec';
import { at, keyOf, valueOf } from './codes';
import { STRETCH, Turns } from './lines';
import { forType, Kernel, Yes } from './types';

/** Ranges that vectors of elements are compared with, one after the other; of more, the hull. */
const COMPARED_MAX: u32 = 12;
/** The ends of these as vectors. */
const BOUNDS: usize = memory.data(384);

/** What `collectKeys` was told beside the values. */
let collectWhere: usize = 0;
let collectedKeys: usize = 0;
let collectedRanges: usize = 0;

/**
 * Collects the sort keys of values that lie in a range of their cell, of 32 bits where the type has no more, else of 64, and
 * the numbers of the ranges (u32); answers how many there are. There must be space for one more than there are values.
 */
export function collectKeys(values: usize, where: usize, toKeys: usize, toRanges: usize): usize {
  collectWhere = where;
  collectedKeys = toKeys;
  collectedRanges = toRanges;
  return forType<Collect>(values);
}

class Collect extends Kernel {
  run<T>(values: usize): usize {
    return collectOf<T>(values, collectWhere, collectedKeys, collectedRanges);
  }
}

/** Counts collected keys by bucket of their range: one that is wider than 2 ** bits has as many (u32), of equal powers of two. */
export function countRanges(
  keyBytes: usize,
  keys: usize,
  numbers: usize,
  count: usize,
  where: usize,
  bits: i32,
  counters: usize,
): void {
  const ranges = load<usize>(where, RANGES);
  for (let i: usize = 0; i < count; i++) {
    const number = usize(load<u32>(numbers + i * 4));
    const range = ranges + number * 16;
    const key = keyBytes === 8 ? load<u64>(keys + i * 8) : u64(load<u32>(keys + i * 4));
    const shift = 64 - i32(clz(load<u64>(range, 8))) - bits;
    const bucket = (key - load<u64>(range)) >> u64(shift > 0 ? shift : 0);
    const counter = counters + ((number << usize(bits)) + usize(bucket)) * 4;
    store<u32>(counter, load<u32>(counter) + 1);
  }
}

/** Where collected keys go, and how many are there. */
class Collected {
  /** Of the element at `here`, of a cell whose ranges are `[start, end)`; answers how many there are then. */
  @inline static add<T>(
    here: usize,
    start: u32,
    end: u32,
    ranges: usize,
    toKeys: usize,
    toRanges: usize,
    found: usize,
  ): usize {
    const key = keyOf<T>(here);
    let count = end - start;
    while (count > 1) {
      const half = count >> 1;
      start += load<u64>(ranges + usize(start + half) * 16) <= key ? half : 0;
      count -= half;
    }
    const range = ranges + usize(start) * 16;
    if (sizeof<T>() === 8) store<u64>(toKeys + found * 8, key);
    else store<u32>(toKeys + found * 4, u32(key));
    store<u32>(toRanges + found * 4, start);
    return found + usize(key - load<u64>(range) <= load<u64>(range, 8));
  }
}

function collectOf<T>(values: usize, where: usize, toKeys: usize, toRanges: usize): usize {
  const from = load<usize>(values, FROM);
  const stride = load<usize>(values, STRIDE);
  const rowIds = load<usize>(values, ROW_IDS);
  const count = load<usize>(values, COUNT);
  const cells = load<usize>(values, CELLS);
  const isPacked = !rowIds && stride === sizeof<T>();
  if (isPacked && !cells && sizeof<T>() >= 4) {
    return collectPacked<T>(from, count, load<u32>(values, CELL), where, toKeys, toRanges);
  }
  const firstCell = load<u32>(where, FIRST_CELL);
  const cellCount = load<u32>(where, CELL_COUNT);
  const hulls = load<usize>(where, HULLS);
  const starts = load<usize>(where, STARTS);
  const ranges = load<usize>(where, RANGES);
  let own = load<u32>(values, CELL) - firstCell;
  let found: usize = 0;
  for (let i: usize = 0; i < count;) {
    if (sizeof<T>() === 4 && isPacked) {
      i += outsideFours<T>(from + i * 4, cells + i * 4, count - i, firstCell, cellCount, hulls);
    }
    const end = sizeof<T>() === 4 && isPacked && i + 4 < count ? i + 4 : count;
    for (; i < end; i++) {
      const here = at(from, stride, rowIds, i);
      if (cells) own = load<u32>(cells + i * 4) - firstCell;
      if (own >= cellCount) continue;
      const value = load<T>(here);
      const hull = hulls + usize(own) * (2 * sizeof<T>());
      // Both at once: one comparison by itself would be as good as random, and each wrong guess costs 20 cycles.
      if (i32(value >= load<T>(hull)) & i32(value <= load<T>(hull, sizeof<T>()))) {
        const start = starts + usize(own) * 4;
        found = Collected.add<T>(here, load<u32>(start), load<u32>(start, 4), ranges, toKeys, toRanges, found);
      }
    }
  }
  return found;
}

/** Packed values of 32 bits: how many of the first ones, in fours, lie outside the hulls of their cells. */
function outsideFours<T>(from: usize, cells: usize, count: usize, firstCell: u32, cellCount: u32, hulls: usize): usize {
  const firsts = i32x4.splat(firstCell);
  const counts = i32x4.splat(cellCount);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const own = i32x4.sub(v128.load(cells + i * 4), firsts);
    if (!i32x4.all_true(i32x4.lt_u(own, counts))) break;
    const offsets = i32x4.shl(own, 3);
    let front = v128.load64_zero(hulls + usize(i32x4.extract_lane(offsets, 0)));
    front = v128.load64_lane(hulls + usize(i32x4.extract_lane(offsets, 1)), front, 1);
    let back = v128.load64_zero(hulls + usize(i32x4.extract_lane(offsets, 2)));
    back = v128.load64_lane(hulls + usize(i32x4.extract_lane(offsets, 3)), back, 1);
    const values = v128.load(from + i * 4);
    const isAbove = v128.ge<T>(values, v128.shuffle<i32>(front, back, 0, 2, 4, 6));
    const isBelow = v128.le<T>(values, v128.shuffle<i32>(front, back, 1, 3, 5, 7));
    if (v128.any_true(v128.and(isAbove, isBelow))) break;
  }
  return i;
}

/** Packed values of one cell. */
function collectPacked<T>(from: usize, count: usize, cell: u32, where: usize, toKeys: usize, toRanges: usize): usize {
  const own = cell - load<u32>(where, FIRST_CELL);
  if (own >= load<u32>(where, CELL_COUNT)) return 0;
  const ranges = load<usize>(where, RANGES);
  const starts = load<usize>(where, STARTS) + usize(own) * 4;
  const start = load<u32>(starts);
  const last = load<u32>(starts, 4);
  if (start === last) return 0;
  const end = from + count * sizeof<T>();
  if (sizeof<T>() === 4 && placeHighs<T>(ranges, start, last)) {
    const highs = BOUNDS + usize(last - start) * 16;
    return collectBlocks<T, Yes>(from, end, highs, start, last, ranges, toKeys, toRanges);
  }
  return collectBlocks<T, void>(from, end, placeBounds<T>(ranges, start, last), start, last, ranges, toKeys, toRanges);
}

/** 64 bytes at a time, of four pages in turn; `bounds` is the end of what they are compared with. */
function collectBlocks<T, Highs>(
  ptr: usize,
  end: usize,
  bounds: usize,
  start: u32,
  last: u32,
  ranges: usize,
  toKeys: usize,
  toRanges: usize,
): usize {
  let found: usize = 0;
  for (const body = end - ((end - ptr) & 63); ptr < body;) {
    const reach = Turns.reach(body - ptr);
    for (const stop = Turns.last(ptr, body); ptr < stop; ptr += 64) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        let lanes = isVoid<Highs>() ? Block.held<T>(at, bounds) : Block.high(at, bounds);
        for (; lanes; lanes &= lanes - 1) {
          found = Collected.add<T>(at + (usize(ctz(lanes)) << 2), start, last, ranges, toKeys, toRanges, found);
        }
      }
    }
    ptr += Turns.skip(reach);
  }
  for (; ptr < end; ptr += sizeof<T>()) {
    found = Collected.add<T>(ptr, start, last, ranges, toKeys, toRanges, found);
  }
  return found;
}

/** 64 bytes: the elements of 32 bits, or halves of elements, that may lie in a range, as bits from the lowest on. */
class Block {
  /** Elements of 64 bits are told of by their first half. */
  @inline static held<T>(at: usize, bounds: usize): u32 {
    const a = Bounds.ordered<T>(v128.load(at));
    const b = Bounds.ordered<T>(v128.load(at, 16));
    const c = Bounds.ordered<T>(v128.load(at, 32));
    const d = Bounds.ordered<T>(v128.load(at, 48));
    let inA = Bounds.hold<T>(a, BOUNDS);
    let inB = Bounds.hold<T>(b, BOUNDS);
    let inC = Bounds.hold<T>(c, BOUNDS);
    let inD = Bounds.hold<T>(d, BOUNDS);
    for (let each = BOUNDS + 32; each < bounds; each += 32) {
      inA = v128.or(inA, Bounds.hold<T>(a, each));
      inB = v128.or(inB, Bounds.hold<T>(b, each));
      inC = v128.or(inC, Bounds.hold<T>(c, each));
      inD = v128.or(inD, Bounds.hold<T>(d, each));
    }
    if (!v128.any_true(v128.or(v128.or(inA, inB), v128.or(inC, inD)))) return 0;
    const lanes = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(inA, inB), i16x8.narrow_i32x4_s(inC, inD)));
    return sizeof<T>() === 8 ? u32(lanes) & 0x5555 : u32(lanes);
  }

  /** Elements of 32 bits whose 16 high bits are those of a range. */
  @inline static high(at: usize, highs: usize): u32 {
    const a = v128.shuffle<i16>(v128.load(at), v128.load(at, 16), 1, 3, 5, 7, 9, 11, 13, 15);
    const b = v128.shuffle<i16>(v128.load(at, 32), v128.load(at, 48), 1, 3, 5, 7, 9, 11, 13, 15);
    let inA = i16x8.eq(a, v128.load(BOUNDS));
    let inB = i16x8.eq(b, v128.load(BOUNDS));
    for (let each = BOUNDS + 16; each < highs; each += 16) {
      inA = v128.or(inA, i16x8.eq(a, v128.load(each)));
      inB = v128.or(inB, i16x8.eq(b, v128.load(each)));
    }
    return v128.any_true(v128.or(inA, inB)) ? u32(i8x16.bitmask(i8x16.narrow_i16x8_s(inA, inB))) : 0;
  }
}

/** Two vectors for each range, or for all of them where they are many: the least and the most value. Answers their end. */
function placeBounds<T>(ranges: usize, start: u32, end: u32): usize {
  const isMany = end - start > COMPARED_MAX;
  const step = isMany ? end - start : 1;
  let to = BOUNDS;
  for (let number = start; number < end; number += step, to += 32) {
    const last = ranges + usize(number + step - 1) * 16;
    Bounds.put<T>(to, load<u64>(ranges + usize(number) * 16));
    Bounds.put<T>(to + 16, load<u64>(last) + load<u64>(last, 8));
  }
  return to;
}

/**
 * Places the 16 high bits of ranges as vectors, where each range lies within one pattern of them, as after a first
 * pass over floats; answers whether that is so.
 */
function placeHighs<T>(ranges: usize, start: u32, end: u32): bool {
  if (end - start > COMPARED_MAX) return false;
  for (let number = start, to = BOUNDS; number < end; number++, to += 16) {
    const low = load<u64>(ranges + usize(number) * 16);
    if (low >> 16 !== (low + load<u64>(ranges + usize(number) * 16, 8)) >> 16) return false;
    store<T>(to, valueOf<T>(low));
    v128.store(to, v128.load16_splat(to, 2));
  }
  return true;
}

class Bounds {
  /** There are no vectors of unsigned integers of 64 bits to compare. */
  @inline static ordered<T>(values: v128): v128 {
    if (isInteger<T>() && !isSigned<T>() && sizeof<T>() === 8) return v128.xor(values, i64x2.splat(i64.MIN_VALUE));
    return values;
  }

  static put<T>(to: usize, key: u64): void {
    const value = valueOf<T>(key);
    if (sizeof<T>() === 4) v128.store(to, v128.splat<T>(value));
    else v128.store(to, Bounds.ordered<T>(v128.splat<T>(value)));
  }

  @inline static hold<T>(values: v128, bounds: usize): v128 {
    if (isInteger<T>() && sizeof<T>() === 8) {
      return v128.and(i64x2.ge_s(values, v128.load(bounds)), i64x2.le_s(values, v128.load(bounds, 16)));
    }
    return v128.and(v128.ge<T>(values, v128.load(bounds)), v128.le<T>(values, v128.load(bounds, 16)));
  }
}

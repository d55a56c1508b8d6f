/**
 * Elements of groups by rank: values → buckets of their cells, counted; and those that lie in ranges of their cells, counted
 * or collected. Values are given as in groups.ts; a cell is a group, or one of the cells of a group.
 */
import { at, codeOf } from './codes';
import { Lanes } from './lanes';
import { F32, F64, I16, I32, I64, I8, U16, U32, U64, U8 } from './types';

/** Added to a small number, they leave the nearest integer, and two more, in the low bits. */
const ROUNDER: f64 = 4503599627370498;
const ROUNDER32: f32 = 8388610;
/** The bits of 2 ** 23. */
const ROUNDED32: i32 = 0x4b00_0000;

/**
 * Counts values by bucket: 0 is for NaN, 1 for what is below `low`, the last for what is too large, and the others divide
 * what lies between, `scale` buckets to a unit. A cell has `buckets` counters (u32). float32 are placed in float32.
 */
export function countScaled(
  type: i32,
  from: usize,
  stride: usize,
  rows: usize,
  cells: usize,
  count: usize,
  low: f64,
  scale: f64,
  buckets: u32,
  counters: usize,
): void {
  switch (type) {
    case F32:
      return countFloats(from, stride, rows, cells, count, f32(low), f32(scale), buckets, counters);
    case F64:
      return countWide<f64>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case I8:
      return countWide<i8>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case U8:
      return countWide<u8>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case I16:
      return countWide<i16>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case U16:
      return countWide<u16>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case I32:
      return countWide<i32>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case U32:
      return countWide<u32>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case I64:
      return countWide<i64>(from, stride, rows, cells, count, low, scale, buckets, counters);
    case U64:
      return countWide<u64>(from, stride, rows, cells, count, low, scale, buckets, counters);
  }
}

function countFloats(
  from: usize,
  stride: usize,
  rows: usize,
  cells: usize,
  count: usize,
  low: f32,
  scale: f32,
  buckets: u32,
  counters: usize,
): void {
  const above = f32(buckets - 3);
  let i: usize = 0;
  if (!rows && stride === 4) i = countFours(from, cells, count, low, scale, buckets, counters);
  for (; i < count; i++) {
    const value = load<f32>(at(from, stride, rows, i));
    let place = (value - low) * scale;
    place = place < -1 ? -1 : place;
    place = above < place ? above : place;
    const bucket = value === value ? reinterpret<i32>(place + ROUNDER32) - ROUNDED32 : 0;
    countOne(counters + usize(load<u32>(cells + i * 4) * buckets + bucket) * 4);
  }
}

/** Packed float32, four at a time; answers how many are done. */
function countFours(
  from: usize,
  cells: usize,
  count: usize,
  low: f32,
  scale: f32,
  buckets: u32,
  counters: usize,
): usize {
  const lows = f32x4.splat(low);
  const scales = f32x4.splat(scale);
  const below = f32x4.splat(-1);
  const above = f32x4.splat(f32(buckets - 3));
  const rounder = f32x4.splat(ROUNDER32);
  const rounded = i32x4.splat(ROUNDED32);
  const width = i32x4.splat(buckets);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const values = v128.load(from + i * 4);
    let places = f32x4.mul(f32x4.sub(values, lows), scales);
    places = f32x4.pmin(f32x4.pmax(places, below), above);
    let counter = i32x4.sub(f32x4.add(places, rounder), rounded);
    counter = v128.and(counter, f32x4.eq(values, values));
    counter = i32x4.shl(i32x4.add(counter, i32x4.mul(v128.load(cells + i * 4), width)), 2);
    countOne(counters + usize(i32x4.extract_lane(counter, 0)));
    countOne(counters + usize(i32x4.extract_lane(counter, 1)));
    countOne(counters + usize(i32x4.extract_lane(counter, 2)));
    countOne(counters + usize(i32x4.extract_lane(counter, 3)));
  }
  return i;
}

function countWide<T>(
  from: usize,
  stride: usize,
  rows: usize,
  cells: usize,
  count: usize,
  low: f64,
  scale: f64,
  buckets: u32,
  counters: usize,
): void {
  const above = f64(buckets - 3);
  for (let i: usize = 0; i < count; i++) {
    const value = f64(load<T>(at(from, stride, rows, i)));
    let place = (value - low) * scale;
    place = place < -1 ? -1 : place;
    place = above < place ? above : place;
    const bucket = value === value ? u32(reinterpret<u64>(place + ROUNDER)) : 0;
    countOne(counters + usize(load<u32>(cells + i * 4) * buckets + bucket) * 4);
  }
}

/**
 * Counters of cells, `buckets` (a multiple of four) of each: how many elements are NaN, which the first is of, and how many
 * are not (u32 each). Answers the largest counter.
 */
export function cellSizes(counters: usize, cells: usize, buckets: usize, missing: usize, present: usize): u32 {
  let largest = i32x4.splat(0);
  for (let cell: usize = 0; cell < cells; cell++) {
    const from = counters + cell * buckets * 4;
    let sums = i32x4.splat(0);
    for (let i: usize = 0; i < buckets; i += 4) {
      const counts = v128.load(from + i * 4);
      sums = i32x4.add(sums, counts);
      largest = i32x4.max_u(largest, counts);
    }
    const nans = load<u32>(from);
    store<u32>(missing + cell * 4, nans);
    store<u32>(present + cell * 4, u32(Lanes.sumCounts(sums)) - nans);
  }
  largest = i32x4.max_u(largest, v128.shuffle<i32>(largest, largest, 2, 3, 2, 3));
  largest = i32x4.max_u(largest, v128.shuffle<i32>(largest, largest, 1, 1, 1, 1));
  return u32(i32x4.extract_lane(largest, 0));
}

/** Counters (u32, a multiple of sixteen of them) as integers of 1 or 2 bytes, which hold them. */
export function narrowCounters(counters: usize, count: usize, itemBytes: i32, to: usize): void {
  for (let i: usize = 0; i < count; i += 16) {
    const from = counters + i * 4;
    const front = i16x8.narrow_i32x4_u(v128.load(from), v128.load(from, 16));
    const back = i16x8.narrow_i32x4_u(v128.load(from, 32), v128.load(from, 48));
    if (itemBytes === 1) v128.store(to + i, i8x16.narrow_i16x8_u(front, back));
    else {
      v128.store(to + i * 2, front);
      v128.store(to + i * 2, back, 16);
    }
  }
}

function countOne(counter: usize): void {
  store<u32>(counter, load<u32>(counter) + 1);
}

/**
 * Ranges of codes, and where a value lies. A range is its lowest code and the distance to its highest; cells are looked at
 * from `firstCell` on, `cellCount` of them, each with ranges `starts[cell]` to `starts[cell + 1]`, which have no code in
 * common. `hulls` has the lowest and the highest value of the ranges of each cell, in the type of the values: most values
 * lie outside and cost two comparisons.
 */
class Ranges {
  /** The number of the range that holds the value at `here`, or -1. */
  @inline static find<T>(
    here: usize,
    cell: u32,
    firstCell: u32,
    cellCount: u32,
    hulls: usize,
    starts: usize,
    ranges: usize,
  ): i32 {
    const own = cell - firstCell;
    let found = -1;
    if (own < cellCount) {
      const value = load<T>(here);
      const hull = hulls + usize(own) * (2 * sizeof<T>());
      // Both at once: one comparison by itself would be as good as random, and each wrong guess costs 20 cycles.
      if (i32(value >= load<T>(hull)) & i32(value <= load<T>(hull, sizeof<T>()))) {
        found = Ranges.among(codeOf<T>(here), own, starts, ranges);
      }
    }
    return found;
  }

  static among(code: u64, own: u32, starts: usize, ranges: usize): i32 {
    const end = load<u32>(starts + usize(own) * 4, 4);
    for (let number = load<u32>(starts + usize(own) * 4); number < end; number++) {
      const range = ranges + usize(number) * 16;
      if (code - load<u64>(range) <= load<u64>(range, 8)) return number;
    }
    return -1;
  }
}

/**
 * Counts values by bucket of the range that they lie in: one that is wider than 2 ** bits has as many buckets (u32), of equal
 * powers of two. NaN lie in no range.
 */
export function countBuckets(
  type: i32,
  from: usize,
  stride: usize,
  rows: usize,
  cells: usize,
  count: usize,
  firstCell: u32,
  cellCount: u32,
  hulls: usize,
  starts: usize,
  ranges: usize,
  bits: i32,
  counters: usize,
): void {
  switch (type) {
    case F32:
      return countBucketsOf<f32>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case F64:
      return countBucketsOf<f64>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case I8:
      return countBucketsOf<i8>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case U8:
      return countBucketsOf<u8>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case I16:
      return countBucketsOf<i16>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case U16:
      return countBucketsOf<u16>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case I32:
      return countBucketsOf<i32>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case U32:
      return countBucketsOf<u32>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case I64:
      return countBucketsOf<i64>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
    case U64:
      return countBucketsOf<u64>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        bits,
        counters,
      );
  }
}

function countBucketsOf<T>(
  from: usize,
  stride: usize,
  rows: usize,
  cells: usize,
  count: usize,
  firstCell: u32,
  cellCount: u32,
  hulls: usize,
  starts: usize,
  ranges: usize,
  bits: i32,
  counters: usize,
): void {
  for (let i: usize = 0; i < count; i++) {
    const here = at(from, stride, rows, i);
    const number = Ranges.find<T>(here, load<u32>(cells + i * 4), firstCell, cellCount, hulls, starts, ranges);
    if (number < 0) continue;
    const range = ranges + usize(number) * 16;
    const shift = 64 - i64(clz(load<u64>(range, 8))) - bits;
    const bucket = (codeOf<T>(here) - load<u64>(range)) >> u64(shift > 0 ? shift : 0);
    countOne(counters + ((usize(number) << usize(bits)) + usize(bucket)) * 4);
  }
}

/**
 * Values that lie in a range of their cell, as codes of 32 bits where the type has no more, else of 64, and the number of
 * the range; answers how many there are.
 */
export function collectCodes(
  type: i32,
  from: usize,
  stride: usize,
  rows: usize,
  cells: usize,
  count: usize,
  firstCell: u32,
  cellCount: u32,
  hulls: usize,
  starts: usize,
  ranges: usize,
  toCodes: usize,
  toRanges: usize,
): usize {
  switch (type) {
    case F32:
      return collectOf<f32>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case F64:
      return collectOf<f64>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case I8:
      return collectOf<i8>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case U8:
      return collectOf<u8>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case I16:
      return collectOf<i16>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case U16:
      return collectOf<u16>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case I32:
      return collectOf<i32>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case U32:
      return collectOf<u32>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case I64:
      return collectOf<i64>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
    case U64:
      return collectOf<u64>(
        from,
        stride,
        rows,
        cells,
        count,
        firstCell,
        cellCount,
        hulls,
        starts,
        ranges,
        toCodes,
        toRanges,
      );
  }
  return 0;
}

function collectOf<T>(
  from: usize,
  stride: usize,
  rows: usize,
  cells: usize,
  count: usize,
  firstCell: u32,
  cellCount: u32,
  hulls: usize,
  starts: usize,
  ranges: usize,
  toCodes: usize,
  toRanges: usize,
): usize {
  const isPacked = sizeof<T>() === 4 && !rows && stride === 4;
  let collected: usize = 0;
  for (let i: usize = 0; i < count;) {
    if (isPacked) i += outsideFours<T>(from + i * 4, cells + i * 4, count - i, firstCell, cellCount, hulls);
    const end = isPacked && i + 4 < count ? i + 4 : count;
    for (; i < end; i++) {
      const here = at(from, stride, rows, i);
      const number = Ranges.find<T>(here, load<u32>(cells + i * 4), firstCell, cellCount, hulls, starts, ranges);
      if (number < 0) continue;
      if (sizeof<T>() === 8) store<u64>(toCodes + collected * 8, codeOf<T>(here));
      else store<u32>(toCodes + collected * 4, u32(codeOf<T>(here)));
      store<u32>(toRanges + collected * 4, u32(number));
      collected++;
    }
  }
  return collected;
}

/** Of packed values of 32 bits: how many of the first ones, in fours, lie outside the hulls of their cells. */
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

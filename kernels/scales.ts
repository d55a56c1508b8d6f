/**
 * Values of cells by bucket of a scale, before it is known where elements of wanted ranks lie. What kernels are told of values
 * stands in src/kernels/search-spec.ts; a cell is a group, or one of the cells of a group.
 */
import { CELLS, COUNT, FROM, ROW_IDS, STRIDE } from '../src/kernels/search-spec';
import { at } from './codes';
import { Lanes } from './lanes';
import { forType, Is, Kernel } from './types';

/** Added to a small number, they leave the nearest integer, and two more, in the low bits. */
const ROUNDER: f64 = 4503599627370498;
const ROUNDER32: f32 = 8388610;
/** The bits of 2 ** 23. */
const ROUNDED32: i32 = 0x4b00_0000;

/** What `countScaled` was told beside the values. */
let scaleLow: f64 = 0;
let bucketsPerUnit: f64 = 0;
let bucketCount: u32 = 0;
let scaleCounters: usize = 0;

/**
 * Counts values by bucket: 0 is for NaN, 1 for what is below `low`, the last for what is too large, and the others divide
 * what lies between, `scale` buckets to a unit. A cell has `buckets` counters (u32). float32 are placed in float32.
 */
export function countScaled(values: usize, low: f64, scale: f64, buckets: u32, counters: usize): void {
  scaleLow = low;
  bucketsPerUnit = scale;
  bucketCount = buckets;
  scaleCounters = counters;
  forType<CountScaled>(values);
}

class CountScaled extends Kernel {
  run<T>(values: usize): usize {
    if (Is.single<T>()) countFloats(values, f32(scaleLow), f32(bucketsPerUnit), bucketCount, scaleCounters);
    else countWide<T>(values, scaleLow, bucketsPerUnit, bucketCount, scaleCounters);
    return 0;
  }
}

function countFloats(values: usize, low: f32, scale: f32, buckets: u32, counters: usize): void {
  const from = load<usize>(values, FROM);
  const stride = load<usize>(values, STRIDE);
  const rows = load<usize>(values, ROW_IDS);
  const cells = load<usize>(values, CELLS);
  const count = load<usize>(values, COUNT);
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

function countWide<T>(values: usize, low: f64, scale: f64, buckets: u32, counters: usize): void {
  const from = load<usize>(values, FROM);
  const stride = load<usize>(values, STRIDE);
  const rows = load<usize>(values, ROW_IDS);
  const cells = load<usize>(values, CELLS);
  const count = load<usize>(values, COUNT);
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

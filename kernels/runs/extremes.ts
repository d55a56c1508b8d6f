/** The least and the most of runs, where they are, and how many elements are not NaN. */
import { WANTS_MAX, WANTS_MIN, WANTS_NAN } from '../../src/kernels/constants';
import { ARGMAX, ARGMIN, Cell, MAX, MIN, NAN_INDEX, SEEN } from '../cell-fields';
import { Lanes } from '../lanes';
import { Lines, STRETCH, Turns } from '../lines';
import { Is, Limit } from '../types';
import { numbersIn } from './numbers';

/** What the last run was found to hold; its extremes as float64, or as the integers that they are when those are wide. */
let seen: usize = 0;
let least: f64 = 0;
let most: f64 = 0;
let leastWide: u64 = 0;
let mostWide: u64 = 0;

/** Elements that are searched at once: they are still in the cache where their NaN have to be counted. */
const PIECE: usize = 65536;

export function extremesRun<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  while (length > 0) {
    const n = min(length, PIECE);
    search<T>(ptr, n);
    Cell.add(cell, fieldBytes, SEEN, f64(seen));
    if (Is.wide<T>()) Extremes.keepWide<T>(cell, fieldBytes, <T>leastWide, <T>mostWide);
    else Extremes.keep(cell, fieldBytes, least, most);
    ptr += n * sizeof<T>();
    length -= n;
  }
}

export class Extremes {
  /** Nothing is kept of a run in which nothing but NaN was seen: its extremes are infinite. */
  @inline static keep(cell: usize, fieldBytes: usize, least: f64, most: f64): void {
    if (least < load<f64>(cell + MIN * fieldBytes)) store<f64>(cell + MIN * fieldBytes, least);
    if (most > load<f64>(cell + MAX * fieldBytes)) store<f64>(cell + MAX * fieldBytes, most);
  }

  @inline static keepWide<T>(cell: usize, fieldBytes: usize, least: T, most: T): void {
    if (least < load<T>(cell + MIN * fieldBytes)) store<T>(cell + MIN * fieldBytes, least);
    if (most > load<T>(cell + MAX * fieldBytes)) store<T>(cell + MAX * fieldBytes, most);
  }
}

function search<T>(ptr: usize, length: usize): void {
  if (isFloat<T>()) searchFloats<T>(ptr, length);
  else searchIntegers<T>(ptr, length);
}

function searchFloats<T>(ptr: usize, length: usize): void {
  const from = ptr;
  let min0 = v128.splat<T>(Limit.highest<T>());
  let min1 = min0;
  let min2 = min0;
  let min3 = min0;
  let max0 = v128.splat<T>(Limit.lowest<T>());
  let max1 = max0;
  let max2 = max0;
  let max3 = max0;
  let sum0 = i64x2.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  const body = length - (length % (64 / sizeof<T>()));
  for (const end = ptr + body * sizeof<T>(); ptr < end;) {
    const reach = Turns.reach(end - ptr);
    for (const last = Turns.last(ptr, end); ptr < last; ptr += 64) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        let x = v128.load(at);
        min0 = Lanes.min<T>(min0, x);
        max0 = Lanes.max<T>(max0, x);
        sum0 = v128.add<T>(sum0, x);
        x = v128.load(at, 16);
        min1 = Lanes.min<T>(min1, x);
        max1 = Lanes.max<T>(max1, x);
        sum1 = v128.add<T>(sum1, x);
        x = v128.load(at, 32);
        min2 = Lanes.min<T>(min2, x);
        max2 = Lanes.max<T>(max2, x);
        sum2 = v128.add<T>(sum2, x);
        x = v128.load(at, 48);
        min3 = Lanes.min<T>(min3, x);
        max3 = Lanes.max<T>(max3, x);
        sum3 = v128.add<T>(sum3, x);
      }
    }
    ptr += Turns.skip(reach);
  }
  const lanes: usize = 16 / sizeof<T>();
  let left = length - body;
  for (; left >= lanes; left -= lanes, ptr += 16) {
    const x = v128.load(ptr);
    min1 = Lanes.min<T>(min1, x);
    max1 = Lanes.max<T>(max1, x);
    sum1 = v128.add<T>(sum1, x);
  }
  min0 = Lanes.min<T>(Lanes.min<T>(min0, min1), Lanes.min<T>(min2, min3));
  max0 = Lanes.max<T>(Lanes.max<T>(max0, max1), Lanes.max<T>(max2, max3));
  least = sizeof<T>() == 4 ? f64(Lanes.least4(min0)) : Lanes.least2(min0);
  most = sizeof<T>() == 4 ? f64(Lanes.most4(max0)) : Lanes.most2(max0);
  seen = length;
  // NaN show in the sum, as infinities of both signs do: only then they are counted.
  sum0 = v128.add<T>(v128.add<T>(sum0, sum1), v128.add<T>(sum2, sum3));
  let hasNan = !i8x16.all_true(v128.eq<T>(sum0, sum0));
  for (; left > 0; left--, ptr += sizeof<T>()) {
    const z = f64(load<T>(ptr));
    if (z < least) least = z;
    if (z > most) most = z;
    if (z != z) hasNan = true;
  }
  if (hasNan) seen = numbersIn<T>(from, length);
}

function searchIntegers<T>(ptr: usize, length: usize): void {
  let min0 = v128.splat<T>(Limit.highest<T>());
  let min1 = min0;
  let max0 = v128.splat<T>(Limit.lowest<T>());
  let max1 = max0;
  const body = length - (length % (32 / sizeof<T>()));
  for (const end = ptr + body * sizeof<T>(); ptr < end;) {
    const reach = Turns.reach(end - ptr);
    for (const last = Turns.last(ptr, end); ptr < last; ptr += 32) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        const x = v128.load(at);
        const y = v128.load(at, 16);
        min0 = Lanes.min<T>(min0, x);
        max0 = Lanes.max<T>(max0, x);
        min1 = Lanes.min<T>(min1, y);
        max1 = Lanes.max<T>(max1, y);
      }
    }
    ptr += Turns.skip(reach);
  }
  min0 = Lanes.min<T>(min0, min1);
  max0 = Lanes.max<T>(max0, max1);
  let low = Limit.highest<T>();
  let high = Limit.lowest<T>();
  v128.store(LANES, min0);
  for (let i: usize = 0; i < 16; i += sizeof<T>()) low = min(low, load<T>(LANES + i));
  v128.store(LANES, max0);
  for (let i: usize = 0; i < 16; i += sizeof<T>()) high = max(high, load<T>(LANES + i));
  for (let left = length - body; left > 0; left--, ptr += sizeof<T>()) {
    const z = load<T>(ptr);
    if (z < low) low = z;
    if (z > high) high = z;
  }
  seen = length;
  leastWide = <u64>low;
  mostWide = <u64>high;
  least = f64(low);
  most = f64(high);
}

/** Room for the lanes of one vector. */
const LANES = memory.data(16, 16);

/** The extremes of a run, and the lowest index of each. The first element has `index`. */
export function argsRun<T>(lines: Lines, ptr: usize, cell: usize, index: f64): void {
  const length = lines.length;
  const fieldBytes = lines.fieldBytes;
  const indexStep = lines.indexStep;
  const wants = lines.wants;
  search<T>(ptr, length);
  if (wants & WANTS_NAN && seen < length) {
    keepIndex(cell + NAN_INDEX * fieldBytes, index + f64(findNan<T>(ptr, length, indexStep < 0)) * indexStep);
  }
  Cell.add(cell, fieldBytes, SEEN, f64(seen));
  if (seen == 0) return;
  const low = isFloat<T>() ? <T>least : <T>leastWide;
  const high = isFloat<T>() ? <T>most : <T>mostWide;
  const minAt = cell + MIN * fieldBytes;
  const maxAt = cell + MAX * fieldBytes;
  const below = Is.wide<T>() ? low < load<T>(minAt) : f64(low) < load<f64>(minAt);
  const above = Is.wide<T>() ? high > load<T>(maxAt) : f64(high) > load<f64>(maxAt);
  const asLow = Is.wide<T>() ? low == load<T>(minAt) : f64(low) == load<f64>(minAt);
  const asHigh = Is.wide<T>() ? high == load<T>(maxAt) : f64(high) == load<f64>(maxAt);
  if (wants & WANTS_MIN && (below || asLow)) {
    if (below) store<f64>(cell + ARGMIN * fieldBytes, Infinity);
    keepIndex(cell + ARGMIN * fieldBytes, index + f64(find<T>(ptr, length, low, indexStep < 0)) * indexStep);
  }
  if (wants & WANTS_MAX && (above || asHigh)) {
    if (above) store<f64>(cell + ARGMAX * fieldBytes, Infinity);
    keepIndex(cell + ARGMAX * fieldBytes, index + f64(find<T>(ptr, length, high, indexStep < 0)) * indexStep);
  }
  if (Is.wide<T>()) Extremes.keepWide<T>(cell, fieldBytes, low, high);
  else Extremes.keep(cell, fieldBytes, f64(low), f64(high));
}

function keepIndex(at: usize, index: f64): void {
  if (index < load<f64>(at)) store<f64>(at, index);
}

/** Position of the first, or last, element with a value, which must be there. */
function find<T>(ptr: usize, length: usize, value: T, last: bool): usize {
  if (last) {
    let i = length - 1;
    while (i > 0 && load<T>(ptr + i * sizeof<T>()) != value) i--;
    return i;
  }
  let i: usize = 0;
  const lanes: usize = 16 / sizeof<T>();
  const wanted = v128.splat<T>(value);
  while (i + lanes <= length && !v128.any_true(v128.eq<T>(v128.load(ptr + i * sizeof<T>()), wanted))) i += lanes;
  while (i < length - 1 && load<T>(ptr + i * sizeof<T>()) != value) i++;
  return i;
}

function findNan<T>(ptr: usize, length: usize, last: bool): usize {
  let at = length;
  for (let i: usize = 0; i < length; i++) {
    const x = load<T>(ptr + i * sizeof<T>());
    if (x == x) continue;
    at = i;
    if (!last) return at;
  }
  return at;
}

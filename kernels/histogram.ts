/**
 * Counting into bins. A counter has 32 bits; counter 0 is for what lies below the first edge and for NaN, counter i + 1 for
 * bin i, the last one for what lies above. Every kernel answers how many NaN it saw. `rows` rows of `count` elements lie
 * `stride` bytes apart; elements are compared with the edges as float64. Hazard: constants of a loop are loaded from
 * memory, since the engine would make them anew in every turn.
 */

import {
  BIAS,
  BINS,
  EDGES,
  FACTORS,
  FIRST,
  FIRST_32,
  FIRST_64,
  HIGHEST,
  LIMIT,
  LOWEST,
  MAGIC,
  SCALE,
  SCALE_32,
  SCALE_64,
  SHIFT,
  WIDTH,
} from '../src/kernels/bin-spec';
import { F32, F64, I32, I64, U32 } from './types';

/** The bits of 2 ** 23 as float32. */
const MAGIC_BITS: u32 = 0x4b000000;

class Element {
  // @ts-ignore: decorator
  @inline static at<T>(ptr: usize): f64 {
    return <f64>load<T>(ptr);
  }

  /** Four places. As float32: whoever is near an edge is looked at again. NaN is taken for what lies below. */
  // @ts-ignore: decorator
  @inline static places<T>(ptr: usize, first: v128, scale: v128, lowest: v128, highest: v128, magic: v128): v128 {
    let places: v128;
    if (sizeof<T>() == 4 && isFloat<T>()) places = f32x4.mul(f32x4.sub(v128.load(ptr), first), scale);
    else {
      const low = f64x2.mul(f64x2.sub(Element.pair<T>(ptr), first), scale);
      const high = f64x2.mul(f64x2.sub(Element.pair<T>(ptr + 2 * sizeof<T>()), first), scale);
      places = i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
    }
    return f32x4.add(magic, f32x4.pmin(highest, f32x4.pmax(lowest, places)));
  }

  /** Two elements as float64. */
  // @ts-ignore: decorator
  @inline static pair<T>(ptr: usize): v128 {
    if (isFloat<T>()) return v128.load(ptr);
    if (sizeof<T>() == 8) return f64x2.replace_lane(f64x2.splat(<f64>load<T>(ptr)), 1, <f64>load<T>(ptr, 8));
    const lanes = v128.load64_zero(ptr);
    return isSigned<T>() ? f64x2.convert_low_i32x4_s(lanes) : f64x2.convert_low_i32x4_u(lanes);
  }

  /** Adds one to a lane of 32 or 64 bits for each of four elements that is NaN. */
  // @ts-ignore: decorator
  @inline static addNans<T>(ptr: usize, nans: v128): v128 {
    if (!isFloat<T>()) return nans;
    const low = v128.load(ptr);
    if (sizeof<T>() == 4) return i32x4.sub(nans, f32x4.ne(low, low));
    const high = v128.load(ptr, 16);
    return i64x2.sub(nans, i64x2.add(f64x2.ne(low, low), f64x2.ne(high, high)));
  }

  // @ts-ignore: decorator
  @inline static sumOfNans<T>(nans: v128): usize {
    if (sizeof<T>() == 8) return <usize>(i64x2.extract_lane(nans, 0) + i64x2.extract_lane(nans, 1));
    return (
      i32x4.extract_lane(nans, 0) +
      i32x4.extract_lane(nans, 1) +
      i32x4.extract_lane(nans, 2) +
      i32x4.extract_lane(nans, 3)
    );
  }
}

class Counter {
  // @ts-ignore: decorator
  @inline static add(counters: usize, index: u32): void {
    const at = counters + ((<usize>index) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }

  // @ts-ignore: decorator
  @inline static addPair(pairs: usize, index: u32): void {
    const at = pairs + ((<usize>index) << 1);
    store<u16>(at, load<u16>(at) + 1);
  }

  /** The counter of an element by its place, which is less than half a bin off: the nearest edge decides. */
  // @ts-ignore: decorator
  @inline static settle<T>(ptr: usize, place: u32, spec: usize, counters: usize): void {
    const shift = load<i32>(spec, SHIFT);
    const edge = ((place - MAGIC_BITS + (1 << (shift - 1))) >> shift) - 1;
    const isAbove = Element.at<T>(ptr) >= load<f64>(<usize>load<u32>(spec, EDGES) + ((<usize>edge) << 3));
    Counter.add(counters, edge + u32(isAbove));
  }
}

function settleFour<T>(ptr: usize, places: v128, spec: usize, counters: usize): void {
  Counter.settle<T>(ptr, i32x4.extract_lane(places, 0), spec, counters);
  Counter.settle<T>(ptr + sizeof<T>(), i32x4.extract_lane(places, 1), spec, counters);
  Counter.settle<T>(ptr + 2 * sizeof<T>(), i32x4.extract_lane(places, 2), spec, counters);
  Counter.settle<T>(ptr + 3 * sizeof<T>(), i32x4.extract_lane(places, 3), spec, counters);
}

/**
 * Counts each element by comparing it with edges, from where the arithmetic points. The edges are one more than the bins,
 * ascending float64, of which the last is replaced by the next float64 above it: the last bin is closed.
 */
export function countExactly(
  type: i32,
  ptr: usize,
  rows: usize,
  stride: usize,
  count: usize,
  spec: usize,
  counters: usize,
): usize {
  let nans: usize = 0;
  for (; rows > 0; rows--, ptr += stride) {
    if (type == F32) nans += exactRow<f32>(ptr, ptr + (count << 2), spec, counters);
    else if (type == F64) nans += exactRow<f64>(ptr, ptr + (count << 3), spec, counters);
    else if (type == I32) nans += exactRow<i32>(ptr, ptr + (count << 2), spec, counters);
    else if (type == U32) nans += exactRow<u32>(ptr, ptr + (count << 2), spec, counters);
    else if (type == I64) nans += exactRow<i64>(ptr, ptr + (count << 3), spec, counters);
    else nans += exactRow<u64>(ptr, ptr + (count << 3), spec, counters);
  }
  return nans;
}

function exactRow<T>(ptr: usize, end: usize, spec: usize, counters: usize): usize {
  let nans: usize = 0;
  for (; ptr < end; ptr += sizeof<T>()) {
    const value = Element.at<T>(ptr);
    nans += usize(value != value);
    Counter.add(counters, counterOf(value, spec));
  }
  return nans;
}

function counterOf(value: f64, spec: usize): u32 {
  const edges = <usize>load<u32>(spec, EDGES);
  const bins = load<i32>(spec, BINS);
  if (!(value >= load<f64>(edges))) return 0;
  if (value >= load<f64>(edges + ((<usize>bins) << 3))) return bins + 1;
  let bin = <i32>Math.min((value - load<f64>(spec, FIRST)) * load<f64>(spec, SCALE), <f64>(bins - 1));
  while (value < load<f64>(edges + ((<usize>bin) << 3))) bin--;
  while (value >= load<f64>(edges + ((<usize>(bin + 1)) << 3))) bin++;
  return bin + 1;
}

/** The same where places are less than half a bin off: only elements near an edge are compared with it. */
export function countBins(
  type: i32,
  ptr: usize,
  rows: usize,
  stride: usize,
  count: usize,
  spec: usize,
  counters: usize,
): usize {
  let nans: usize = 0;
  for (; rows > 0; rows--, ptr += stride) {
    if (type == F32) nans += binRow<f32>(ptr, count, spec, counters);
    else if (type == F64) nans += binRow<f64>(ptr, count, spec, counters);
    else if (type == I32) nans += binRow<i32>(ptr, count, spec, counters);
    else if (type == U32) nans += binRow<u32>(ptr, count, spec, counters);
    else if (type == I64) nans += binRow<i64>(ptr, count, spec, counters);
    else nans += binRow<u64>(ptr, count, spec, counters);
  }
  return nans;
}

function binRow<T>(ptr: usize, count: usize, spec: usize, counters: usize): usize {
  const isSingle = sizeof<T>() == 4 && isFloat<T>();
  const first = v128.load(spec + (isSingle ? FIRST_32 : FIRST_64));
  const scale = v128.load(spec + (isSingle ? SCALE_32 : SCALE_64));
  const lowest = v128.load(spec, LOWEST);
  const highest = v128.load(spec, HIGHEST);
  const magic = v128.load(spec, MAGIC);
  const bias = v128.load(spec, BIAS);
  const limit = v128.load(spec, LIMIT);
  const shift = load<i32>(spec, SHIFT);
  const table = counters - ((<usize>(MAGIC_BITS >> shift)) << 2);
  const end = ptr + count * sizeof<T>();
  const part: usize = 4 * sizeof<T>();
  let nans = i32x4.splat(0);
  for (; ptr + 2 * part <= end; ptr += 2 * part) {
    nans = Element.addNans<T>(ptr + part, Element.addNans<T>(ptr, nans));
    const a = Element.places<T>(ptr, first, scale, lowest, highest, magic);
    const b = Element.places<T>(ptr + part, first, scale, lowest, highest, magic);
    const nearA = i32x4.gt_s(limit, i32x4.add(i32x4.shl(a, 32 - shift), bias));
    const nearB = i32x4.gt_s(limit, i32x4.add(i32x4.shl(b, 32 - shift), bias));
    if (v128.any_true(v128.or(nearA, nearB))) {
      settleFour<T>(ptr, a, spec, counters);
      settleFour<T>(ptr + part, b, spec, counters);
      continue;
    }
    const atA = i32x4.shr_u(a, shift);
    const atB = i32x4.shr_u(b, shift);
    Counter.add(table, i32x4.extract_lane(atA, 0));
    Counter.add(table, i32x4.extract_lane(atA, 1));
    Counter.add(table, i32x4.extract_lane(atA, 2));
    Counter.add(table, i32x4.extract_lane(atA, 3));
    Counter.add(table, i32x4.extract_lane(atB, 0));
    Counter.add(table, i32x4.extract_lane(atB, 1));
    Counter.add(table, i32x4.extract_lane(atB, 2));
    Counter.add(table, i32x4.extract_lane(atB, 3));
  }
  return Element.sumOfNans<T>(nans) + exactRow<T>(ptr, end, spec, counters);
}

/**
 * The same for at most 126 bins and 16 bits of fraction, with half as many counters touched: of each two neighbours that
 * are far from an edge, the counter of the one and that of the other make the index of a 16-bit counter, WIDTH (a multiple
 * of 8 that holds all counters) of them to a row. At most 131,064 elements may be counted before `addPairs` adds them up.
 */
export function countPairs(
  type: i32,
  ptr: usize,
  rows: usize,
  stride: usize,
  count: usize,
  spec: usize,
  counters: usize,
  pairs: usize,
): usize {
  let nans: usize = 0;
  for (; rows > 0; rows--, ptr += stride) {
    if (type == F32) nans += pairRow<f32>(ptr, count, spec, counters, pairs);
    else if (type == F64) nans += pairRow<f64>(ptr, count, spec, counters, pairs);
    else if (type == I32) nans += pairRow<i32>(ptr, count, spec, counters, pairs);
    else if (type == U32) nans += pairRow<u32>(ptr, count, spec, counters, pairs);
    else if (type == I64) nans += pairRow<i64>(ptr, count, spec, counters, pairs);
    else nans += pairRow<u64>(ptr, count, spec, counters, pairs);
  }
  return nans;
}

function pairRow<T>(ptr: usize, count: usize, spec: usize, counters: usize, pairs: usize): usize {
  const isSingle = sizeof<T>() == 4 && isFloat<T>();
  const first = v128.load(spec + (isSingle ? FIRST_32 : FIRST_64));
  const scale = v128.load(spec + (isSingle ? SCALE_32 : SCALE_64));
  const lowest = v128.load(spec, LOWEST);
  const highest = v128.load(spec, HIGHEST);
  const magic = v128.load(spec, MAGIC);
  const bias = v128.load(spec, BIAS);
  const limit = v128.load(spec, LIMIT);
  const factors = v128.load(spec, FACTORS);
  // Both 16-bit halves of an index carry the high bits of the magic number.
  const table = pairs - ((<usize>((MAGIC_BITS >> 16) * (1 + load<u32>(spec, WIDTH)))) << 1);
  const end = ptr + count * sizeof<T>();
  const part: usize = 4 * sizeof<T>();
  let nans = i32x4.splat(0);
  for (; ptr + 2 * part <= end; ptr += 2 * part) {
    nans = Element.addNans<T>(ptr + part, Element.addNans<T>(ptr, nans));
    const a = Element.places<T>(ptr, first, scale, lowest, highest, magic);
    const b = Element.places<T>(ptr + part, first, scale, lowest, highest, magic);
    const fractions = i16x8.shuffle(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
    if (v128.any_true(i16x8.gt_s(limit, i16x8.add(fractions, bias)))) {
      settleFour<T>(ptr, a, spec, counters);
      settleFour<T>(ptr + part, b, spec, counters);
      continue;
    }
    const index = i32x4.dot_i16x8_s(i16x8.shuffle(a, b, 1, 3, 5, 7, 9, 11, 13, 15), factors);
    Counter.addPair(table, i32x4.extract_lane(index, 0));
    Counter.addPair(table, i32x4.extract_lane(index, 1));
    Counter.addPair(table, i32x4.extract_lane(index, 2));
    Counter.addPair(table, i32x4.extract_lane(index, 3));
  }
  return Element.sumOfNans<T>(nans) + exactRow<T>(ptr, end, spec, counters);
}

/** Adds `width` rows of `width` counted pairs to the counters, of which there is room for `width`, and clears them. */
export function addPairs(pairs: usize, width: i32, counters: usize): void {
  const zero = i32x4.splat(0);
  for (let row = 0; row < width; row++) {
    let sums = zero;
    for (let column = 0; column < width; column += 8, pairs += 16) {
      const counts = v128.load(pairs);
      if (!v128.any_true(counts)) continue;
      v128.store(pairs, zero);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(counts));
      const at = counters + ((<usize>column) << 2);
      v128.store(at, i32x4.add(v128.load(at), i32x4.extend_low_i16x8_u(counts)));
      v128.store(at, i32x4.add(v128.load(at, 16), i32x4.extend_high_i16x8_u(counts)), 16);
    }
    const at = counters + ((<usize>row) << 2);
    const sum =
      i32x4.extract_lane(sums, 0) +
      i32x4.extract_lane(sums, 1) +
      i32x4.extract_lane(sums, 2) +
      i32x4.extract_lane(sums, 3);
    store<u32>(at, load<u32>(at) + sum);
  }
}

/**
 * Counts between edges that do not fall, the last of them replaced as above. `starts` are numbers of 32 bits: for each value
 * of the 16 high bits of a float64's key (its bits, flipped so that they sort as the numbers do), how many edges are not
 * above the smallest float64 that has them; then the number of edges; then the steps that the longest search takes. Hazard:
 * a search may look at the 8 bytes before the edges.
 */
export function seekBins(
  type: i32,
  ptr: usize,
  rows: usize,
  stride: usize,
  count: usize,
  starts: usize,
  edges: usize,
  counters: usize,
): usize {
  let nans: usize = 0;
  for (; rows > 0; rows--, ptr += stride) {
    if (type == F32) nans += seekRow<f32>(ptr, ptr + (count << 2), starts, edges, counters);
    else if (type == F64) nans += seekRow<f64>(ptr, ptr + (count << 3), starts, edges, counters);
    else if (type == I32) nans += seekRow<i32>(ptr, ptr + (count << 2), starts, edges, counters);
    else if (type == U32) nans += seekRow<u32>(ptr, ptr + (count << 2), starts, edges, counters);
    else if (type == I64) nans += seekRow<i64>(ptr, ptr + (count << 3), starts, edges, counters);
    else nans += seekRow<u64>(ptr, ptr + (count << 3), starts, edges, counters);
  }
  return nans;
}

function seekRow<T>(ptr: usize, end: usize, starts: usize, edges: usize, counters: usize): usize {
  const steps = load<i32>(starts, 4 * 65537);
  let nans: usize = 0;
  for (; ptr < end; ptr += sizeof<T>()) {
    const value = Element.at<T>(ptr);
    if (value != value) {
      nans++;
      Counter.add(counters, 0);
      continue;
    }
    // 0 and -0 have different bits, and are one number.
    const bits = reinterpret<u64>(value + 0.0);
    const key = bits ^ ((<u64>((<i64>bits) >> 63)) | 0x8000000000000000);
    const at = starts + ((<usize>(key >> 48)) << 2);
    let low = load<u32>(at);
    let high = load<u32>(at, 4);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (load<f64>(edges + ((<usize>middle) << 3)) <= value) low = middle + 1;
      else high = middle;
    }
    Counter.add(counters, low);
  }
  return nans;
}

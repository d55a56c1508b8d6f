/**
 * Counting into bins, as src/kernels/bin-spec.ts tells it. A counter has 32 bits; counter 0 is for what lies below the first
 * edge and for NaN, counter i + 1 for bin i, the last one for what lies above. Every kernel answers how many NaN it saw.
 * Elements have 32 bits or 64, and are compared with the edges as float64. Hazard: constants of a loop are loaded from
 * memory, since the engine would make them anew in every turn.
 */

import {
  BIAS,
  BINS,
  COUNT,
  COUNTERS,
  EDGES,
  FIRST,
  FIRST_32,
  FIRST_64,
  FIRST_FACTORS,
  FROM,
  HIGHEST,
  LIMIT,
  LOWEST,
  MAGIC,
  PAIRS,
  ROWS,
  SCALE,
  SCALE_32,
  SCALE_64,
  SECOND_FACTORS,
  SHIFT,
  STARTS,
  STRIDE,
  WIDTH,
} from '../src/kernels/bin-spec';
import { Parts } from './lines';
import { numbersIn } from './runs/numbers';
import { forType, Kernel } from './types';

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

  /** Adds four elements, by lanes: the sum is NaN where one is. */
  // @ts-ignore: decorator
  @inline static sum<T>(ptr: usize, sum: v128): v128 {
    if (!isFloat<T>()) return sum;
    if (sizeof<T>() == 4) return f32x4.add(sum, v128.load(ptr));
    return f64x2.add(sum, f64x2.add(v128.load(ptr), v128.load(ptr, 16)));
  }

  /** How many of the first elements of a row, whose sum this is, are NaN. */
  // @ts-ignore: decorator
  @inline static nansIn<T>(ptr: usize, count: usize, sum: v128): usize {
    if (!isFloat<T>() || i8x16.all_true(v128.eq<T>(sum, sum))) return 0;
    return count - numbersIn<T>(ptr, count);
  }
}

class Counter {
  // @ts-ignore: decorator
  @inline static add(counters: usize, index: u32): void {
    const at = counters + ((<usize>index) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }

  // @ts-ignore: decorator
  @inline static addTo(at: u32): void {
    store<u16>(at, load<u16>(at) + 1);
  }

  /** Counts four pairs, whose counters' addresses these are. */
  // @ts-ignore: decorator
  @inline static addPairs(addresses: v128): void {
    const low = i64x2.extract_lane(addresses, 0);
    const high = i64x2.extract_lane(addresses, 1);
    Counter.addTo(u32(low));
    Counter.addTo(u32(low >> 32));
    Counter.addTo(u32(high));
    Counter.addTo(u32(high >> 32));
  }

  /** Counts an element by its place, which is less than half a bin off: the nearest edge decides. */
  // @ts-ignore: decorator
  @inline static settle<T>(ptr: usize, place: u32, spec: usize): void {
    const shift = load<i32>(spec, SHIFT);
    const edge = ((place - MAGIC_BITS + (1 << (shift - 1))) >> shift) - 1;
    const isAbove = Element.at<T>(ptr) >= load<f64>(<usize>load<u32>(spec, EDGES) + ((<usize>edge) << 3));
    Counter.add(load<usize>(spec, COUNTERS), edge + u32(isAbove));
  }
}

/** What is done with one row of `count` elements; answers how many of them are NaN. */
class RowKernel {
  row<T>(ptr: usize, count: usize, spec: usize): usize {
    return 0;
  }
}

/** It is done with all rows. */
class Each<K extends RowKernel> extends Kernel {
  run<T>(spec: usize): usize {
    let nans: usize = 0;
    if (sizeof<T>() < 4) return nans;
    const count = load<usize>(spec, COUNT);
    let ptr = load<usize>(spec, FROM);
    for (let rows = load<usize>(spec, ROWS); rows > 0; rows--, ptr += load<usize>(spec, STRIDE)) {
      nans += changetype<K>(<usize>0).row<T>(ptr, count, spec);
    }
    return nans;
  }
}

class Exactly extends RowKernel {
  row<T>(ptr: usize, count: usize, spec: usize): usize {
    const counters = load<usize>(spec, COUNTERS);
    let nans: usize = 0;
    for (const end = ptr + count * sizeof<T>(); ptr < end; ptr += sizeof<T>()) {
      const value = Element.at<T>(ptr);
      nans += usize(value != value);
      Counter.add(counters, counterOf(value, spec));
    }
    return nans;
  }
}

/**
 * Counts each element by comparing it with edges, from where the arithmetic points. The edges are one more than the bins,
 * ascending float64, of which the last is replaced by the next float64 above it: the last bin is closed.
 */
export function countExactly(spec: usize): usize {
  return forType<Each<Exactly>>(spec);
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

function exactly<T>(ptr: usize, count: usize, spec: usize): usize {
  return changetype<Exactly>(<usize>0).row<T>(ptr, count, spec);
}

function settleFour<T>(ptr: usize, places: v128, spec: usize): void {
  Counter.settle<T>(ptr, i32x4.extract_lane(places, 0), spec);
  Counter.settle<T>(ptr + sizeof<T>(), i32x4.extract_lane(places, 1), spec);
  Counter.settle<T>(ptr + 2 * sizeof<T>(), i32x4.extract_lane(places, 2), spec);
  Counter.settle<T>(ptr + 3 * sizeof<T>(), i32x4.extract_lane(places, 3), spec);
}

class Bins extends RowKernel {
  row<T>(ptr: usize, count: usize, spec: usize): usize {
    const isSingle = sizeof<T>() == 4 && isFloat<T>();
    const first = v128.load(spec + (isSingle ? FIRST_32 : FIRST_64));
    const scale = v128.load(spec + (isSingle ? SCALE_32 : SCALE_64));
    const lowest = v128.load(spec, LOWEST);
    const highest = v128.load(spec, HIGHEST);
    const magic = v128.load(spec, MAGIC);
    const bias = v128.load(spec, BIAS);
    const limit = v128.load(spec, LIMIT);
    const shift = load<i32>(spec, SHIFT);
    const table = load<usize>(spec, COUNTERS) - ((<usize>(MAGIC_BITS >> shift)) << 2);
    const part: usize = 4 * sizeof<T>();
    const from = ptr;
    const body = count & ~7;
    let sum = i32x4.splat(0);
    for (const end = ptr + body * sizeof<T>(); ptr < end;) {
      const apart = Parts.apart(end - ptr, 2, part);
      const step = Parts.step(apart, 2, part);
      for (const last = Parts.last(ptr, end, apart); ptr < last; ptr += step) {
        const next = ptr + apart;
        sum = Element.sum<T>(next, Element.sum<T>(ptr, sum));
        const a = Element.places<T>(ptr, first, scale, lowest, highest, magic);
        const b = Element.places<T>(next, first, scale, lowest, highest, magic);
        const nearA = i32x4.gt_s(limit, i32x4.add(i32x4.shl(a, 32 - shift), bias));
        const nearB = i32x4.gt_s(limit, i32x4.add(i32x4.shl(b, 32 - shift), bias));
        if (v128.any_true(v128.or(nearA, nearB))) {
          settleFour<T>(ptr, a, spec);
          settleFour<T>(next, b, spec);
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
      ptr += Parts.skip(apart, 2, part);
    }
    return Element.nansIn<T>(from, body, sum) + exactly<T>(ptr, count - body, spec);
  }
}

/** The same where places are less than half a bin off: only elements near an edge are compared with it. */
export function countBins(spec: usize): usize {
  return forType<Each<Bins>>(spec);
}

class Pairs extends RowKernel {
  row<T>(ptr: usize, count: usize, spec: usize): usize {
    const isSingle = sizeof<T>() == 4 && isFloat<T>();
    const first = v128.load(spec + (isSingle ? FIRST_32 : FIRST_64));
    const scale = v128.load(spec + (isSingle ? SCALE_32 : SCALE_64));
    const lowest = v128.load(spec, LOWEST);
    const highest = v128.load(spec, HIGHEST);
    const magic = v128.load(spec, MAGIC);
    const limit = v128.load(spec, LIMIT);
    const firsts = v128.load(spec, FIRST_FACTORS);
    const seconds = v128.load(spec, SECOND_FACTORS);
    // The high bits of both places carry those of the magic number.
    const magics = (MAGIC_BITS >> 16) * 2 * (1 + load<u32>(spec, WIDTH));
    const table = i32x4.splat(load<u32>(spec, PAIRS) - magics);
    const part: usize = 4 * sizeof<T>();
    const from = ptr;
    const body = count & ~15;
    let sum = i32x4.splat(0);
    for (const end = ptr + body * sizeof<T>(); ptr < end;) {
      const apart = Parts.apart(end - ptr, 4, part);
      const step = Parts.step(apart, 4, part);
      for (const last = Parts.last(ptr, end, apart); ptr < last; ptr += step) {
        const p1 = ptr + apart;
        const p2 = p1 + apart;
        const p3 = p2 + apart;
        sum = Element.sum<T>(p1, Element.sum<T>(ptr, sum));
        const a = Element.places<T>(ptr, first, scale, lowest, highest, magic);
        const b = Element.places<T>(p1, first, scale, lowest, highest, magic);
        const ab = i32x4.add(i32x4.dot_i16x8_s(a, firsts), i32x4.dot_i16x8_s(b, seconds));
        sum = Element.sum<T>(p3, Element.sum<T>(p2, sum));
        const c = Element.places<T>(p2, first, scale, lowest, highest, magic);
        const d = Element.places<T>(p3, first, scale, lowest, highest, magic);
        const lowestFraction = i16x8.min_u(i16x8.min_u(a, b), i16x8.min_u(c, d));
        if (v128.any_true(i16x8.sub_sat_u(limit, lowestFraction))) {
          settleFour<T>(ptr, a, spec);
          settleFour<T>(p1, b, spec);
          settleFour<T>(p2, c, spec);
          settleFour<T>(p3, d, spec);
          continue;
        }
        const cd = i32x4.add(i32x4.dot_i16x8_s(c, firsts), i32x4.dot_i16x8_s(d, seconds));
        Counter.addPairs(i32x4.add(table, ab));
        Counter.addPairs(i32x4.add(table, cd));
      }
      ptr += Parts.skip(apart, 4, part);
    }
    return Element.nansIn<T>(from, body, sum) + exactly<T>(ptr, count - body, spec);
  }
}

/**
 * The same for at most 126 bins and 16 bits of fraction, with half as many counters touched: of each two elements that are
 * far from an edge, the counter of the one and that of the other make the index of a 16-bit counter, WIDTH (a multiple
 * of 8 that holds all counters) of them to a row. At most 131,064 elements may be counted before `addPairs` adds them up.
 */
export function countPairs(spec: usize): usize {
  return forType<Each<Pairs>>(spec);
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

class Seek extends RowKernel {
  row<T>(ptr: usize, count: usize, spec: usize): usize {
    const counters = load<usize>(spec, COUNTERS);
    const edges = load<usize>(spec, EDGES);
    const starts = load<usize>(spec, STARTS);
    let nans: usize = 0;
    for (const end = ptr + count * sizeof<T>(); ptr < end; ptr += sizeof<T>()) {
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
}

/**
 * Counts between edges that do not fall, the last of them replaced as above. `STARTS` are numbers of 32 bits: for each value
 * of the 16 high bits of a float64's key (its bits, flipped so that they sort as the numbers do), how many edges are not
 * above the smallest float64 that has them; then the number of edges.
 */
export function seekBins(spec: usize): usize {
  return forType<Each<Seek>>(spec);
}

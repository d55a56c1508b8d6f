/**
 * Counting into bins. A counter has 32 bits; counter 0 is for what lies below the first edge and for NaN, counter i + 1 for
 * bin i, the last one for what lies above. Elements are compared with the edges as float64.
 */
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../native-types.js';

export interface HistogramKernels {
  /**
   * Counts each element of `rows` rows of `count` elements, `stride` bytes apart, of one of the types of 32 or 64 bits;
   * answers how many are NaN. The edges are one more than the bins, ascending, the last replaced by the next float64 above
   * it (NaN for none). For the spec see BIN_SPEC.
   */
  countExactly(
    type: number,
    ptr: number,
    rows: number,
    stride: number,
    count: number,
    spec: number,
    counters: number,
  ): number;
  /** The same, faster, where the spec's arithmetic is less than half a bin off. */
  countBins(
    type: number,
    ptr: number,
    rows: number,
    stride: number,
    count: number,
    spec: number,
    counters: number,
  ): number;
  /**
   * The same for at most PAIR_BINS_MAX bins: partly into 16-bit counters of pairs of elements, `width` rows of `width` of
   * them, which `addPairs` must add up before more than PAIR_ELEMENTS_MAX elements were counted.
   */
  countPairs(
    type: number,
    ptr: number,
    rows: number,
    stride: number,
    count: number,
    spec: number,
    counters: number,
    pairs: number,
  ): number;
  /** Adds counted pairs to the counters, of which there is room for `width`, a multiple of 8; and clears them. */
  addPairs(pairs: number, width: number, counters: number): void;
  /**
   * Counts between edges that do not fall. `starts` (histogram/starts.ts) says where to look for them. Hazard: a search may
   * look at the 8 bytes before the edges.
   */
  seekBins(
    type: number,
    ptr: number,
    rows: number,
    stride: number,
    count: number,
    starts: number,
    edges: number,
    counters: number,
  ): number;
}

export const PAIR_BINS_MAX = 126;
export const PAIR_ELEMENTS_MAX = 131_064;

/**
 * Offsets in the spec of bins. Vectors of 16 bytes: the first edge and the scale, as float32 and as float64; in fixed point
 * (bins times 2 ** shift) how far places are clamped, and what adds one bin and turns a float into its bits; what decides
 * whether a fraction is near an edge; the factors of a pair. Then numbers of 32 bits, and two float64: the first edge, and
 * bins per unit.
 */
export const BIN_SPEC = {
  first32: 0,
  scale32: 16,
  first64: 32,
  scale64: 48,
  lowest: 64,
  highest: 80,
  magic: 96,
  bias: 112,
  limit: 128,
  factors: 144,
  shift: 160,
  bins: 164,
  width: 168,
  edges: 172,
  first: 176,
  scale: 184,
  bytes: 192,
} as const;

type Read = (memory: DataView, at: number) => number;

/** Reads an element as float64. */
const ELEMENTS: Partial<Record<NativeType, Read>> = {
  f32: (memory, at) => memory.getFloat32(at, true),
  f64: (memory, at) => memory.getFloat64(at, true),
  i32: (memory, at) => memory.getInt32(at, true),
  u32: (memory, at) => memory.getUint32(at, true),
  i64: (memory, at) => Number(memory.getBigInt64(at, true)),
  u64: (memory, at) => Number(memory.getBigUint64(at, true)),
};

export function histogramKernels(memory: DataView): HistogramKernels {
  const u32 = (at: number): number => memory.getUint32(at, true);
  const add = (counters: number, index: number, count = 1): void => {
    memory.setUint32(counters + 4 * index, u32(counters + 4 * index) + count, true);
  };
  /** How many edges are not above a value. */
  const edgesUpTo = (value: number, edges: number, edgeCount: number): number => {
    let low = 0;
    let high = edgeCount;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (memory.getFloat64(edges + 8 * middle, true) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const count = (
    [type, ptr, rows, stride, length]: readonly [number, number, number, number, number],
    edges: number,
    edgeCount: number,
    counters: number,
  ): number => {
    const name = NATIVE_TYPES[type]!;
    const itemsize = NATIVE_BYTES[name];
    const read = ELEMENTS[name]!;
    let nans = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < length; i++) {
        const value = read(memory, ptr + row * stride + i * itemsize);
        if (Number.isNaN(value)) nans++;
        add(counters, Number.isNaN(value) ? 0 : edgesUpTo(value, edges, edgeCount));
      }
    }
    return nans;
  };
  const countBins: HistogramKernels['countBins'] = (type, ptr, rows, stride, length, spec, counters) =>
    count([type, ptr, rows, stride, length], u32(spec + BIN_SPEC.edges), u32(spec + BIN_SPEC.bins) + 1, counters);
  return {
    countExactly: countBins,
    countBins,
    countPairs: (type, ptr, rows, stride, length, spec, counters, _pairs) =>
      countBins(type, ptr, rows, stride, length, spec, counters),
    addPairs(pairs, width, counters) {
      for (let row = 0; row < width; row++) {
        for (let column = 0; column < width; column++) {
          const at = pairs + 2 * (row * width + column);
          const pairCount = memory.getUint16(at, true);
          add(counters, row, pairCount);
          add(counters, column, pairCount);
          memory.setUint16(at, 0, true);
        }
      }
    },
    seekBins: (type, ptr, rows, stride, length, starts, edges, counters) =>
      count([type, ptr, rows, stride, length], edges, u32(starts + 4 * 65_536), counters),
  };
}

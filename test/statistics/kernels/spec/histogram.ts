/**
 * Counting into bins. A counter has 32 bits; counter 0 is for what lies below the first edge and for NaN, counter i + 1 for
 * bin i, the last one for what lies above. Elements are compared with the edges as float64.
 */
import * as SPEC from '../../../../src/kernels/bin-spec.js';
import type { Kernels } from '../../../../src/kernels/index.js';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../../src/kernels/native-types.js';

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

export function histogramKernels(memory: DataView) {
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
  const count = (spec: number): number => {
    const field = (at: number): number => u32(spec + at);
    const name = NATIVE_TYPES[field(SPEC.TYPE)]!;
    const itemsize = NATIVE_BYTES[name];
    const read = ELEMENTS[name]!;
    const starts = field(SPEC.STARTS);
    const edgeCount = starts === 0 ? field(SPEC.BINS) + 1 : u32(starts + 4 * 65_536);
    let nans = 0;
    for (let row = 0; row < field(SPEC.ROWS); row++) {
      for (let i = 0; i < field(SPEC.COUNT); i++) {
        const value = read(memory, field(SPEC.FROM) + row * field(SPEC.STRIDE) + i * itemsize);
        if (Number.isNaN(value)) nans++;
        add(field(SPEC.COUNTERS), Number.isNaN(value) ? 0 : edgesUpTo(value, field(SPEC.EDGES), edgeCount));
      }
    }
    return nans;
  };
  return {
    countExactly: count,
    countBins: count,
    countPairs: count,
    seekBins: count,
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
  } satisfies Partial<Kernels>;
}

/** Values of cells by bucket of a scale, before it is known where elements of wanted ranks lie. */
import type { Kernels } from '../../../../src/kernels/index.js';
import * as SPEC from '../../../../src/kernels/search-spec.js';
import { NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { valuesAt } from './key-ranges.js';
import { readerOf } from './native.js';

export function scaleKernels(memory: DataView) {
  const u32 = (at: number): number => memory.getUint32(at, true);
  const setU32 = (at: number, value: number): void => memory.setUint32(at, value, true);
  return {
    countScaled(values, low, scale, buckets, counters) {
      const { type, count, valueAt } = valuesAt(memory, values);
      const cells = u32(values + SPEC.CELLS);
      const read = readerOf(type);
      const place = type === F32 ? placeInFloat32 : placeInFloat64;
      for (let i = 0; i < count; i++) {
        const bucket = place(Number(read(memory, valueAt(i))), low, scale, buckets);
        const counter = counters + 4 * (u32(cells + 4 * i) * buckets + bucket);
        setU32(counter, u32(counter) + 1);
      }
    },
    cellSizes(counters, cells, buckets, missing, present) {
      let largest = 0;
      for (let cell = 0; cell < cells; cell++) {
        let sum = 0;
        for (let i = 0; i < buckets; i++) {
          const count = u32(counters + 4 * (cell * buckets + i));
          if (i > 0) sum += count;
          largest = Math.max(largest, count);
        }
        setU32(missing + 4 * cell, u32(counters + 4 * cell * buckets));
        setU32(present + 4 * cell, sum);
      }
      return largest | 0;
    },
    narrowCounters(counters, count, itemBytes, to) {
      for (let i = 0; i < count; i++) {
        if (itemBytes === 1) memory.setUint8(to + i, u32(counters + 4 * i));
        else memory.setUint16(to + 2 * i, u32(counters + 4 * i), true);
      }
    },
  } satisfies Partial<Kernels>;
}

const F32 = NATIVE_TYPES.indexOf('f32');

/** The bucket of a value on a scale of `buckets`: 0 for NaN, 1 for what is below `low`; places go to the nearest integer, ties to even. */
export function placeInFloat64(value: number, low: number, scale: number, buckets: number): number {
  if (Number.isNaN(value)) return 0;
  const place = Math.min(Math.max((value - low) * scale, -1), buckets - 3);
  return place + (2 ** 52 + 2) - 2 ** 52;
}

/** The same, every step rounded to float32. */
export function placeInFloat32(value: number, low: number, scale: number, buckets: number): number {
  if (Number.isNaN(value)) return 0;
  const { fround } = Math;
  const place = Math.min(Math.max(fround(fround(value - fround(low)) * fround(scale)), -1), buckets - 3);
  return fround(place + (2 ** 23 + 2)) - 2 ** 23;
}

/**
 * Elements of groups by rank: values → buckets of their cells, counted; and those that lie in ranges of their cells, counted
 * or collected. Values are given by the address of the first, the bytes from one to the next, and the numbers of the rows
 * that are used, or 0 for all.
 */
import type { Kernels } from '../../../../src/kernels/index.js';
import { codeOfValue } from '../../../../src/statistics/codes.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { readerOf } from './native.js';

export function groupSearchKernels(memory: DataView) {
  const u32 = (at: number): number => memory.getUint32(at, true);
  const u64 = (at: number): bigint => memory.getBigUint64(at, true);
  const setU32 = (at: number, value: number): void => memory.setUint32(at, value, true);
  const setU64 = (at: number, value: bigint): void => memory.setBigUint64(at, value, true);
  /** Reads value `i` of those that are given by a type, an address, a stride and the numbers of rows. */
  const valuesOf = (type: number, from: number, stride: number, rows: number): ((i: number) => number | bigint) => {
    const read = readerOf(type);
    return i => read(memory, from + (rows === 0 ? i : u32(rows + 4 * i)) * stride);
  };
  /** Opens the ranges of cells: the number of the range that holds a value, or undefined. */
  const rangesOf = (
    type: number,
    firstCell: number,
    cellCount: number,
    hulls: number,
    starts: number,
    ranges: number,
  ) => {
    const name = NATIVE_TYPES[type]!;
    const read = readerOf(type);
    return (value: number | bigint, cell: number): number | undefined => {
      const own = cell - firstCell;
      if (own < 0 || own >= cellCount) return undefined;
      const hull = hulls + own * 2 * NATIVE_BYTES[name];
      if (!(value >= read(memory, hull) && value <= read(memory, hull + NATIVE_BYTES[name]))) return undefined;
      const code = codeOfValue(name, value);
      for (let range = u32(starts + 4 * own); range < u32(starts + 4 * own + 4); range++) {
        const low = u64(ranges + 16 * range);
        if (code >= low && code - low <= u64(ranges + 16 * range + 8)) return range;
      }
      return undefined;
    };
  };

  return {
    countScaled(type, from, stride, rows, cells, count, low, scale, buckets, counters) {
      const valueOf = valuesOf(type, from, stride, rows);
      const place = type === F32 ? placeInFloat32 : placeInFloat64;
      for (let i = 0; i < count; i++) {
        const bucket = place(Number(valueOf(i)), low, scale, buckets);
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
    countBuckets(type, from, stride, rows, cells, count, firstCell, cellCount, hulls, starts, ranges, bits, counters) {
      const valueOf = valuesOf(type, from, stride, rows);
      const rangeOf = rangesOf(type, firstCell, cellCount, hulls, starts, ranges);
      for (let i = 0; i < count; i++) {
        const value = valueOf(i);
        const range = rangeOf(value, u32(cells + 4 * i));
        if (range === undefined) continue;
        const span = u64(ranges + 16 * range + 8);
        const shift = Math.max(0, (span === 0n ? 0 : span.toString(2).length) - bits);
        const bucket = Number((codeOfValue(NATIVE_TYPES[type]!, value) - u64(ranges + 16 * range)) >> BigInt(shift));
        const counter = counters + 4 * (range * 2 ** bits + bucket);
        setU32(counter, u32(counter) + 1);
      }
    },
    collectCodes(
      type,
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
    ) {
      const valueOf = valuesOf(type, from, stride, rows);
      const rangeOf = rangesOf(type, firstCell, cellCount, hulls, starts, ranges);
      const isWide = NATIVE_BYTES[NATIVE_TYPES[type]!] === 8;
      let collected = 0;
      for (let i = 0; i < count; i++) {
        const value = valueOf(i);
        const range = rangeOf(value, u32(cells + 4 * i));
        if (range === undefined) continue;
        const code = codeOfValue(NATIVE_TYPES[type]!, value);
        if (isWide) setU64(toCodes + 8 * collected, code);
        else setU32(toCodes + 4 * collected, Number(code));
        setU32(toRanges + 4 * collected++, range);
      }
      return collected;
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

/** Elements by rank: those that lie in ranges of sort keys of their cell, collected, and counted by bucket of the range. */
import type { Kernels } from '../../../../src/kernels/index.js';
import * as SPEC from '../../../../src/kernels/search-spec.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { keyAt } from './cells.js';

/** What a kernel is told of values: their type and number, and where each stands. */
export function valuesAt(
  memory: DataView,
  values: number,
): { readonly type: number; readonly count: number; readonly valueAt: (i: number) => number } {
  const field = (at: number): number => memory.getUint32(values + at, true);
  const rowIds = field(SPEC.ROW_IDS);
  const rowOf = (i: number): number => (rowIds === 0 ? i : memory.getUint32(rowIds + 4 * i, true));
  return {
    type: field(SPEC.TYPE),
    count: field(SPEC.COUNT),
    valueAt: i => field(SPEC.FROM) + rowOf(i) * field(SPEC.STRIDE),
  };
}

export function keyRangeKernels(memory: DataView) {
  const u32 = (at: number): number => memory.getUint32(at, true);
  const u64 = (at: number): bigint => memory.getBigUint64(at, true);
  const setU32 = (at: number, value: number): void => memory.setUint32(at, value, true);
  /** The number of the range of a cell that holds a key, or undefined. */
  const rangeOf = (where: number, cell: number, key: bigint): number | undefined => {
    const own = cell - u32(where + SPEC.FIRST_CELL);
    if (own < 0 || own >= u32(where + SPEC.CELL_COUNT)) return undefined;
    const starts = u32(where + SPEC.STARTS) + 4 * own;
    for (let range = u32(starts); range < u32(starts + 4); range++) {
      const low = u64(u32(where + SPEC.RANGES) + 16 * range);
      if (key >= low && key - low <= u64(u32(where + SPEC.RANGES) + 16 * range + 8)) return range;
    }
    return undefined;
  };

  return {
    collectKeys(values, where, toKeys, toRanges) {
      const { type, count, valueAt } = valuesAt(memory, values);
      const cells = u32(values + SPEC.CELLS);
      const isWide = NATIVE_BYTES[NATIVE_TYPES[type]!] === 8;
      let collected = 0;
      for (let i = 0; i < count; i++) {
        const key = keyAt(memory, type, valueAt(i));
        const range = rangeOf(where, cells === 0 ? u32(values + SPEC.CELL) : u32(cells + 4 * i), key);
        if (range === undefined) continue;
        if (isWide) memory.setBigUint64(toKeys + 8 * collected, key, true);
        else setU32(toKeys + 4 * collected, Number(key));
        setU32(toRanges + 4 * collected++, range);
      }
      return collected;
    },
    countRanges(keyBytes, keys, numbers, count, where, bits, counters) {
      for (let i = 0; i < count; i++) {
        const number = u32(numbers + 4 * i);
        const range = u32(where + SPEC.RANGES) + 16 * number;
        const key = keyBytes === 8 ? u64(keys + 8 * i) : BigInt(u32(keys + 4 * i));
        const span = u64(range + 8);
        const shift = Math.max(0, (span === 0n ? 0 : span.toString(2).length) - bits);
        const counter = counters + 4 * (number * 2 ** bits + Number((key - u64(range)) >> BigInt(shift)));
        setU32(counter, u32(counter) + 1);
      }
    },
  } satisfies Partial<Kernels>;
}

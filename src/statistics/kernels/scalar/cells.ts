/**
 * Cells whose elements are all at hand. Elements become keys: unsigned integers of 32 or 64 bits that sort as the elements
 * do, NaN (all as one) last; then the keys of wanted ranks are found.
 */

export interface CellKernels {
  /**
   * Writes the keys of `count` elements of a type (TYPE_NUMBERS), `step` bytes apart, to `to`: 64 bits each for 64-bit
   * types, 32 for all others. Answers how many are NaN.
   */
  toKeys(type: number, ptr: number, step: number, count: number, to: number): number;
  /**
   * The keys of `rankCount` ranks, which are 32-bit numbers below `count` at `ranks`, ascending and distinct: written to
   * `to` in that order. The keys themselves end up in another order.
   */
  selectKeys32(keys: number, count: number, ranks: number, rankCount: number, to: number): void;
  selectKeys64(keys: number, count: number, ranks: number, rankCount: number, to: number): void;
}

/** The types of elements as kernels are told them. */
export const TYPE_NUMBERS = {
  f32: 0,
  f64: 1,
  i8: 2,
  u8: 3,
  i16: 4,
  u16: 5,
  i32: 6,
  u32: 7,
  i64: 8,
  u64: 9,
} as const;

type Key = (memory: DataView, at: number) => number | bigint;

/** By the number of the type. */
const KEYS: readonly Key[] = [
  (memory, at) => {
    const bits = memory.getUint32(at, true);
    if (Number.isNaN(memory.getFloat32(at, true))) return 0xffff_ffff;
    return bits >= 0x8000_0000 ? 0xffff_ffff - bits : bits + 0x8000_0000;
  },
  (memory, at) => {
    const bits = memory.getBigUint64(at, true);
    if (Number.isNaN(memory.getFloat64(at, true))) return 2n ** 64n - 1n;
    return bits >= 2n ** 63n ? 2n ** 64n - 1n - bits : bits + 2n ** 63n;
  },
  (memory, at) => memory.getInt8(at) + 0x8000_0000,
  (memory, at) => memory.getUint8(at),
  (memory, at) => memory.getInt16(at, true) + 0x8000_0000,
  (memory, at) => memory.getUint16(at, true),
  (memory, at) => memory.getInt32(at, true) + 0x8000_0000,
  (memory, at) => memory.getUint32(at, true),
  (memory, at) => memory.getBigInt64(at, true) + 2n ** 63n,
  (memory, at) => memory.getBigUint64(at, true),
];

export function cellKernels(memory: DataView): CellKernels {
  return {
    toKeys(type, ptr, step, count, to) {
      let nans = 0;
      for (let i = 0; i < count; i++) {
        const key = KEYS[type]!(memory, ptr + i * step);
        if (typeof key === 'bigint') memory.setBigUint64(to + 8 * i, key, true);
        else memory.setUint32(to + 4 * i, key, true);
        if (type === TYPE_NUMBERS.f32 && key === 0xffff_ffff) nans++;
        if (type === TYPE_NUMBERS.f64 && key === 2n ** 64n - 1n) nans++;
      }
      return nans;
    },
    selectKeys32(keys, count, ranks, rankCount, to) {
      const sorted = Uint32Array.from({ length: count }, (_, i) => memory.getUint32(keys + 4 * i, true)).sort();
      for (let i = 0; i < rankCount; i++) {
        memory.setUint32(to + 4 * i, sorted[memory.getUint32(ranks + 4 * i, true)]!, true);
      }
    },
    selectKeys64(keys, count, ranks, rankCount, to) {
      const sorted = BigUint64Array.from({ length: count }, (_, i) => memory.getBigUint64(keys + 8 * i, true)).sort();
      for (let i = 0; i < rankCount; i++) {
        memory.setBigUint64(to + 8 * i, sorted[memory.getUint32(ranks + 4 * i, true)]!, true);
      }
    },
  };
}

/**
 * Cells whose elements are all at hand. Elements become sort keys: unsigned integers of the type's bits that sort as the
 * elements do, NaN (all as one) last; then the keys of wanted ranks are found.
 */
import type { Kernels } from '../../../../src/kernels/index.js';
import { NATIVE_TYPES, type NativeType } from '../../../../src/kernels/native-types.js';

type Key = (memory: DataView, at: number) => number | bigint;

const KEYS: Readonly<Record<NativeType, Key>> = {
  f32: (memory, at) => {
    const bits = memory.getUint32(at, true);
    if (Number.isNaN(memory.getFloat32(at, true))) return 0xffff_ffff;
    return bits >= 0x8000_0000 ? 0xffff_ffff - bits : bits + 0x8000_0000;
  },
  f64: (memory, at) => {
    const bits = memory.getBigUint64(at, true);
    if (Number.isNaN(memory.getFloat64(at, true))) return 2n ** 64n - 1n;
    return bits >= 2n ** 63n ? 2n ** 64n - 1n - bits : bits + 2n ** 63n;
  },
  i8: (memory, at) => memory.getInt8(at) + 0x80,
  u8: (memory, at) => memory.getUint8(at),
  i16: (memory, at) => memory.getInt16(at, true) + 0x8000,
  u16: (memory, at) => memory.getUint16(at, true),
  i32: (memory, at) => memory.getInt32(at, true) + 0x8000_0000,
  u32: (memory, at) => memory.getUint32(at, true),
  i64: (memory, at) => memory.getBigInt64(at, true) + 2n ** 63n,
  u64: (memory, at) => memory.getBigUint64(at, true),
};

/** The sort key of the element at an address. */
export function keyAt(memory: DataView, type: number, at: number): bigint {
  return BigInt(KEYS[NATIVE_TYPES[type]!](memory, at));
}

export function cellKernels(memory: DataView) {
  return {
    toKeys(type, ptr, step, count, to) {
      const name = NATIVE_TYPES[type]!;
      let nans = 0;
      for (let i = 0; i < count; i++) {
        const key = KEYS[name](memory, ptr + i * step);
        if (typeof key === 'bigint') memory.setBigUint64(to + 8 * i, key, true);
        else memory.setUint32(to + 4 * i, key, true);
        if (name === 'f32' && key === 0xffff_ffff) nans++;
        if (name === 'f64' && key === 2n ** 64n - 1n) nans++;
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
  } satisfies Partial<Kernels>;
}

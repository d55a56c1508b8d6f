/** Bytes of a file → native numbers, packed; and what kernels found → float64. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { float16ToFloat32 } from '../../../../src/float16.js';

export function convertKernels(memory: DataView) {
  return {
    boolsToBytes(from, to, count) {
      for (let i = 0; i < count; i++) memory.setUint8(to + i, memory.getUint8(from + i) === 0 ? 0 : 1);
    },
    swapBytes(ptr, count, itemsize) {
      const bytes = Buffer.from(memory.buffer, ptr, count * itemsize);
      if (itemsize === 2) bytes.swap16();
      else if (itemsize === 4) bytes.swap32();
      else bytes.swap64();
    },
    halvesToFloats(from, to, count) {
      const halves = Uint16Array.from({ length: count }, (_, i) => memory.getUint16(from + 2 * i, true));
      for (const [i, value] of float16ToFloat32(halves).entries()) memory.setFloat32(to + 4 * i, value, true);
    },
    packItems(itemsize, from, rowStep, rows, step, count, to) {
      const bytes = new Uint8Array(memory.buffer);
      let at = to;
      for (let row = 0; row < rows; row++) {
        for (let i = 0; i < count; i++, at += itemsize) {
          const start = from + row * rowStep + i * step;
          for (let byte = 0; byte < itemsize; byte++) bytes[at + byte] = bytes[start + byte]!;
        }
      }
    },
    packColumns(table, columns, rowStep, rows) {
      const bytes = new Uint8Array(memory.buffer);
      for (let entry = table; entry < table + 12 * columns; entry += 12) {
        const [from, itemsize, to] = [0, 4, 8].map(at => memory.getUint32(entry + at, true)) as [
          number,
          number,
          number,
        ];
        for (let row = 0; row < rows; row++) {
          bytes.copyWithin(to + row * itemsize, from + row * rowStep, from + row * rowStep + itemsize);
        }
      }
    },
    integersToPairs(from, count, values, rests) {
      for (let i = 0; i < count; i++) {
        const integer = memory.getBigInt64(from + 8 * i, true);
        const value = Number(integer);
        memory.setFloat64(rests + 8 * i, Number(integer - BigInt(value)), true);
        memory.setFloat64(values + 8 * i, value, true);
      }
    },
    integersToHalves(signed, from, count, highs, lows) {
      for (let i = 0; i < count; i++) {
        const low = memory.getUint32(from + 8 * i, true);
        const at = from + 8 * i + 4;
        memory.setFloat64(highs + 8 * i, signed === 0 ? memory.getUint32(at, true) : memory.getInt32(at, true), true);
        memory.setFloat64(lows + 8 * i, low, true);
      }
    },
    timesToHalves(from, count, isLow, to) {
      for (let i = 0; i < count; i++) {
        const value = memory.getBigInt64(from + 8 * i, true);
        const half = Number(isLow ? BigInt.asUintN(32, value) : value >> 32n);
        memory.setFloat64(to + 8 * i, value === -(2n ** 63n) ? Number.NaN : half, true);
      }
    },
    timesToKeys(from, count, isLast, to) {
      for (let i = 0; i < count; i++) {
        const value = memory.getBigInt64(from + 8 * i, true) + 2n ** 63n - BigInt(isLast);
        memory.setBigUint64(to + 8 * i, BigInt.asUintN(64, value), true);
      }
    },
    complexParts(itemsize, from, count, part, spreads, to) {
      const isDouble = itemsize === 8;
      const read = (at: number): number => (isDouble ? memory.getFloat64(at, true) : memory.getFloat32(at, true));
      for (let i = 0; i < count; i++) {
        const parts = [read(from + 2 * itemsize * i), read(from + 2 * itemsize * i + itemsize)] as const;
        const isNan = spreads === 1 && parts.some(Number.isNaN);
        const value = part === 2 ? Math.abs(parts[0]) + Math.abs(parts[1]) : isNan ? Number.NaN : parts[part]!;
        if (isDouble) memory.setFloat64(to + 8 * i, value, true);
        else memory.setFloat32(to + 4 * i, value, true);
      }
    },
  } satisfies Partial<Kernels>;
}

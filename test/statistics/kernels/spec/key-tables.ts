/** The first pass of a search for elements by rank: all of a cell are counted by the high bits of their sort keys. */
import { NAN_DIGIT } from '../../../../src/kernels/constants.js';
import type { Kernels } from '../../../../src/kernels/index.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { keyAt } from './cells.js';
import { readerOf } from './native.js';

export function keyTableKernels(memory: DataView) {
  const u32 = (at: number): number => memory.getUint32(at, true);
  const u64 = (at: number): bigint => memory.getBigUint64(at, true);
  /** The bits of integers of up to 16, the 16 high bits of floats. */
  const digitOf = (type: number, at: number): number => {
    if (Number.isNaN(readerOf(type)(memory, at))) return NAN_DIGIT;
    const bytes = NATIVE_BYTES[NATIVE_TYPES[type]!];
    return bytes === 1 ? memory.getUint8(at) : memory.getUint16(at + bytes - 2, true);
  };
  const offsetOf = (type: number, at: number, range: number, bits: number): number => {
    const span = u64(range + 8);
    const shift = BigInt(Math.max(0, (span === 0n ? 0 : span.toString(2).length) - bits));
    const width = 8 * NATIVE_BYTES[NATIVE_TYPES[type]!];
    const offset = BigInt.asUintN(width, keyAt(memory, type, at) - u64(range));
    return Number((offset > span ? span : offset) >> shift);
  };
  return {
    countKeys(type, ptr, lines, stride, count, range, bits, table) {
      const bytes = NATIVE_BYTES[NATIVE_TYPES[type]!];
      const isLong = bytes > 2 && (!NATIVE_TYPES[type]!.startsWith('f') || u64(range) > 0n);
      for (let line = 0; line < lines; line++) {
        for (let i = 0; i < count; i++) {
          const at = ptr + line * stride + i * bytes;
          const counter = table + 4 * (isLong ? offsetOf(type, at, range, bits) : digitOf(type, at));
          memory.setUint32(counter, u32(counter) + 1, true);
        }
      }
    },
    packCounters(counters, count, most, to) {
      const numbers = Array.from({ length: count }, (_, i) => i).filter(i => u32(counters + 4 * i) > 0);
      // Counters are looked at in fours.
      const fours = numbers.filter((number, i) => i === 0 || number >> 2 !== numbers[i - 1]! >> 2);
      if (fours.some(first => numbers.filter(number => number >> 2 < first >> 2).length + 4 > most)) return -1;
      for (const [i, number] of numbers.entries()) {
        memory.setUint32(to + 8 * i, number, true);
        memory.setUint32(to + 8 * i + 4, u32(counters + 4 * number), true);
      }
      return numbers.length;
    },
    orderTable(type, table) {
      const name = NATIVE_TYPES[type]!;
      if (name.startsWith('u') || name === 'i32' || name === 'i64') return;
      const length = name === 'i8' ? 256 : 65_536;
      const digits = Array.from({ length }, (_, i) => u32(table + 4 * i));
      for (const [digit, count] of digits.entries()) {
        const isNegative = digit >= length / 2;
        const key = name.startsWith('f') && isNegative ? length - 1 - digit : (digit + length / 2) % length;
        memory.setUint32(table + 4 * key, count, true);
      }
    },
  } satisfies Partial<Kernels>;
}

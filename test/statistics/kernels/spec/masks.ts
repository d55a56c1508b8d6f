/** Which rows are kept. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { readerOf } from './native.js';

export function maskKernels(memory: DataView) {
  const bytes = new Uint8Array(memory.buffer);
  return {
    withinMask(type, from, stride, count, bounds, flip, mask) {
      const read = readerOf(type);
      const low = read(memory, bounds);
      const high = read(memory, bounds + NATIVE_BYTES[NATIVE_TYPES[type]!]);
      for (let i = 0; i < count; i++) {
        const value = read(memory, from + i * stride);
        bytes[mask + i] = Number(value >= low && value <= high) ^ flip;
      }
    },
    withinAny(codes, count, ends, n, mask) {
      for (let i = 0; i < count; i++) {
        const code = memory.getBigUint64(codes + 8 * i, true);
        let isIn = false;
        for (let j = 0; j < n; j++) {
          const low = memory.getBigUint64(ends + 8 * j, true);
          const high = memory.getBigUint64(ends + 8 * (n + j), true);
          isIn ||= low <= code && code <= high;
        }
        bytes[mask + i] = Number(isIn);
      }
    },
    tableMask(itemBytes, from, stride, count, table, mask) {
      for (let i = 0; i < count; i++) {
        const at = from + i * stride;
        const value = itemBytes === 1 ? memory.getUint8(at) : memory.getUint16(at, true);
        bytes[mask + i] = (bytes[table + (value >> 3)]! >> (value & 7)) & 1;
      }
    },
    andMask(into, from, count) {
      for (let i = 0; i < count; i++) bytes[into + i]! &= bytes[from + i]!;
    },
    orMask(into, from, count) {
      for (let i = 0; i < count; i++) bytes[into + i]! |= bytes[from + i]!;
    },
    notMask(mask, count) {
      for (let i = 0; i < count; i++) bytes[mask + i]! ^= 1;
    },
    rowsOf(mask, count, rows) {
      let kept = 0;
      for (let i = 0; i < count; i++) if (bytes[mask + i] !== 0) memory.setUint32(rows + 4 * kept++, i, true);
      return kept;
    },
    pickRows(from, stride, itemBytes, rows, count, to) {
      for (let i = 0; i < count; i++) {
        const start = from + (rows === 0 ? i : memory.getUint32(rows + 4 * i, true)) * stride;
        bytes.copyWithin(to + i * itemBytes, start, start + itemBytes);
      }
    },
  } satisfies Partial<Kernels>;
}

/** Which rows are kept. */
import { NATIVE_BYTES, NATIVE_TYPES } from '../../native-types.js';
import { readerOf } from './native.js';

export interface MaskKernels {
  /**
   * One value of a native type per row, `stride` bytes apart → a byte of 1 where it is not below the first and not above
   * the second of the two values at `bounds`, else 0; the opposite where `flip` is 1. NaN is outside.
   */
  withinMask(
    type: number,
    from: number,
    stride: number,
    count: number,
    bounds: number,
    flip: number,
    mask: number,
  ): void;
  /** Packed codes → 1 where one of `n` closed intervals, at least one, holds the code: low ends, ascending, then high ends. */
  withinAny(codes: number, count: number, ends: number, n: number, mask: number): void;
  /** Integers of one or two bytes → the bit of each, taken as unsigned, in a table of bits, the lowest of a byte first. */
  tableMask(itemBytes: number, from: number, stride: number, count: number, table: number, mask: number): void;
  /** into &= from */
  andMask(into: number, from: number, count: number): void;
  /** into |= from */
  orMask(into: number, from: number, count: number): void;
  notMask(mask: number, count: number): void;
  /** Numbers of the kept rows, ascending, as u32; answers how many. `rows` has room for `count`. */
  rowsOf(mask: number, count: number, rows: number): number;
  /** The items of `bytes` bytes, `stride` apart, that stand at `rows` (0: the first ones), packed. */
  pickRows(from: number, stride: number, bytes: number, rows: number, count: number, to: number): void;
}

export function maskKernels(memory: DataView): MaskKernels {
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
  };
}

/** Bytes of a file → native numbers, packed; and what kernels found → float64. */
import { float16ToFloat32 } from '../../../float16.js';

export interface ConvertKernels {
  /** Any byte but zero becomes 1. `from` and `to` may be the same, but must not overlap otherwise. */
  boolsToBytes(from: number, to: number, count: number): void;
  /** Reverses the bytes of every item of 2, 4 or 8 bytes, in place. */
  swapBytes(ptr: number, count: number, itemsize: number): void;
  /** float16 → float32, exact. */
  halvesToFloats(from: number, to: number, count: number): void;
  /** `rows` rows of `count` items of 1, 2, 4 or 8 bytes, `step` bytes apart, the rows `rowStep` → one after the other. */
  packItems(
    itemsize: number,
    from: number,
    rowStep: number,
    rows: number,
    step: number,
    count: number,
    to: number,
  ): void;
  /**
   * One item of each of `columns` columns of `rows` rows, `rowStep` bytes apart → packed columns. `table` has of each
   * column the address of its first item, the bytes of an item (1, 2, 4 or 8), and where it goes (u32 each).
   */
  packColumns(table: number, columns: number, rowStep: number, rows: number): void;
  /** int64 below 2 ** 62 → the nearest float64, and what that left out. */
  integersToPairs(from: number, count: number, values: number, rests: number): void;
  /** 64-bit integers → their high halves, with their sign where they have one, and their low halves, as float64. */
  integersToHalves(signed: number, from: number, count: number, highs: number, lows: number): void;
}

export function convertKernels(memory: DataView): ConvertKernels {
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
  };
}

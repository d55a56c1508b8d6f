/** Searching for elements of the sorted data without sorting it: digits of elements, counted in tables of 32 bits. */
import { NAN_DIGIT } from '../../../../src/kernels/constants.js';
import type { Kernels } from '../../../../src/kernels/index.js';
import * as SPEC from '../../../../src/kernels/refine-spec.js';

type Rows = readonly [ptr: number, rows: number, stride: number, count: number];

export function selectKernels(memory: DataView) {
  const u32 = (at: number): number => memory.getUint32(at, true);
  const u64 = (at: number): bigint => memory.getBigUint64(at, true);
  const add = (table: number, index: number): void => {
    memory.setUint32(table + 4 * index, u32(table + 4 * index) + 1, true);
  };
  const each = ([ptr, rows, stride, count]: Rows, itemsize: number, use: (at: number) => void): void => {
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < count; i++) use(ptr + row * stride + i * itemsize);
    }
  };
  const intervalOf = (spec: number, itemsize: number, first: number | bigint): number => {
    const read = itemsize === 4 ? u32 : u64;
    for (let i = 0; i < u32(spec + SPEC.LENGTH); i++) {
      if (read(spec + SPEC.INTERVALS + i * itemsize) === first) return i;
    }
    return -1;
  };
  return {
    countBytes: (ptr, rows, stride, count, table) =>
      each([ptr, rows, stride, count], 1, at => add(table, memory.getUint8(at))),
    countHalves: (ptr, rows, stride, count, table) =>
      each([ptr, rows, stride, count], 2, at => add(table, memory.getUint16(at, true))),
    countFloats32: (ptr, rows, stride, count, table) =>
      each([ptr, rows, stride, count], 4, at =>
        add(table, Number.isNaN(memory.getFloat32(at, true)) ? NAN_DIGIT : memory.getUint16(at + 2, true)),
      ),
    countFloats64: (ptr, rows, stride, count, table) =>
      each([ptr, rows, stride, count], 8, at =>
        add(table, Number.isNaN(memory.getFloat64(at, true)) ? NAN_DIGIT : memory.getUint16(at + 6, true)),
      ),
    countOffsets32: (ptr, rows, stride, count, base, shift, table, last) =>
      each([ptr, rows, stride, count], 4, at => add(table, Math.min(last, ((u32(at) - u32(base)) >>> 0) >>> shift))),
    countOffsets64: (ptr, rows, stride, count, base, shift, table, last) =>
      each([ptr, rows, stride, count], 8, at =>
        add(table, Math.min(last, Number(BigInt.asUintN(64, u64(at) - u64(base)) >> BigInt(shift)))),
      ),
    refine32: (ptr, rows, stride, count, spec, table) =>
      each([ptr, rows, stride, count], 4, at => {
        const first = (u32(at) & u32(spec)) >>> 0;
        const interval = intervalOf(spec, 4, first);
        if (interval < 0) return;
        const index = (u32(at) - first) >>> u32(spec + SPEC.NEXT_SHIFT);
        add(table + 4 * interval * u32(spec + SPEC.TABLE_LENGTH), index);
      }),
    refine64: (ptr, rows, stride, count, spec, table) =>
      each([ptr, rows, stride, count], 8, at => {
        const first = u64(at) & u64(spec);
        const interval = intervalOf(spec, 8, first);
        if (interval < 0) return;
        const index = (u64(at) - first) >> BigInt(u32(spec + SPEC.NEXT_SHIFT));
        add(table + 4 * interval * u32(spec + SPEC.TABLE_LENGTH), Number(index));
      }),
    collect64: (ptr, rows, stride, count, spec, interval, to, room) => {
      const first = u64(spec + SPEC.INTERVALS + 8 * interval);
      let found = 0;
      each([ptr, rows, stride, count], 8, at => {
        if (found < room && (u64(at) & u64(spec)) === first) memory.setBigUint64(to + 8 * found++, u64(at), true);
      });
      return found;
    },
  } satisfies Partial<Kernels>;
}

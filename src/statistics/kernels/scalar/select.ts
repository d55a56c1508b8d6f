/** Searching for elements of the sorted data without sorting it: digits of elements, counted in tables of 32 bits. */

export interface SelectKernels {
  /** Counts every byte, in 256 counters. `rows` rows of `count` elements lie `stride` bytes apart, here and below. */
  countBytes(ptr: number, rows: number, stride: number, count: number, table: number): void;
  /** Counts every 16 bits, in 65,536 counters. */
  countHalves(ptr: number, rows: number, stride: number, count: number, table: number): void;
  /** Counts the 16 high bits of every float; those of a NaN, whichever it is, at NAN_INDEX. */
  countFloats32(ptr: number, rows: number, stride: number, count: number, table: number): void;
  countFloats64(ptr: number, rows: number, stride: number, count: number, table: number): void;
  /** Counts (element - base) >>> shift of integers, `base` being at an address; what is above `last` counts as that. */
  countOffsets32(
    ptr: number,
    rows: number,
    stride: number,
    count: number,
    base: number,
    shift: number,
    table: number,
    last: number,
  ): void;
  countOffsets64(
    ptr: number,
    rows: number,
    stride: number,
    count: number,
    base: number,
    shift: number,
    table: number,
    last: number,
  ): void;
  /**
   * Counts the elements of distinct intervals of bit patterns, each 1 << shift wide and beginning at a multiple of that:
   * those of the i-th by (element - first) >>> nextShift in the i-th table. For the spec see REFINE_SPEC.
   */
  refine32(ptr: number, rows: number, stride: number, count: number, spec: number, table: number): void;
  refine64(ptr: number, rows: number, stride: number, count: number, spec: number, table: number): void;
  /**
   * Copies at most `room` patterns of one of a spec's intervals to `to`, where there must be space for one more; answers
   * how many.
   */
  collect64(
    ptr: number,
    rows: number,
    stride: number,
    count: number,
    spec: number,
    interval: number,
    to: number,
    room: number,
  ): number;
}

/** Where NaN are counted: an index that no other float has. */
export const NAN_INDEX = 0x7fff;

/**
 * Offsets in the spec of refine: the mask that leaves a pattern's interval, as a vector of 16 bytes; the number of
 * intervals, shift, nextShift and counters of a table, 32 bits each; then the first pattern of each interval.
 */
export const REFINE_SPEC = { mask: 0, length: 16, shift: 20, nextShift: 24, tableLength: 28, intervals: 32 } as const;

type Rows = readonly [ptr: number, rows: number, stride: number, count: number];

export function selectKernels(memory: DataView): SelectKernels {
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
    for (let i = 0; i < u32(spec + REFINE_SPEC.length); i++) {
      if (read(spec + REFINE_SPEC.intervals + i * itemsize) === first) return i;
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
        add(table, Number.isNaN(memory.getFloat32(at, true)) ? NAN_INDEX : memory.getUint16(at + 2, true)),
      ),
    countFloats64: (ptr, rows, stride, count, table) =>
      each([ptr, rows, stride, count], 8, at =>
        add(table, Number.isNaN(memory.getFloat64(at, true)) ? NAN_INDEX : memory.getUint16(at + 6, true)),
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
        const index = (u32(at) - first) >>> u32(spec + REFINE_SPEC.nextShift);
        add(table + 4 * interval * u32(spec + REFINE_SPEC.tableLength), index);
      }),
    refine64: (ptr, rows, stride, count, spec, table) =>
      each([ptr, rows, stride, count], 8, at => {
        const first = u64(at) & u64(spec);
        const interval = intervalOf(spec, 8, first);
        if (interval < 0) return;
        const index = (u64(at) - first) >> BigInt(u32(spec + REFINE_SPEC.nextShift));
        add(table + 4 * interval * u32(spec + REFINE_SPEC.tableLength), Number(index));
      }),
    collect64: (ptr, rows, stride, count, spec, interval, to, room) => {
      const first = u64(spec + REFINE_SPEC.intervals + 8 * interval);
      let found = 0;
      each([ptr, rows, stride, count], 8, at => {
        if (found < room && (u64(at) & u64(spec)) === first) memory.setBigUint64(to + 8 * found++, u64(at), true);
      });
      return found;
    },
  };
}

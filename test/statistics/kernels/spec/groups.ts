/**
 * Grouped statistics: keys → codes → group indices of groups → what each cell of a group gathers. Records of cells are all zero
 * before their first element; values are packed unless said otherwise.
 */
import type { Kernels } from '../../../../src/kernels/index.js';
import { codeOfValue } from '../../../../src/kernels/sort-keys.js';
import { NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { readerOf } from './native.js';

const SPREAD = 0x9e37_79b9_7f4a_7c15n;

export function groupKernels(memory: DataView) {
  const u32 = (at: number): number => memory.getUint32(at, true);
  const u64 = (at: number): bigint => memory.getBigUint64(at, true);
  const f64 = (at: number): number => memory.getFloat64(at, true);
  const setU32 = (at: number, value: number): void => memory.setUint32(at, value, true);
  const setU64 = (at: number, value: bigint): void => memory.setBigUint64(at, value, true);
  const setF64 = (at: number, value: number): void => memory.setFloat64(at, value, true);

  const addTo = (pair: number, value: number): void => {
    const before = f64(pair);
    const after = before + value;
    const added = after - before;
    setF64(pair, after);
    setF64(pair + 8, f64(pair + 8) + (before - (after - added) + (value - added)));
  };
  const add = (at: number, value: number): void => setF64(at, f64(at) + value);
  const addInteger = (at: number, value: bigint): void =>
    memory.setBigInt64(at, memory.getBigInt64(at, true) + value, true);
  const highOf = (at: number, isSigned: boolean): number => (isSigned ? memory.getInt32(at + 4, true) : u32(at + 4));
  const addDistance = (cell: number, distance: number): void => {
    const delta = distance - f64(cell + 16);
    add(cell, 1);
    add(cell + 16, delta / f64(cell));
    add(cell + 24, delta * (distance - f64(cell + 16)));
  };
  /** The fields of the cell of each value. */
  const each = (
    cells: number,
    count: number,
    fields: number,
    cellBytes: number,
    use: (cell: number, i: number) => void,
  ): void => {
    for (let i = 0; i < count; i++) use(fields + cellBytes * u32(cells + 4 * i), i);
  };
  /** The slot of a code: its own, or the free one where it belongs. */
  const slotOf = (code: bigint, slots: number, bits: number, entries: number): number => {
    let slot = Number(BigInt.asUintN(64, code * SPREAD) >> BigInt(64 - bits));
    for (;;) {
      const found = u32(slots + 4 * slot);
      if (found === 0 || u64(entries + 8 * (found - 1)) === code) return slots + 4 * slot;
      slot = (slot + 1) % 2 ** bits;
    }
  };
  /** Reads value `i` of those that are given by a type, an address, a stride and the numbers of rows. */
  const valuesOf = (type: number, from: number, stride: number, rows: number): ((i: number) => number | bigint) => {
    const read = readerOf(type);
    return i => read(memory, from + (rows === 0 ? i : u32(rows + 4 * i)) * stride);
  };
  const codesOf = (type: number, from: number, stride: number, rows: number): ((i: number) => bigint) => {
    const valueOf = valuesOf(type, from, stride, rows);
    return i => codeOfValue(NATIVE_TYPES[type]!, valueOf(i));
  };
  /** Where a new code goes: its slot, and what the tables know; false where they are full. */
  const enter = (slot: number, code: bigint, entries: number, knownMax: number, state: number): boolean => {
    const known = u32(state);
    if (known >= knownMax) return false;
    setU64(entries + 8 * known, code);
    setU32(slot, known + 1);
    setU32(state, known + 1);
    return true;
  };

  return {
    widen(type, from, stride, rows, count, to) {
      const valueOf = valuesOf(type, from, stride, rows);
      for (let i = 0; i < count; i++) setF64(to + 8 * i, Number(valueOf(i)));
    },
    codes(type, from, stride, rows, count, to) {
      const codeOf = codesOf(type, from, stride, rows);
      for (let i = 0; i < count; i++) setU64(to + 8 * i, codeOf(i));
    },
    complexCodes(itemsize, from, count, to) {
      const type = itemsize === 4 ? 'f32' : 'f64';
      const valueOf = valuesOf(NATIVE_TYPES.indexOf(type), from, itemsize, 0);
      for (let i = 0; i < count; i++) {
        const parts = [Number(valueOf(2 * i)), Number(valueOf(2 * i + 1))];
        const isNan = parts.some(Number.isNaN);
        for (const [part, value] of parts.entries()) {
          setU64(to + 16 * i + 8 * part, codeOfValue(type, isNan ? Number.NaN : value));
        }
      }
    },
    binCodes(codes, count, bounds, n) {
      for (let i = 0; i < count; i++) {
        let bin = 0;
        while (bin + 1 < n && u64(bounds + 8 * (bin + 1)) <= u64(codes + 8 * i)) bin++;
        setU64(codes + 8 * i, BigInt(bin));
      }
    },
    joinCodes(into, codes, bits, count) {
      for (let i = 0; i < count; i++) {
        setU64(into + 8 * i, BigInt.asUintN(64, u64(into + 8 * i) << BigInt(bits)) | u64(codes + 8 * i));
      }
    },
    pairGroupIndices(first, second, count, to) {
      for (let i = 0; i < count; i++) {
        setU64(to + 8 * i, (BigInt(u32(first + 4 * i)) << 32n) | BigInt(u32(second + 4 * i)));
      }
    },
    assignGroupIndices(type, from, stride, rows, count, slots, bits, entries, knownMax, state, groupIndices) {
      const codeOf = codesOf(type, from, stride, rows);
      for (let i = 0; i < count; i++) {
        const code = codeOf(i);
        const slot = slotOf(code, slots, bits, entries);
        if (u32(slot) === 0 && !enter(slot, code, entries, knownMax, state)) return i;
        setU32(groupIndices + 4 * i, u32(slot) - 1);
      }
      return count;
    },
    assignNear(type, from, stride, rows, count, base, span, slots, entries, knownMax, state, groupIndices) {
      const codeOf = codesOf(type, from, stride, rows);
      for (let i = 0; i < count; i++) {
        const code = codeOf(i);
        const distance = code - BigInt.asUintN(64, base);
        if (distance < 0n || distance >= span) return i;
        const slot = slots + 4 * Number(distance);
        if (u32(slot) === 0 && !enter(slot, code, entries, knownMax, state)) return i;
        setU32(groupIndices + 4 * i, u32(slot) - 1);
      }
      return count;
    },
    fillSlots(slots, bits, entries, known) {
      for (let i = 0; i < known; i++) setU32(slotOf(u64(entries + 8 * i), slots, bits, entries), i + 1);
    },
    knownMask(codes, count, slots, bits, entries, mask) {
      for (let i = 0; i < count; i++) {
        memory.setUint8(mask + i, u32(slotOf(u64(codes + 8 * i), slots, bits, entries)) === 0 ? 0 : 1);
      }
    },
    cellsOf(groupIndices, count, scale, cell, cells) {
      for (let i = 0; i < count; i++) setU32(cells + 4 * i, u32(groupIndices + 4 * i) * scale + cell);
    },
    dropNan(values, cells, count) {
      let kept = 0;
      for (let i = 0; i < count; i++) {
        const value = f64(values + 8 * i);
        if (Number.isNaN(value)) continue;
        setF64(values + 8 * kept, value);
        setU32(cells + 4 * kept++, u32(cells + 4 * i));
      }
      return kept;
    },
    countRows(groupIndices, count, rows) {
      for (let i = 0; i < count; i++) {
        const row = rows + 4 * u32(groupIndices + 4 * i);
        setU32(row, u32(row) + 1);
      }
    },
    countCells: (cells, count, fields, cellBytes) => each(cells, count, fields, cellBytes, cell => add(cell, 1)),
    zeroCells: (values, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => add(cell, Number(f64(values + 8 * i) === 0))),
    sumCells: (values, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => addTo(cell, f64(values + 8 * i))),
    sumIntegerCells: (values, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => addInteger(cell, BigInt(f64(values + 8 * i)))),
    sumWideCells: (from, isSigned, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => {
        addInteger(cell, BigInt(u32(from + 8 * i)));
        addInteger(cell + 8, BigInt(highOf(from + 8 * i, isSigned)));
      }),
    momentCells: (values, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => {
        const value = f64(values + 8 * i);
        if (f64(cell) === 0) setF64(cell + 8, value);
        addDistance(cell, value - f64(cell + 8));
      }),
    momentWideCells: (from, isSigned, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => {
        const value = from + 8 * i;
        if (f64(cell) === 0) setU64(cell + 8, u64(value));
        const high = highOf(value, isSigned) - highOf(cell + 8, isSigned);
        addDistance(cell, high * 2 ** 32 + (u32(value) - u32(cell + 8)));
      }),
    settleMoments(isWide, isSigned, count, fields, cellBytes) {
      for (let i = 0; i < count; i++) {
        const cell = fields + i * cellBytes;
        const high = isWide ? highOf(cell + 8, isSigned) * 2 ** 32 : 0;
        const low = isWide ? u32(cell + 8) : f64(cell + 8);
        const first = high + low;
        const distance = f64(cell + 16) + (low - (first - high));
        const mean = first + distance;
        const added = mean - first;
        setF64(cell + 8, mean);
        setF64(cell + 16, Number.isFinite(mean) ? first - (mean - added) + (distance - added) : 0);
      }
    },
    extremeCells: (values, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => {
        const value = f64(values + 8 * i);
        if (value < f64(cell)) setF64(cell, value);
        if (value > f64(cell + 8)) setF64(cell + 8, value);
      }),
    extremeWideCells: (from, isSigned, cells, count, fields, cellBytes) =>
      each(cells, count, fields, cellBytes, (cell, i) => {
        const read = (at: number): bigint => (isSigned ? memory.getBigInt64(at, true) : u64(at));
        const value = from + 8 * i;
        if (read(value) < read(cell)) setU64(cell, u64(value));
        if (read(value) > read(cell + 8)) setU64(cell + 8, u64(value));
      }),
  } satisfies Partial<Kernels>;
}

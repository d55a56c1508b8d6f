/**
 * Grouped statistics: keys → codes → ordinals of groups → what each cell of a group gathers. Records of cells are all zero
 * before their first element; values are packed unless said otherwise.
 */
import type { Kernels } from '../../../../src/kernels/index.js';
import { codeOfValue } from '../../../../src/statistics/codes.js';
import { NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { readerOf } from './native.js';

const SPREAD = 0x9e37_79b9_7f4a_7c15n;
const LARGE = 2 ** 900;
const SMALL = 2 ** -900;

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
  const addSquare = (record: number, distance: number): void => {
    addTo(record + 16, distance);
    const square = distance * distance;
    const scaled = distance * 134_217_729;
    const high = scaled - (scaled - distance);
    const low = distance - high;
    const error = high * high - square + 2 * high * low + low * low;
    addTo(record + 32, square);
    setF64(record + 40, f64(record + 40) + error);
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
    pairOrdinals(first, second, count, to) {
      for (let i = 0; i < count; i++) {
        setU64(to + 8 * i, (BigInt(u32(first + 4 * i)) << 32n) | BigInt(u32(second + 4 * i)));
      }
    },
    assignOrdinals(type, from, stride, rows, count, slots, bits, entries, knownMax, state, ordinals) {
      const codeOf = codesOf(type, from, stride, rows);
      for (let i = 0; i < count; i++) {
        const code = codeOf(i);
        const slot = slotOf(code, slots, bits, entries);
        if (u32(slot) === 0 && !enter(slot, code, entries, knownMax, state)) return i;
        setU32(ordinals + 4 * i, u32(slot) - 1);
      }
      return count;
    },
    assignNear(type, from, stride, rows, count, base, span, slots, entries, knownMax, state, ordinals) {
      const codeOf = codesOf(type, from, stride, rows);
      for (let i = 0; i < count; i++) {
        const code = codeOf(i);
        const distance = code - BigInt.asUintN(64, base);
        if (distance < 0n || distance >= span) return i;
        const slot = slots + 4 * Number(distance);
        if (u32(slot) === 0 && !enter(slot, code, entries, knownMax, state)) return i;
        setU32(ordinals + 4 * i, u32(slot) - 1);
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
    cellsOf(ordinals, count, scale, cell, cells) {
      for (let i = 0; i < count; i++) setU32(cells + 4 * i, u32(ordinals + 4 * i) * scale + cell);
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
    dropCode(codes, cells, count, nan) {
      let kept = 0;
      for (let i = 0; i < count; i++) {
        const code = u64(codes + 8 * i);
        if (code === BigInt.asUintN(64, nan)) continue;
        setU64(codes + 8 * kept, code);
        setU32(cells + 4 * kept++, u32(cells + 4 * i));
      }
      return kept;
    },
    countCells(cells, count, records) {
      for (let i = 0; i < count; i++) {
        const record = records + 4 * u32(cells + 4 * i);
        setU32(record, u32(record) + 1);
      }
    },
    nonzeroCells(values, cells, count, records) {
      for (let i = 0; i < count; i++) {
        const record = records + 4 * u32(cells + 4 * i);
        setU32(record, u32(record) + Number(f64(values + 8 * i) !== 0));
      }
    },
    sumCells(values, cells, count, records) {
      for (let i = 0; i < count; i++) addTo(records + 16 * u32(cells + 4 * i), f64(values + 8 * i));
    },
    sumWideCells(from, isSigned, cells, count, records) {
      for (let i = 0; i < count; i++) {
        const record = records + 16 * u32(cells + 4 * i);
        const value = isSigned ? memory.getBigInt64(from + 8 * i, true) : u64(from + 8 * i);
        const sum = ((u64(record + 8) << 64n) | u64(record)) + value;
        setU64(record, BigInt.asUintN(64, sum));
        setU64(record + 8, BigInt.asUintN(64, sum >> 64n));
      }
    },
    momentCells(values, cells, count, records) {
      for (let i = 0; i < count; i++) {
        const record = records + 48 * u32(cells + 4 * i);
        const value = f64(values + 8 * i);
        if (f64(record) === 0) setF64(record + 8, value);
        setF64(record, f64(record) + 1);
        addSquare(record, value - f64(record + 8));
      }
    },
    momentWideCells(from, isSigned, cells, count, records) {
      const high = (at: number): number => (isSigned ? memory.getInt32(at + 4, true) : u32(at + 4));
      for (let i = 0; i < count; i++) {
        const record = records + 48 * u32(cells + 4 * i);
        const value = from + 8 * i;
        if (f64(record) === 0) setU64(record + 8, u64(value));
        setF64(record, f64(record) + 1);
        addSquare(record, (high(value) - high(record + 8)) * 2 ** 32 + (u32(value) - u32(record + 8)));
      }
    },
    extremeCells(codes, cells, count, records) {
      for (let i = 0; i < count; i++) {
        const record = records + 16 * u32(cells + 4 * i);
        const code = u64(codes + 8 * i);
        const turned = BigInt.asUintN(64, ~code);
        if (code > u64(record)) setU64(record, code);
        if (turned > u64(record + 8)) setU64(record + 8, turned);
      }
    },
    productCells(values, cells, count, records) {
      for (let i = 0; i < count; i++) {
        const record = records + 24 * u32(cells + 4 * i);
        const product = f64(record + 16) === 0 ? 1 : f64(record);
        const value = f64(values + 8 * i);
        setF64(record + 16, 1);
        const next = product * value;
        if (Math.abs(next) < LARGE && Math.abs(next) > SMALL) {
          setF64(record, next);
          continue;
        }
        const a = exponentOf(product);
        const b = exponentOf(value);
        setF64(record, scaleDown(product, a) * scaleDown(value, b));
        setF64(record + 8, f64(record + 8) + (a + b));
      }
    },
  } satisfies Partial<Kernels>;
}

const scratch = new DataView(new ArrayBuffer(8));

/** The power of two in a value: 0 for 0, NaN and infinities. */
function exponentOf(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return 0;
  scratch.setFloat64(0, value);
  const biased = (scratch.getUint16(0) >> 4) & 0x7ff;
  return biased === 0 ? exponentOf(value * 2 ** 52) - 52 : biased - 1023;
}

/** value * 2 ** -exponent, exactly; in two steps, since 2 ** 1074 is no double. */
function scaleDown(value: number, exponent: number): number {
  const half = exponent >> 1;
  return value * 2 ** -half * 2 ** (half - exponent);
}

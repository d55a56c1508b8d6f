/**
 * Grouped statistics: keys → codes → group indices of groups → what each group gathers. A code is an unsigned 64-bit integer
 * that orders and compares like the value it stands for; a cell is a group, or one of the cells of a group
 * (group index * scale + cell). Fields of a cell (cell-fields.ts) stand side by side, 8 bytes each, and cells `cellBytes` apart.
 * Values are given by the address of the first, the bytes from one to the next, and the numbers of the rows that are used,
 * or 0 for all.
 */
import { Cell, SUM, SUM_REST } from './cell-fields';
import { at, codeOf, Values } from './codes';
import { forType, Kernel } from './types';

class Widen extends Kernel {
  run<T>(args: usize): usize {
    const values = changetype<Values>(args);
    const from = values.from;
    const stride = values.stride;
    const rows = values.rows;
    const to = values.to;
    const count = values.count;
    if (rows) for (let i: usize = 0; i < count; i++) store<f64>(to + i * 8, f64(load<T>(at(from, stride, rows, i))));
    else for (let i: usize = 0; i < count; i++) store<f64>(to + i * 8, f64(load<T>(from + i * stride)));
    return 0;
  }
}

/** Values of a native type → packed f64; 64-bit integers are rounded. */
export function widen(type: i32, from: usize, stride: usize, rows: usize, count: usize, to: usize): void {
  forType<Widen>(Values.of(type, from, stride, rows, count, to));
}

class Codes extends Kernel {
  run<T>(args: usize): usize {
    const values = changetype<Values>(args);
    const from = values.from;
    const stride = values.stride;
    const rows = values.rows;
    const to = values.to;
    const count = values.count;
    let i: usize = 0;
    if (rows) {
      for (; i < count; i++) store<u64>(to + i * 8, codeOf<T>(at(from, stride, rows, i)));
      return 0;
    }
    if (sizeof<T>() === 4) {
      if (stride === 4) {
        for (; i + 4 <= count; i += 4) codesOfFour<T>(from + i * 4, to + i * 8);
      }
    }
    for (; i < count; i++) store<u64>(to + i * 8, codeOf<T>(from + i * stride));
    return 0;
  }
}

/** Four packed values of 32 bits. */
function codesOfFour<T>(from: usize, to: usize): void {
  let bits = v128.load(from);
  if (isFloat<T>()) {
    const magnitude = v128.and(bits, i32x4.splat(0x7fff_ffff));
    const isNan = i32x4.gt_s(magnitude, i32x4.splat(0x7f80_0000));
    const sign = i32x4.shr_s(bits, 31);
    // Minus the magnitude where the sign is set.
    const rank = i32x4.sub(v128.xor(magnitude, sign), sign);
    bits = v128.or(v128.xor(rank, i32x4.splat(i32.MIN_VALUE)), isNan);
  } else if (isSigned<T>()) bits = v128.xor(bits, i32x4.splat(i32.MIN_VALUE));
  v128.store(to, i64x2.extend_low_i32x4_u(bits));
  v128.store(to + 16, i64x2.extend_high_i32x4_u(bits));
}

/** Values of a native type → packed codes. */
export function codes(type: i32, from: usize, stride: usize, rows: usize, count: usize, to: usize): void {
  forType<Codes>(Values.of(type, from, stride, rows, count, to));
}

/**
 * Packed complex numbers of two floats of `itemsize` bytes → the codes of both parts, one behind the other; those of NaN
 * where one of them is.
 */
export function complexCodes(itemsize: i32, from: usize, count: usize, to: usize): void {
  if (itemsize == 4) codesOfComplex<f32>(from, count, to);
  else codesOfComplex<f64>(from, count, to);
}

function codesOfComplex<T>(from: usize, count: usize, to: usize): void {
  for (let i: usize = 0; i < count; i++, from += 2 * sizeof<T>(), to += 16) {
    const isNan = load<T>(from) != load<T>(from) || load<T>(from + sizeof<T>()) != load<T>(from + sizeof<T>());
    const nan: u64 = sizeof<T>() == 4 ? 0xffff_ffff : u64.MAX_VALUE;
    store<u64>(to, isNan ? nan : codeOf<T>(from));
    store<u64>(to + 8, isNan ? nan : codeOf<T>(from + sizeof<T>()));
  }
}

/** Codes → the number of the last of `n` ascending lower bounds that is not above each, or 0; in place. */
export function binCodes(codes: usize, count: usize, bounds: usize, n: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const code = load<u64>(codes + i * 8);
    let base: usize = 0;
    let length = n;
    while (length > 1) {
      const half = length >> 1;
      base = load<u64>(bounds + (base + half) * 8) <= code ? base + half : base;
      length -= half;
    }
    store<u64>(codes + i * 8, u64(base));
  }
}

/** into = into * 2 ** bits + codes */
export function joinCodes(into: usize, codes: usize, bits: i32, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    store<u64>(into + i * 8, (load<u64>(into + i * 8) << u64(bits)) | load<u64>(codes + i * 8));
  }
}

/** Two group indices → one code. */
export function pairGroupIndices(first: usize, second: usize, count: usize, to: usize): void {
  for (let i: usize = 0; i < count; i++) {
    store<u64>(to + i * 8, (u64(load<u32>(first + i * 4)) << 32) | u64(load<u32>(second + i * 4)));
  }
}

/** 2 ** 64 / the golden ratio: spreads neighbouring codes (Knuth, The Art of Computer Programming 6.4). */
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/**
 * Values → group indices in the order of their first appearance, through an open-addressed table of 2 ** bits slots (group index
 * plus one, 0 is free) over the codes that have a group index, `known` of them. Stops before the code that would be the
 * one after `knownMax`; `knownMax` below the number of slots. `state` holds `known` before and after; answers how many
 * values were done.
 */
export function assignGroupIndices(
  type: i32,
  from: usize,
  stride: usize,
  rows: usize,
  count: usize,
  slots: usize,
  bits: i32,
  entries: usize,
  knownMax: usize,
  state: usize,
  groupIndices: usize,
): usize {
  tableOf(slots, entries, knownMax, state).bits = bits;
  return forType<Hashed>(Values.of(type, from, stride, rows, count, groupIndices));
}

/** What `assignGroupIndices` and `assignNear` tell of a table. */
@unmanaged
class Table {
  slots: usize;
  entries: usize;
  knownMax: usize;
  state: usize;
  bits: i32;
  span: u32;
  base: u64;
}

const TABLE = changetype<Table>(memory.data(32, 8));

function tableOf(slots: usize, entries: usize, knownMax: usize, state: usize): Table {
  TABLE.slots = slots;
  TABLE.entries = entries;
  TABLE.knownMax = knownMax;
  TABLE.state = state;
  return TABLE;
}

class Hashed extends Kernel {
  run<T>(args: usize): usize {
    return assignHashed<T>(changetype<Values>(args));
  }
}

function assignHashed<T>(values: Values): usize {
  const from = values.from;
  const stride = values.stride;
  const rows = values.rows;
  const count = values.count;
  const groupIndices = values.to;
  const slots = TABLE.slots;
  const bits = TABLE.bits;
  const entries = TABLE.entries;
  const knownMax = TABLE.knownMax;
  const state = TABLE.state;
  const shift = u64(64 - bits);
  const last = (usize(1) << usize(bits)) - 1;
  let known = load<u32>(state);
  let i: usize = 0;
  for (; i < count; i++) {
    const code = codeOf<T>(at(from, stride, rows, i));
    let slot = usize((code * SPREAD) >> shift);
    let found: u32 = 0;
    while (true) {
      found = load<u32>(slots + slot * 4);
      if (found === 0 || load<u64>(entries + usize(found - 1) * 8) === code) break;
      slot = (slot + 1) & last;
    }
    if (found === 0) {
      if (known >= u32(knownMax)) break;
      store<u64>(entries + usize(known) * 8, code);
      found = ++known;
      store<u32>(slots + slot * 4, found);
    }
    store<u32>(groupIndices + i * 4, found - 1);
  }
  store<u32>(state, known);
  return i;
}

/**
 * The same for codes in a narrow window: those from `base` to `base + span` have a slot each. Stops before a code outside
 * the window, too.
 */
export function assignNear(
  type: i32,
  from: usize,
  stride: usize,
  rows: usize,
  count: usize,
  base: u64,
  span: u32,
  slots: usize,
  entries: usize,
  knownMax: usize,
  state: usize,
  groupIndices: usize,
): usize {
  const table = tableOf(slots, entries, knownMax, state);
  table.base = base;
  table.span = span;
  return forType<Near>(Values.of(type, from, stride, rows, count, groupIndices));
}

class Near extends Kernel {
  run<T>(args: usize): usize {
    return assignNearOf<T>(changetype<Values>(args));
  }
}

function assignNearOf<T>(values: Values): usize {
  const from = values.from;
  const stride = values.stride;
  const rows = values.rows;
  const count = values.count;
  const groupIndices = values.to;
  const base = TABLE.base;
  const span = TABLE.span;
  const slots = TABLE.slots;
  const entries = TABLE.entries;
  const knownMax = TABLE.knownMax;
  const state = TABLE.state;
  const isPacked = isInteger<T>() && sizeof<T>() === 4 && !rows && stride === 4;
  let known = load<u32>(state);
  let i: usize = 0;
  let end: usize = isPacked ? 0 : count;
  while (true) {
    for (; i < end; i++) {
      const code = codeOf<T>(at(from, stride, rows, i));
      const distance = code - base;
      if (distance >= u64(span)) break;
      const slot = slots + usize(distance) * 4;
      let found = load<u32>(slot);
      if (found === 0) {
        if (known >= u32(knownMax)) break;
        store<u64>(entries + usize(known) * 8, code);
        found = ++known;
        store<u32>(slot, found);
      }
      store<u32>(groupIndices + i * 4, found - 1);
    }
    if (i < end || i === count) break;
    // Four that are known are done at once; where one is not, they are done one by one.
    i += nearFours<T>(from + i * 4, count - i, base, span, slots, groupIndices + i * 4);
    end = i + 4 < count ? i + 4 : count;
  }
  store<u32>(state, known);
  return i;
}

/** Packed integers of 32 bits, four at a time, until one of four has no group index; answers how many are done. */
function nearFours<T>(from: usize, count: usize, base: u64, span: u32, slots: usize, groupIndices: usize): usize {
  // Codes of signed ones are moved by half of all values.
  const bases = i32x4.splat(isSigned<T>() ? i32(base) ^ i32.MIN_VALUE : i32(base));
  const spans = i32x4.splat(span);
  const ones = i32x4.splat(1);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const distances = i32x4.sub(v128.load(from + i * 4), bases);
    if (!i32x4.all_true(i32x4.lt_u(distances, spans))) break;
    const offsets = i32x4.shl(distances, 2);
    let found = v128.load32_zero(slots + usize(i32x4.extract_lane(offsets, 0)));
    found = v128.load32_lane(slots + usize(i32x4.extract_lane(offsets, 1)), found, 1);
    found = v128.load32_lane(slots + usize(i32x4.extract_lane(offsets, 2)), found, 2);
    found = v128.load32_lane(slots + usize(i32x4.extract_lane(offsets, 3)), found, 3);
    if (!i32x4.all_true(found)) break;
    v128.store(groupIndices + i * 4, i32x4.sub(found, ones));
  }
  return i;
}

/** Fills an empty table (all slots 0) with the first `known` entries. */
export function fillSlots(slots: usize, bits: i32, entries: usize, known: usize): void {
  const shift = u64(64 - bits);
  const last = (usize(1) << usize(bits)) - 1;
  for (let i: usize = 0; i < known; i++) {
    let slot = usize((load<u64>(entries + i * 8) * SPREAD) >> shift);
    while (load<u32>(slots + slot * 4) !== 0) slot = (slot + 1) & last;
    store<u32>(slots + slot * 4, u32(i + 1));
  }
}

/** Packed codes → 1 where the table knows the code. */
export function knownMask(codes: usize, count: usize, slots: usize, bits: i32, entries: usize, mask: usize): void {
  const shift = u64(64 - bits);
  const last = (usize(1) << usize(bits)) - 1;
  for (let i: usize = 0; i < count; i++) {
    const code = load<u64>(codes + i * 8);
    let slot = usize((code * SPREAD) >> shift);
    let found: u32 = 0;
    while (true) {
      found = load<u32>(slots + slot * 4);
      if (found === 0 || load<u64>(entries + usize(found - 1) * 8) === code) break;
      slot = (slot + 1) & last;
    }
    store<u8>(mask + i, u8(found !== 0));
  }
}

/** cells = group indices * scale + cell */
export function cellsOf(groupIndices: usize, count: usize, scale: u32, cell: u32, cells: usize): void {
  for (let i: usize = 0; i < count; i++) store<u32>(cells + i * 4, load<u32>(groupIndices + i * 4) * scale + cell);
}

/** Packed values that are not NaN, and the cells of them, moved to the front; answers how many there are. */
export function dropNan(values: usize, cells: usize, count: usize): usize {
  let kept: usize = 0;
  for (let i: usize = 0; i < count; i++) {
    const value = load<f64>(values + i * 8);
    store<f64>(values + kept * 8, value);
    store<u32>(cells + kept * 4, load<u32>(cells + i * 4));
    kept += usize(value === value);
  }
  return kept;
}

/** Rows of each group, u32. */
export function countRows(groupIndices: usize, count: usize, rows: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const row = rows + usize(load<u32>(groupIndices + i * 4)) * 4;
    store<u32>(row, load<u32>(row) + 1);
  }
}

/** Where the fields of a cell begin: `fields` is that of cell 0. */
function cellAt(cells: usize, i: usize, fields: usize, cellBytes: usize): usize {
  return fields + usize(load<u32>(cells + i * 4)) * cellBytes;
}

/** SEEN, or COUNT. */
export function countCells(cells: usize, count: usize, fields: usize, cellBytes: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const cell = cellAt(cells, i, fields, cellBytes);
    store<f64>(cell, load<f64>(cell) + 1);
  }
}

/** ZEROS. */
export function zeroCells(values: usize, cells: usize, count: usize, fields: usize, cellBytes: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const cell = cellAt(cells, i, fields, cellBytes);
    store<f64>(cell, load<f64>(cell) + f64(load<f64>(values + i * 8) === 0));
  }
}

/** SUM and SUM_REST of floats. Once the sum is not finite, the rest means nothing. */
export function sumCells(values: usize, cells: usize, count: usize, fields: usize, cellBytes: usize): void {
  for (let i: usize = 0; i < count; i++) {
    Cell.addToSum(cellAt(cells, i, fields, cellBytes), 8, load<f64>(values + i * 8));
  }
}

/** SUM of integers of at most 32 bits, which are given as float64. */
export function sumIntegerCells(values: usize, cells: usize, count: usize, fields: usize, cellBytes: usize): void {
  for (let i: usize = 0; i < count; i++) {
    Cell.addInteger(cellAt(cells, i, fields, cellBytes), 8, SUM, i64(load<f64>(values + i * 8)));
  }
}

/** SUM of the low halves of packed 64-bit integers, SUM_REST of the high ones. */
export function sumWideCells(
  from: usize,
  isSigned: bool,
  cells: usize,
  count: usize,
  fields: usize,
  cellBytes: usize,
): void {
  for (let i: usize = 0; i < count; i++) {
    const cell = cellAt(cells, i, fields, cellBytes);
    const value = load<i64>(from + i * 8);
    Cell.addInteger(cell, 8, SUM, value & 0xffff_ffff);
    Cell.addInteger(cell, 8, SUM_REST, isSigned ? value >> 32 : i64(u64(value) >> 32));
  }
}

/**
 * COUNT, MEAN, MEAN_REST and M2, side by side. While values are added, MEAN is the cell's first value, MEAN_REST the mean of
 * the distances from it, and M2 is as it will be (Welford 1962); settleMoments makes a mean and its rest of them.
 */
export function momentCells(values: usize, cells: usize, count: usize, fields: usize, cellBytes: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const cell = cellAt(cells, i, fields, cellBytes);
    const value = load<f64>(values + i * 8);
    if (load<f64>(cell) === 0) store<f64>(cell, value, 8);
    addDistance(cell, value - load<f64>(cell, 8));
  }
}

/** The same for packed 64-bit integers: the first value is kept as its bits. Distances are rounded once. */
export function momentWideCells(
  from: usize,
  isSigned: bool,
  cells: usize,
  count: usize,
  fields: usize,
  cellBytes: usize,
): void {
  for (let i: usize = 0; i < count; i++) {
    const cell = cellAt(cells, i, fields, cellBytes);
    const value = load<u64>(from + i * 8);
    if (load<f64>(cell) === 0) store<u64>(cell, value, 8);
    const first = load<u64>(cell, 8);
    const low = f64(value & 0xffff_ffff) - f64(first & 0xffff_ffff);
    addDistance(cell, (highOf(value, isSigned) - highOf(first, isSigned)) * 4294967296 + low);
  }
}

function highOf(value: u64, isSigned: bool): f64 {
  return isSigned ? f64(i64(value) >> 32) : f64(value >> 32);
}

function addDistance(cell: usize, distance: f64): void {
  const seen = load<f64>(cell) + 1;
  const before = load<f64>(cell, 16);
  const delta = distance - before;
  const mean = before + delta / seen;
  store<f64>(cell, seen);
  store<f64>(cell, mean, 16);
  store<f64>(cell, load<f64>(cell, 24) + delta * (distance - mean), 24);
}

/** Ends what momentCells began, or momentWideCells where `isWide`, for the first `count` cells. */
export function settleMoments(isWide: bool, isSigned: bool, count: usize, fields: usize, cellBytes: usize): void {
  for (let cell = fields; count > 0; count--, cell += cellBytes) {
    let first = load<f64>(cell, 8);
    let low: f64 = 0;
    if (isWide) {
      const bits = load<u64>(cell, 8);
      const high = highOf(bits, isSigned) * 4294967296;
      low = f64(bits & 0xffff_ffff);
      first = high + low;
      low -= first - high;
    }
    const distance = load<f64>(cell, 16) + low;
    const mean = first + distance;
    const added = mean - first;
    store<f64>(cell, mean, 8);
    store<f64>(cell, mean - mean == 0 ? first - (mean - added) + (distance - added) : 0, 16);
  }
}

/** MIN and MAX, side by side. */
export function extremeCells(values: usize, cells: usize, count: usize, fields: usize, cellBytes: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const cell = cellAt(cells, i, fields, cellBytes);
    const value = load<f64>(values + i * 8);
    if (value < load<f64>(cell)) store<f64>(cell, value);
    if (value > load<f64>(cell, 8)) store<f64>(cell, value, 8);
  }
}

/** The same for packed 64-bit integers. */
export function extremeWideCells(
  from: usize,
  isSigned: bool,
  cells: usize,
  count: usize,
  fields: usize,
  cellBytes: usize,
): void {
  if (isSigned) extremesOfWide<i64>(from, cells, count, fields, cellBytes);
  else extremesOfWide<u64>(from, cells, count, fields, cellBytes);
}

function extremesOfWide<T>(from: usize, cells: usize, count: usize, fields: usize, cellBytes: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const cell = cellAt(cells, i, fields, cellBytes);
    const value = load<T>(from + i * 8);
    if (value < load<T>(cell)) store<T>(cell, value);
    if (value > load<T>(cell, 8)) store<T>(cell, value, 8);
  }
}

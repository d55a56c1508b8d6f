/**
 * Which rows are kept: values → masks of one byte per row (1 kept, 0 not), masks → row numbers, row numbers → the values
 * of those rows. Columns are given by the address of their first value and the bytes from one to the next.
 */
import { Values } from './codes';
import { forType, Kernel } from './types';

/** One value per row → 1 where `low <= value <= high`, which no NaN does, or the opposite where `flip` is 1. */
function within<T>(from: usize, stride: usize, count: usize, low: T, high: T, flip: i32, mask: usize): void {
  let i: usize = 0;
  if (sizeof<T>() < 8) {
    if (stride === sizeof<T>()) i = withinPacked<T>(from, count, low, high, flip, mask);
  }
  for (; i < count; i++) {
    const value = load<T>(from + i * stride);
    store<u8>(mask + i, u8((i32(value >= low) & i32(value <= high)) ^ flip));
  }
}

/** Sixteen rows at a time; answers how many rows are done. */
function withinPacked<T>(from: usize, count: usize, low: T, high: T, flip: i32, mask: usize): usize {
  const lows = v128.splat<T>(low);
  const highs = v128.splat<T>(high);
  const flips = i8x16.splat(i8(flip));
  const ones = i8x16.splat(1);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) {
    const at = from + i * sizeof<T>();
    let bytes: v128;
    if (sizeof<T>() === 1) bytes = inside<T>(at, lows, highs);
    else if (sizeof<T>() === 2) {
      bytes = i8x16.narrow_i16x8_s(inside<T>(at, lows, highs), inside<T>(at + 16, lows, highs));
    } else {
      bytes = i8x16.narrow_i16x8_s(
        i16x8.narrow_i32x4_s(inside<T>(at, lows, highs), inside<T>(at + 16, lows, highs)),
        i16x8.narrow_i32x4_s(inside<T>(at + 32, lows, highs), inside<T>(at + 48, lows, highs)),
      );
    }
    v128.store(mask + i, v128.xor(v128.and(bytes, ones), flips));
  }
  return i;
}

function inside<T>(at: usize, lows: v128, highs: v128): v128 {
  const values = v128.load(at);
  return v128.and(v128.ge<T>(values, lows), v128.le<T>(values, highs));
}

/** What `withinMask` was told beside the values. */
let withinBounds: usize = 0;
let withinFlip: i32 = 0;

class Within extends Kernel {
  run<T>(args: usize): usize {
    const values = changetype<Values>(args);
    const low = load<T>(withinBounds);
    const high = load<T>(withinBounds + sizeof<T>());
    within<T>(values.from, values.stride, values.count, low, high, withinFlip, values.to);
    return 0;
  }
}

/**
 * One value of a native type (types.ts) per row → mask. `bounds` holds the lowest and the highest value that is kept, in the
 * column's own type.
 */
export function withinMask(
  type: i32,
  from: usize,
  stride: usize,
  count: usize,
  bounds: usize,
  flip: i32,
  mask: usize,
): void {
  withinBounds = bounds;
  withinFlip = flip;
  forType<Within>(Values.of(type, from, stride, 0, count, mask));
}

/**
 * Packed codes (groups.ts) → 1 where one of `n` closed intervals, at least one, holds the code: `ends` has their low ends,
 * ascending, then their high ends.
 */
export function withinAny(codes: usize, count: usize, ends: usize, n: usize, mask: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const code = load<u64>(codes + i * 8);
    // The last interval that starts at or below the code.
    let base: usize = 0;
    let length = n;
    while (length > 1) {
      const half = length >> 1;
      base = load<u64>(ends + (base + half) * 8) <= code ? base + half : base;
      length -= half;
    }
    const isIn = i32(load<u64>(ends + base * 8) <= code) & i32(code <= load<u64>(ends + (n + base) * 8));
    store<u8>(mask + i, u8(isIn));
  }
}

/** Integers of one or two bytes → the bit of each, taken as unsigned, in a table of bits. */
export function tableMask(bytes: usize, from: usize, stride: usize, count: usize, table: usize, mask: usize): void {
  if (bytes === 1) lookUp<u8>(from, stride, count, table, mask);
  else lookUp<u16>(from, stride, count, table, mask);
}

function lookUp<T>(from: usize, stride: usize, count: usize, table: usize, mask: usize): void {
  for (let i: usize = 0; i < count; i++, from += stride) {
    const value = u32(load<T>(from));
    store<u8>(mask + i, u8((u32(load<u8>(table + (value >> 3))) >> (value & 7)) & 1));
  }
}

/** into &= from */
export function andMask(into: usize, from: usize, count: usize): void {
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) v128.store(into + i, v128.and(v128.load(into + i), v128.load(from + i)));
  for (; i < count; i++) store<u8>(into + i, load<u8>(into + i) & load<u8>(from + i));
}

/** into |= from */
export function orMask(into: usize, from: usize, count: usize): void {
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) v128.store(into + i, v128.or(v128.load(into + i), v128.load(from + i)));
  for (; i < count; i++) store<u8>(into + i, load<u8>(into + i) | load<u8>(from + i));
}

/** Kept rows become left out, and the other way round. */
export function notMask(mask: usize, count: usize): void {
  const ones = i8x16.splat(1);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) v128.store(mask + i, v128.xor(v128.load(mask + i), ones));
  for (; i < count; i++) store<u8>(mask + i, load<u8>(mask + i) ^ 1);
}

/** Numbers of the kept rows, ascending, as 32-bit integers; answers how many there are. `rows` has room for `count`. */
export function rowsOf(mask: usize, count: usize, rows: usize): usize {
  let to = rows;
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) {
    const sixteen = v128.load(mask + i);
    if (!v128.any_true(sixteen)) continue;
    if (i8x16.all_true(sixteen)) to = putSixteen(i, to);
    else for (let j = i; j < i + 16; j++) to = Row.put(mask, j, to);
  }
  for (; i < count; i++) to = Row.put(mask, i, to);
  return (to - rows) >> 2;
}

class Row {
  /** Without a branch, which could not be foretold. */
  @inline static put(mask: usize, i: usize, to: usize): usize {
    store<u32>(to, u32(i));
    return to + ((<usize>load<u8>(mask + i)) << 2);
  }
}

/** Sixteen rows in a row. */
function putSixteen(first: usize, to: usize): usize {
  let four = i32x4.add(i32x4.splat(i32(first)), i32x4(0, 1, 2, 3));
  const step = i32x4.splat(4);
  for (let j: usize = 0; j < 64; j += 16) {
    v128.store(to + j, four);
    four = i32x4.add(four, step);
  }
  return to + 64;
}

/** The items of `bytes` bytes, `stride` apart, that stand at `rows` (0: the first ones), packed. */
export function pickRows(from: usize, stride: usize, bytes: usize, rows: usize, count: usize, to: usize): void {
  if (bytes === 4) pick<u32>(from, stride, rows, count, to);
  else if (bytes === 8) pick<u64>(from, stride, rows, count, to);
  else if (bytes === 2) pick<u16>(from, stride, rows, count, to);
  else if (bytes === 1) pick<u8>(from, stride, rows, count, to);
  else for (let i: usize = 0; i < count; i++) memory.copy(to + i * bytes, from + rowAt(rows, i) * stride, bytes);
}

function pick<T>(from: usize, stride: usize, rows: usize, count: usize, to: usize): void {
  for (let i: usize = 0; i < count; i++) store<T>(to + i * sizeof<T>(), load<T>(from + rowAt(rows, i) * stride));
}

function rowAt(rows: usize, i: usize): usize {
  return rows ? usize(load<u32>(rows + i * 4)) : i;
}

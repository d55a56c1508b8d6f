/**
 * Sums of columns, each element added to its column's sum one row after the other. Sixteen rows of a few columns are
 * added in registers before the sums are written back.
 */
import { Cell, SUM, SUM_COUNT, SUM_REST } from '../cell-fields';
import { Lanes } from '../lanes';
import { BLOCK, Yes } from '../types';

const ROWS: usize = 16;

/** float32: plain within a block of rows, compensated between blocks. `room`: 16 bytes per column. */
export function sumRowsF32(
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
  room: usize,
  omit: bool,
): void {
  while (rows > 0) {
    const n = min(rows, BLOCK);
    memory.fill(room, 0, width * 8);
    addBlock<void>(ptr, step, n, width, room);
    const counts = room + width * 8;
    if (omit) {
      // NaN show in the sums: only then they are looked for.
      if (hasNan(room, width)) {
        memory.fill(room, 0, width * 16);
        addBlock<Yes>(ptr, step, n, width, room);
      } else for (let j: usize = 0; j < width; j++) store<f64>(counts + j * 8, f64(n));
      for (let j: usize = 0; j < width; j++) {
        Cell.add(cells + j * 8, fieldBytes, SUM_COUNT, load<f64>(counts + j * 8));
      }
    }
    let j: usize = 0;
    for (; j + 2 <= width; j += 2) Cell.addPairToSums(cells + j * 8, fieldBytes, v128.load(room + j * 8));
    if (j < width) Cell.addToSum(cells + j * 8, fieldBytes, load<f64>(room + j * 8));
    ptr += n * step;
    rows -= n;
  }
}

function hasNan(room: usize, width: usize): bool {
  let all: f64 = 0;
  // Infinities of both signs look like a NaN, and cost a second look.
  for (let j: usize = 0; j < width; j++) all += load<f64>(room + j * 8);
  return all != all;
}

/** Adds rows to the sums in `room`; with `Omit` only numbers, and 1 for each of them to the counts behind the sums. */
function addBlock<Omit>(ptr: usize, step: usize, rows: usize, width: usize, room: usize): void {
  for (let row: usize = 0; row < rows; row += ROWS, ptr += ROWS * step) {
    const n = min(ROWS, rows - row);
    let j: usize = 0;
    if (isVoid<Omit>()) for (; j + 8 <= width; j += 8) addStrip(ptr + j * 4, step, n, room + j * 8);
    for (; j + 2 <= width; j += 2) addPair<Omit>(ptr + j * 4, step, n, room + j * 8, room + (width + j) * 8);
    if (j < width) addColumn<Omit>(ptr + j * 4, step, n, room + j * 8, room + (width + j) * 8);
  }
}

/** Eight columns. */
function addStrip(ptr: usize, step: usize, rows: usize, sums: usize): void {
  let a = v128.load(sums);
  let b = v128.load(sums, 16);
  let c = v128.load(sums, 32);
  let d = v128.load(sums, 48);
  for (; rows > 0; rows--, ptr += step) {
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(ptr)));
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 8)));
    c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 16)));
    d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(ptr, 24)));
  }
  v128.store(sums, a);
  v128.store(sums, b, 16);
  v128.store(sums, c, 32);
  v128.store(sums, d, 48);
}

function addPair<Omit>(ptr: usize, step: usize, rows: usize, sums: usize, counts: usize): void {
  let a = v128.load(sums);
  let count = isVoid<Omit>() ? a : v128.load(counts);
  const one = f64x2.splat(1);
  for (; rows > 0; rows--, ptr += step) {
    let x = f64x2.promote_low_f32x4(v128.load64_zero(ptr));
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      count = f64x2.add(count, v128.and(is, one));
      x = v128.and(x, is);
    }
    a = f64x2.add(a, x);
  }
  v128.store(sums, a);
  if (!isVoid<Omit>()) v128.store(counts, count);
}

function addColumn<Omit>(ptr: usize, step: usize, rows: usize, sum: usize, count: usize): void {
  let a = load<f64>(sum);
  for (; rows > 0; rows--, ptr += step) {
    const x = f64(load<f32>(ptr));
    if (!isVoid<Omit>()) {
      if (x != x) continue;
      store<f64>(count, load<f64>(count) + 1);
    }
    a += x;
  }
  store<f64>(sum, a);
}

/** float64: every addition is compensated. */
export function sumRowsF64<Omit>(
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
): void {
  for (let row: usize = 0; row < rows; row += ROWS, ptr += ROWS * step) {
    const n = min(ROWS, rows - row);
    let j: usize = 0;
    for (; j + 2 <= width; j += 2) compensatePair<Omit>(ptr + j * 8, step, n, cells + j * 8, fieldBytes);
    if (j < width) compensateColumn<Omit>(ptr + j * 8, step, n, cells + j * 8, fieldBytes);
  }
}

function compensatePair<Omit>(ptr: usize, step: usize, rows: usize, cell: usize, fieldBytes: usize): void {
  let sum = v128.load(cell + SUM * fieldBytes);
  let rest = v128.load(cell + SUM_REST * fieldBytes);
  let count = isVoid<Omit>() ? sum : v128.load(cell + SUM_COUNT * fieldBytes);
  const one = f64x2.splat(1);
  for (; rows > 0; rows--, ptr += step) {
    let x = v128.load(ptr);
    if (!isVoid<Omit>()) {
      const is = f64x2.eq(x, x);
      count = f64x2.add(count, v128.and(is, one));
      x = v128.and(x, is);
    }
    const after = f64x2.add(sum, x);
    const added = f64x2.sub(after, sum);
    rest = f64x2.add(rest, f64x2.add(f64x2.sub(sum, f64x2.sub(after, added)), f64x2.sub(x, added)));
    sum = after;
  }
  v128.store(cell + SUM * fieldBytes, sum);
  v128.store(cell + SUM_REST * fieldBytes, rest);
  if (!isVoid<Omit>()) v128.store(cell + SUM_COUNT * fieldBytes, count);
}

function compensateColumn<Omit>(ptr: usize, step: usize, rows: usize, cell: usize, fieldBytes: usize): void {
  for (; rows > 0; rows--, ptr += step) {
    const x = load<f64>(ptr);
    if (!isVoid<Omit>()) {
      if (x != x) continue;
      Cell.add(cell, fieldBytes, SUM_COUNT, 1);
    }
    Cell.addToSum(cell, fieldBytes, x);
  }
}

/** Integers of 8 and 16 bits, whose sums over a block of rows fit int32. `room`: 4 bytes per column. */
export function sumRowsNarrow<T>(
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
  room: usize,
): void {
  while (rows > 0) {
    const block = min(rows, BLOCK);
    memory.fill(room, 0, width * 4);
    for (let row: usize = 0; row < block; row += ROWS) {
      const n = min(ROWS, block - row);
      const from = ptr + row * step;
      let j: usize = 0;
      for (; j + 4 <= width; j += 4) {
        let a = v128.load(room + j * 4);
        for (let i: usize = 0, at = from + j * sizeof<T>(); i < n; i++, at += step) a = i32x4.add(a, Lanes.four<T>(at));
        v128.store(room + j * 4, a);
      }
      for (; j < width; j++) {
        let a = load<i32>(room + j * 4);
        for (let i: usize = 0, at = from + j * sizeof<T>(); i < n; i++, at += step) a += i32(load<T>(at));
        store<i32>(room + j * 4, a);
      }
    }
    for (let j: usize = 0; j < width; j++) {
      Cell.addInteger(cells + j * 8, fieldBytes, SUM, i64(load<i32>(room + j * 4)));
    }
    ptr += block * step;
    rows -= block;
  }
}

export function sumRows32<T>(
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
): void {
  for (let row: usize = 0; row < rows; row += ROWS, ptr += ROWS * step) {
    const n = min(ROWS, rows - row);
    let j: usize = 0;
    for (; j + 2 <= width; j += 2) {
      const cell = cells + SUM * fieldBytes + j * 8;
      let a = v128.load(cell);
      for (let i: usize = 0, at = ptr + j * 4; i < n; i++, at += step) {
        a = i64x2.add(a, isSigned<T>() ? v128.load32x2_s(at) : v128.load32x2_u(at));
      }
      v128.store(cell, a);
    }
    if (j < width) {
      let a: i64 = 0;
      for (let i: usize = 0, at = ptr + j * 4; i < n; i++, at += step) a += i64(load<T>(at));
      Cell.addInteger(cells + j * 8, fieldBytes, SUM, a);
    }
  }
}

const LOW_32 = memory.data<u64>([0xffffffff, 0xffffffff], 16);

export function sumRows64<T>(
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
): void {
  const mask = v128.load(LOW_32);
  for (let row: usize = 0; row < rows; row += ROWS, ptr += ROWS * step) {
    const n = min(ROWS, rows - row);
    let j: usize = 0;
    for (; j + 2 <= width; j += 2) {
      const cell = cells + j * 8;
      let low = v128.load(cell + SUM * fieldBytes);
      let high = v128.load(cell + SUM_REST * fieldBytes);
      for (let i: usize = 0, at = ptr + j * 8; i < n; i++, at += step) {
        const x = v128.load(at);
        low = i64x2.add(low, v128.and(x, mask));
        high = i64x2.add(high, isSigned<T>() ? i64x2.shr_s(x, 32) : i64x2.shr_u(x, 32));
      }
      v128.store(cell + SUM * fieldBytes, low);
      v128.store(cell + SUM_REST * fieldBytes, high);
    }
    if (j < width) {
      let low: i64 = 0;
      let high: i64 = 0;
      for (let i: usize = 0, at = ptr + j * 8; i < n; i++, at += step) {
        low += i64(load<u32>(at));
        high += isSigned<T>() ? i64(load<i32>(at, 4)) : i64(load<u32>(at, 4));
      }
      Cell.addInteger(cells + j * 8, fieldBytes, SUM, low);
      Cell.addInteger(cells + j * 8, fieldBytes, SUM_REST, high);
    }
  }
}

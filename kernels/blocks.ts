/**
 * Kernels over blocks of short runs: `count` runs of `length` contiguous elements, `step` bytes apart, each into a cell of
 * its own, `cellStep` bytes apart, and `blocks` such rows of runs, `blockStep` bytes apart, into the same cells. For a plane
 * in blocks of 20 x 20 that is 20 rows of runs of 20. What is found of a cell stays in vectors in the workspace until all
 * rows were seen, since joining the lanes of a short run takes longer than its elements do. lines.ts says how kernels are
 * told.
 */
import { Cell, SEEN, SUM_COUNT } from './cell-fields';
import { Lanes } from './lanes';
import { Lines } from './lines';
import { Extremes } from './runs/extremes';
import { BLOCK, forType, Is, Kernel, Limit, Yes } from './types';

class Sums extends Kernel {
  run<T>(args: usize): usize {
    const lines = changetype<Lines>(args);
    if (!Is.single<T>()) return 0;
    // Plain within so many elements, as of other runs.
    const rowsMax = max<usize>(1, BLOCK / lines.length);
    let ptr = lines.ptr;
    for (let left = lines.blocks; left > 0;) {
      const rows = min(left, rowsMax);
      if (lines.omits) sumRowsOfRuns<Yes>(lines, ptr, rows);
      else sumRowsOfRuns<void>(lines, ptr, rows);
      ptr += rows * lines.blockStep;
      left -= rows;
    }
    return 0;
  }
}

/** SUM and SUM_REST of float32; `omits`: without NaN, and with SUM_COUNT. Workspace: 32 bytes a run. */
export function sumBlocks(lines: usize): void {
  forType<Sums>(lines);
}

function sumRowsOfRuns<Omit>(lines: Lines, ptr: usize, rows: usize): void {
  const room = lines.workspace;
  const step = lines.step;
  const length = lines.length;
  const end = room + lines.count * 32;
  memory.fill(room, 0, lines.count * 32);
  for (let row: usize = 0; row < rows; row++, ptr += lines.blockStep) {
    let from = ptr;
    for (let to = room; to < end; to += 32, from += step) {
      let a = v128.load(to);
      let b = f64x2.splat(0);
      let counts = v128.load(to, 16);
      let at = from;
      for (const last = from + ((length & ~3) << 2); at < last; at += 16) {
        const x = f64x2.promote_low_f32x4(v128.load64_zero(at));
        const y = f64x2.promote_low_f32x4(v128.load64_zero(at, 8));
        if (!isVoid<Omit>()) counts = f64x2.add(counts, f64x2.add(Numbers.ones(x), Numbers.ones(y)));
        a = f64x2.add(a, Numbers.of<Omit>(x));
        b = f64x2.add(b, Numbers.of<Omit>(y));
      }
      if (length & 2) {
        const x = f64x2.promote_low_f32x4(v128.load64_zero(at));
        if (!isVoid<Omit>()) counts = f64x2.add(counts, Numbers.ones(x));
        a = f64x2.add(a, Numbers.of<Omit>(x));
        at += 8;
      }
      if (length & 1) {
        const x = f64x2(f64(load<f32>(at)), isVoid<Omit>() ? 0 : NaN);
        if (!isVoid<Omit>()) counts = f64x2.add(counts, Numbers.ones(x));
        b = f64x2.add(b, Numbers.of<Omit>(x));
      }
      v128.store(to, f64x2.add(a, b));
      if (!isVoid<Omit>()) v128.store(to, counts, 16);
    }
  }
  let cell = lines.cells;
  for (let to = room; to < end; to += 32, cell += lines.cellStep) {
    Cell.addToSum(cell, lines.fieldBytes, Lanes.sum(v128.load(to)));
    if (!isVoid<Omit>()) Cell.add(cell, lines.fieldBytes, SUM_COUNT, Lanes.sum(v128.load(to, 16)));
  }
}

class Numbers {
  /** With `Omit`, NaN are zeros. */
  @inline static of<Omit>(x: v128): v128 {
    return isVoid<Omit>() ? x : v128.and(x, f64x2.eq(x, x));
  }

  /** 1 for each that is not NaN. */
  @inline static ones(x: v128): v128 {
    return v128.and(f64x2.eq(x, x), f64x2.splat(1));
  }
}

class Both extends Kernel {
  run<T>(args: usize): usize {
    const lines = changetype<Lines>(args);
    const room = lines.workspace;
    const step = lines.step;
    const end = room + lines.count * 48;
    for (let to = room; to < end; to += 48) {
      v128.store(to, v128.splat<T>(Limit.highest<T>()));
      v128.store(to, v128.splat<T>(Limit.lowest<T>()), 16);
      v128.store(to, i64x2.splat(0), 32);
    }
    let ptr = lines.ptr;
    for (let row = lines.blocks; row > 0; row--, ptr += lines.blockStep) {
      let from = ptr;
      for (let to = room; to < end; to += 48, from += step) searchShort<T>(from, lines.length, to);
    }
    let cell = lines.cells;
    for (let to = room; to < end; to += 48, cell += lines.cellStep) keepBoth<T>(lines, cell, to);
    return 0;
  }
}

/** SEEN, MIN and MAX of runs that have at least 16 bytes. Workspace: 48 bytes a run. */
export function extremesBlocks(lines: usize): void {
  forType<Both>(lines);
}

/** Lanes of the least, of the most, and of counts of what is not NaN. */
function searchShort<T>(ptr: usize, length: usize, to: usize): void {
  let least = v128.load(to);
  let most = v128.load(to, 16);
  let count = v128.load(to, 32);
  const end = ptr + length * sizeof<T>();
  for (; ptr + 16 <= end; ptr += 16) {
    const x = v128.load(ptr);
    least = Lanes.min<T>(least, x);
    most = Lanes.max<T>(most, x);
    if (isFloat<T>()) count = Numerals.add<T>(count, x);
  }
  if (ptr < end) {
    // The last vector once more, shifted: extremes do not mind elements that come twice.
    const x = v128.load(end - 16);
    least = Lanes.min<T>(least, x);
    most = Lanes.max<T>(most, x);
    if (isFloat<T>()) {
      const first: usize = (16 - (end - ptr)) / sizeof<T>();
      count = Numerals.add<T>(count, v128.bitselect(x, v128.splat<T>(NaN as T), Numerals.from<T>(i32(first))));
    }
  }
  v128.store(to, least);
  v128.store(to, most, 16);
  v128.store(to, count, 32);
}

const PLACES_4 = memory.data<i32>([0, 1, 2, 3], 16);
const PLACES_2 = memory.data<i64>([0, 1], 16);

class Numerals {
  @inline static add<T>(count: v128, x: v128): v128 {
    return sizeof<T>() == 4 ? i32x4.sub(count, f32x4.eq(x, x)) : i64x2.sub(count, f64x2.eq(x, x));
  }

  /** All bits of the lanes from `first` on. */
  @inline static from<T>(first: i32): v128 {
    if (sizeof<T>() == 4) return i32x4.ge_s(v128.load(PLACES_4), i32x4.splat(first));
    return i64x2.ge_s(v128.load(PLACES_2), i64x2.splat(first));
  }
}

function keepBoth<T>(lines: Lines, cell: usize, found: usize): void {
  let least = load<T>(found);
  let most = load<T>(found, 16);
  for (let at = found + sizeof<T>(); at < found + 16; at += sizeof<T>()) {
    if (load<T>(at) < least) least = load<T>(at);
    if (load<T>(at, 16) > most) most = load<T>(at, 16);
  }
  let seen = f64(lines.blocks * lines.length);
  if (isFloat<T>()) {
    const counts = v128.load(found, 32);
    seen = sizeof<T>() == 4 ? f64(Lanes.sumCounts(counts)) : f64(Lanes.sumIntegers(counts));
  }
  Cell.add(cell, lines.fieldBytes, SEEN, seen);
  if (Is.wide<T>()) Extremes.keepWide<T>(cell, lines.fieldBytes, least, most);
  else Extremes.keep(cell, lines.fieldBytes, f64(least), f64(most));
}

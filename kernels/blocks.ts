/**
 * Kernels over blocks of short runs: `count` runs of `length` contiguous elements, `step` bytes apart, each into a cell of
 * its own, `cellStep` bytes apart, and `blocks` such rows of runs, `blockStep` bytes apart, into the same cells. For a plane
 * in blocks of 20 x 20 that is 20 rows of runs of 20. What is found of a cell stays in vectors in the workspace until all
 * rows were seen, since joining the lanes of a short run takes longer than its elements do. See lines.ts for the rest.
 */
import { Cell, SEEN, SUM_COUNT } from './cell-fields';
import { Lanes } from './lanes';
import { Lines } from './lines';
import { Extremes } from './runs/extremes';
import { numbersIn } from './runs/numbers';
import { BLOCK, forType, Is, Kernel, Limit, Yes } from './types';

/** Rows that are read together: memory answers to four pages sooner than to one after the other, as lines.ts says. */
const ROWS: usize = 4;

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
  const end = room + lines.count * 32;
  memory.fill(room, 0, lines.count * 32);
  for (; rows >= ROWS; rows -= ROWS, ptr += ROWS * lines.blockStep) addRows<Omit, Yes>(lines, ptr, end);
  for (; rows > 0; rows--, ptr += lines.blockStep) addRows<Omit, void>(lines, ptr, end);
  let cell = lines.cells;
  for (let to = room; to < end; to += 32, cell += lines.cellStep) {
    Cell.addToSum(cell, lines.fieldBytes, Lanes.sum(v128.load(to)));
    if (!isVoid<Omit>()) Cell.add(cell, lines.fieldBytes, SUM_COUNT, Lanes.sum(v128.load(to, 16)));
  }
}

/** Of one row of runs, or of four. */
function addRows<Omit, Four>(lines: Lines, from: usize, end: usize): void {
  const row = lines.blockStep;
  const step = lines.step;
  const length = lines.length;
  for (let to = lines.workspace; to < end; to += 32, from += step) {
    let a = v128.load(to);
    let b = f64x2.splat(0);
    let c = b;
    let d = b;
    let counts = v128.load(to, 16);
    let at = from;
    for (const last = from + ((length & ~1) << 2); at < last; at += 8) {
      const x = f64x2.promote_low_f32x4(v128.load64_zero(at));
      a = f64x2.add(a, Numbers.of<Omit>(x));
      if (!isVoid<Omit>()) counts = f64x2.add(counts, Numbers.ones(x));
      if (isVoid<Four>()) continue;
      const y = f64x2.promote_low_f32x4(v128.load64_zero(at + row));
      const z = f64x2.promote_low_f32x4(v128.load64_zero(at + 2 * row));
      const w = f64x2.promote_low_f32x4(v128.load64_zero(at + 3 * row));
      b = f64x2.add(b, Numbers.of<Omit>(y));
      c = f64x2.add(c, Numbers.of<Omit>(z));
      d = f64x2.add(d, Numbers.of<Omit>(w));
      if (!isVoid<Omit>())
        counts = f64x2.add(f64x2.add(counts, Numbers.ones(y)), f64x2.add(Numbers.ones(z), Numbers.ones(w)));
    }
    if (length & 1) {
      for (let i: usize = 0; i < (isVoid<Four>() ? 1 : ROWS); i++, at += row) {
        const x = f64x2(f64(load<f32>(at)), isVoid<Omit>() ? 0 : NaN);
        if (!isVoid<Omit>()) counts = f64x2.add(counts, Numbers.ones(x));
        a = f64x2.add(a, Numbers.of<Omit>(x));
      }
    }
    v128.store(to, f64x2.add(f64x2.add(a, b), f64x2.add(c, d)));
    if (!isVoid<Omit>()) v128.store(to, counts, 16);
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
    for (let row: usize = 0; row < lines.blocks; row += ROWS, ptr += ROWS * lines.blockStep) {
      const reach = min(lines.blocks - row, ROWS) * lines.blockStep;
      let from = ptr;
      for (let to = room; to < end; to += 48, from += step)
        searchShort<T>(from, lines.length, reach, lines.blockStep, to);
    }
    let cell = lines.cells;
    let from = lines.ptr;
    for (let to = room; to < end; to += 48, cell += lines.cellStep, from += step) keepBoth<T>(lines, from, cell, to);
    return 0;
  }
}

/** SEEN, MIN and MAX of runs that have at least 16 bytes. Workspace: 48 bytes a run. */
export function extremesBlocks(lines: usize): void {
  forType<Both>(lines);
}

/** Lanes of the least, of the most, and of sums, which NaN show in, of runs that are `rowStep` bytes apart. */
function searchShort<T>(ptr: usize, length: usize, reach: usize, rowStep: usize, to: usize): void {
  let least = v128.load(to);
  let most = v128.load(to, 16);
  let sum = v128.load(to, 32);
  const last = ptr + length * sizeof<T>() - 16;
  while (true) {
    // A row alone has no step.
    let row = ptr;
    do {
      const x = v128.load(row);
      least = Lanes.min<T>(least, x);
      most = Lanes.max<T>(most, x);
      if (isFloat<T>()) sum = v128.add<T>(sum, x);
      row += rowStep;
    } while (row < ptr + reach);
    if (ptr == last) break;
    // The last vector ends with the run: extremes do not mind elements that come twice.
    ptr = min(ptr + 16, last);
  }
  v128.store(to, least);
  v128.store(to, most, 16);
  v128.store(to, sum, 32);
}

function keepBoth<T>(lines: Lines, ptr: usize, cell: usize, found: usize): void {
  let least = load<T>(found);
  let most = load<T>(found, 16);
  for (let at = found + sizeof<T>(); at < found + 16; at += sizeof<T>()) {
    if (load<T>(at) < least) least = load<T>(at);
    if (load<T>(at, 16) > most) most = load<T>(at, 16);
  }
  let seen = lines.blocks * lines.length;
  const sum = v128.load(found, 32);
  // Infinities of both signs show as NaN do, and are counted.
  if (isFloat<T>() && !i8x16.all_true(v128.eq<T>(sum, sum))) {
    seen = 0;
    for (let row = lines.blocks; row > 0; row--, ptr += lines.blockStep) seen += numbersIn<T>(ptr, lines.length);
  }
  Cell.add(cell, lines.fieldBytes, SEEN, f64(seen));
  if (Is.wide<T>()) Extremes.keepWide<T>(cell, lines.fieldBytes, least, most);
  else Extremes.keep(cell, lines.fieldBytes, f64(least), f64(most));
}

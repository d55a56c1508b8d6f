/**
 * Sums of runs. How the elements of a run are put into lanes depends on its length alone, never on the runs beside it, so
 * that the bits of its sum are the same wherever it stands.
 */
import { Cell, SUM, SUM_COUNT, SUM_REST } from '../cell-fields';
import { Lanes } from '../lanes';
import { Lines, STRETCH, Turns } from '../lines';
import { BLOCK, Is, Yes } from '../types';
import { numbersIn } from './numbers';

/** Runs of float32 below this length are summed four runs at a time, longer ones in four quarters. */
const LONG: usize = 4096;

/** The last elements held NaN: the next ones are expected to. This decides about speed only. */
let expectsNan: bool = false;

export function sumsOfRuns<T>(lines: Lines): void {
  const length = lines.length;
  const fieldBytes = lines.fieldBytes;
  if (Is.single<T>() && length < LONG) return sumShortRuns(lines);
  let ptr = lines.ptr;
  let cell = lines.cells;
  for (let i = lines.count; i > 0; i--, ptr += lines.step, cell += lines.cellStep) {
    if (Is.single<T>()) sumLongRun(ptr, length, cell, fieldBytes, lines.omits);
    else if (isFloat<T>()) {
      if (lines.omits) sumRunF64Omit(ptr, length, cell, fieldBytes);
      else sumRunF64<void>(ptr, length, cell, fieldBytes);
    } else if (sizeof<T>() < 4) sumRunNarrow<T>(ptr, length, cell, fieldBytes);
    else if (sizeof<T>() == 4) sumRun32<T>(ptr, length, cell, fieldBytes);
    else sumRun64<T>(ptr, length, cell, fieldBytes);
  }
}

/** Sums of the last four stretches of float32. */
const SUMS = memory.data(32, 16);

/** float32: plain within a run. */
function sumShortRuns(lines: Lines): void {
  const step = lines.step;
  const length = lines.length;
  const fieldBytes = lines.fieldBytes;
  let ptr = lines.ptr;
  let cell = lines.cells;
  for (let left = lines.count; left > 0;) {
    const taken = min<usize>(left, 4);
    let hasNan = lines.omits != 0 && expectsNan;
    if (!hasNan) {
      sumFour<void>(
        ptr,
        ptr + Row.at(1, taken, step),
        ptr + Row.at(2, taken, step),
        ptr + Row.at(3, taken, step),
        length,
      );
      hasNan = lines.omits != 0 && Row.anyNan();
    }
    if (hasNan)
      sumFour<Yes>(
        ptr,
        ptr + Row.at(1, taken, step),
        ptr + Row.at(2, taken, step),
        ptr + Row.at(3, taken, step),
        length,
      );
    let seen = taken * length;
    for (let i: usize = 0; i < taken; i++, ptr += step, cell += lines.cellStep) {
      Cell.addToSum(cell, fieldBytes, load<f64>(SUMS + i * 8));
      if (!lines.omits) continue;
      const numbers = hasNan ? numbersIn<f32>(ptr, length) : length;
      Cell.add(cell, fieldBytes, SUM_COUNT, f64(numbers));
      seen -= numbers;
    }
    if (lines.omits) expectsNan = seen > 0;
    left -= taken;
  }
}

class Row {
  /** Bytes to a run of those that are taken together, or to the last one where there are fewer. */
  @inline static at(i: usize, taken: usize, step: usize): usize {
    return (i < taken ? i : taken - 1) * step;
  }

  @inline static anyNan(): bool {
    // Infinities of both signs look like a NaN, and cost a second look.
    const all = f64x2.add(v128.load(SUMS), v128.load(SUMS, 16));
    return !i64x2.all_true(f64x2.eq(all, all));
  }
}

/** float32: plain within a block of at most BLOCK elements, compensated between blocks. */
function sumLongRun(ptr: usize, length: usize, cell: usize, fieldBytes: usize, omits: u32): void {
  while (length > 0) {
    const n = min(length, BLOCK);
    let sum = omits && expectsNan ? NaN : sumBlock<void>(ptr, n);
    if (omits) {
      let seen = n;
      // NaN show in the sum: only then they are looked for.
      if (sum != sum) {
        sum = sumBlock<Yes>(ptr, n);
        seen = numbersIn<f32>(ptr, n);
        expectsNan = seen < n;
      }
      Cell.add(cell, fieldBytes, SUM_COUNT, f64(seen));
    }
    Cell.addToSum(cell, fieldBytes, sum);
    ptr += n << 2;
    length -= n;
  }
}

/** By quarters. */
function sumBlock<Omit>(ptr: usize, n: usize): f64 {
  const quarter = n >> 2;
  const bytes = quarter << 2;
  sumFour<Omit>(ptr, ptr + bytes, ptr + 2 * bytes, ptr + 3 * bytes, quarter);
  let sum = load<f64>(SUMS) + load<f64>(SUMS, 8) + (load<f64>(SUMS, 16) + load<f64>(SUMS, 24));
  for (let i = quarter << 2; i < n; i++) sum += Single.number<Omit>(ptr + (i << 2));
  return sum;
}

class Single {
  /** A float32; with `Omit`, NaN are zeros. */
  @inline static number<Omit>(ptr: usize): f64 {
    const x = f64(load<f32>(ptr));
    return isVoid<Omit>() || x == x ? x : 0;
  }

  @inline static pair<Omit>(ptr: usize): v128 {
    const x = f64x2.promote_low_f32x4(v128.load64_zero(ptr));
    return isVoid<Omit>() ? x : v128.and(x, f64x2.eq(x, x));
  }
}

/** Four stretches of `n` float32, each in four lanes. */
function sumFour<Omit>(a: usize, b: usize, c: usize, d: usize, n: usize): void {
  let a0 = f64x2.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  for (const end = a + ((n & ~3) << 2); a < end; a += 16, b += 16, c += 16, d += 16) {
    a0 = f64x2.add(a0, Single.pair<Omit>(a));
    a1 = f64x2.add(a1, Single.pair<Omit>(a + 8));
    b0 = f64x2.add(b0, Single.pair<Omit>(b));
    b1 = f64x2.add(b1, Single.pair<Omit>(b + 8));
    c0 = f64x2.add(c0, Single.pair<Omit>(c));
    c1 = f64x2.add(c1, Single.pair<Omit>(c + 8));
    d0 = f64x2.add(d0, Single.pair<Omit>(d));
    d1 = f64x2.add(d1, Single.pair<Omit>(d + 8));
  }
  let ab = Lanes.sums(f64x2.add(a0, a1), f64x2.add(b0, b1));
  let cd = Lanes.sums(f64x2.add(c0, c1), f64x2.add(d0, d1));
  for (n &= 3; n > 0; n--, a += 4, b += 4, c += 4, d += 4) {
    ab = f64x2.add(ab, f64x2(Single.number<Omit>(a), Single.number<Omit>(b)));
    cd = f64x2.add(cd, f64x2(Single.number<Omit>(c), Single.number<Omit>(d)));
  }
  v128.store(SUMS, ab);
  v128.store(SUMS, cd, 16);
}
/** Runs of float64 below this length are summed in two lanes: joining eight would take longer than they save. */
const SHORT: usize = 64;

/** The same as below without NaN, which show in the sum: only then they are looked for. */
function sumRunF64Omit(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  const sum = load<f64>(cell + SUM * fieldBytes);
  const rest = load<f64>(cell + SUM_REST * fieldBytes);
  let seen = length;
  if (!expectsNan) sumRunF64<void>(ptr, length, cell, fieldBytes);
  const all = load<f64>(cell + SUM * fieldBytes);
  if (expectsNan || all != all) {
    store<f64>(cell + SUM * fieldBytes, sum);
    store<f64>(cell + SUM_REST * fieldBytes, rest);
    sumRunF64<Yes>(ptr, length, cell, fieldBytes);
    seen = numbersIn<f64>(ptr, length);
    expectsNan = seen < length;
  }
  Cell.add(cell, fieldBytes, SUM_COUNT, f64(seen));
}

class Double {
  /** Two float64; with `Omit`, NaN are zeros. */
  @inline static pair<Omit>(ptr: usize): v128 {
    const x = v128.load(ptr);
    return isVoid<Omit>() ? x : v128.and(x, f64x2.eq(x, x));
  }

  /** What the rounding of sum + x = after left out (Knuth's TwoSum). */
  @inline static error(sum: v128, x: v128, after: v128): v128 {
    const added = f64x2.sub(after, sum);
    return f64x2.add(f64x2.sub(sum, f64x2.sub(after, added)), f64x2.sub(x, added));
  }
}

/** float64: every addition is compensated, in eight lanes. With `Omit`, NaN are added as zeros. */
function sumRunF64<Omit>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let r0 = s0;
  let r1 = s0;
  let r2 = s0;
  let r3 = s0;
  const body = length < SHORT ? <usize>0 : length & ~7;
  for (const end = ptr + (body << 3); ptr < end;) {
    const reach = Turns.reach(end - ptr);
    for (const last = Turns.last(ptr, end); ptr < last; ptr += 64) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        let x = Double.pair<Omit>(at);
        let t = f64x2.add(s0, x);
        r0 = f64x2.add(r0, Double.error(s0, x, t));
        s0 = t;
        x = Double.pair<Omit>(at + 16);
        t = f64x2.add(s1, x);
        r1 = f64x2.add(r1, Double.error(s1, x, t));
        s1 = t;
        x = Double.pair<Omit>(at + 32);
        t = f64x2.add(s2, x);
        r2 = f64x2.add(r2, Double.error(s2, x, t));
        s2 = t;
        x = Double.pair<Omit>(at + 48);
        t = f64x2.add(s3, x);
        r3 = f64x2.add(r3, Double.error(s3, x, t));
        s3 = t;
      }
    }
    ptr += Turns.skip(reach);
  }
  const left = length - body;
  for (const end = ptr + ((left & ~1) << 3); ptr < end; ptr += 16) {
    const x = Double.pair<Omit>(ptr);
    const t = f64x2.add(s0, x);
    r0 = f64x2.add(r0, Double.error(s0, x, t));
    s0 = t;
  }
  addLanes(cell, fieldBytes, s0, r0);
  if (body > 0) {
    addLanes(cell, fieldBytes, s1, r1);
    addLanes(cell, fieldBytes, s2, r2);
    addLanes(cell, fieldBytes, s3, r3);
  }
  if (left & 1) {
    const x = load<f64>(ptr);
    if (isVoid<Omit>() || x == x) Cell.addToSum(cell, fieldBytes, x);
  }
}

function addLanes(cell: usize, fieldBytes: usize, sums: v128, rests: v128): void {
  Cell.addToSum(cell, fieldBytes, f64x2.extract_lane(sums, 0));
  Cell.addToSum(cell, fieldBytes, f64x2.extract_lane(sums, 1));
  Cell.add(cell, fieldBytes, SUM_REST, Lanes.sum(rests));
}

/** Elements of 8 and 16 bits whose sums fit the 32-bit lanes they are taken in. */
const NARROW_BLOCK: usize = 65536;

function sumRunNarrow<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  let total: i64 = 0;
  while (length > 0) {
    const n = min(length, NARROW_BLOCK);
    total += sumBlockNarrow<T>(ptr, n);
    ptr += n * sizeof<T>();
    length -= n;
  }
  Cell.addInteger(cell, fieldBytes, SUM, total);
}

function sumBlockNarrow<T>(ptr: usize, n: usize): i64 {
  let a = i32x4.splat(0);
  let b = a;
  const lanes: usize = 32 / sizeof<T>();
  const body = n - (n % lanes);
  for (const end = ptr + body * sizeof<T>(); ptr < end;) {
    const reach = Turns.reach(end - ptr);
    for (const last = Turns.last(ptr, end); ptr < last; ptr += 32) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        a = i32x4.add(a, Lanes.sumsOfFour<T>(v128.load(at)));
        b = i32x4.add(b, Lanes.sumsOfFour<T>(v128.load(at, 16)));
      }
    }
    ptr += Turns.skip(reach);
  }
  a = i32x4.add(a, b);
  let total = Lanes.sumIntegers(i64x2.add(Lanes.lowTwo<T>(a), Lanes.highTwo<T>(a)));
  for (let left = n - body; left > 0; left--, ptr += sizeof<T>()) total += i64(load<T>(ptr));
  return total;
}

function sumRun32<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  let a = i64x2.splat(0);
  let b = a;
  for (const end = ptr + ((length & ~7) << 2); ptr < end;) {
    const reach = Turns.reach(end - ptr);
    for (const last = Turns.last(ptr, end); ptr < last; ptr += 32) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        const x = v128.load(at);
        const y = v128.load(at, 16);
        a = i64x2.add(a, i64x2.add(Lanes.lowTwo<T>(x), Lanes.highTwo<T>(x)));
        b = i64x2.add(b, i64x2.add(Lanes.lowTwo<T>(y), Lanes.highTwo<T>(y)));
      }
    }
    ptr += Turns.skip(reach);
  }
  let total = Lanes.sumIntegers(i64x2.add(a, b));
  for (let left = length & 7; left > 0; left--, ptr += 4) total += i64(load<T>(ptr));
  Cell.addInteger(cell, fieldBytes, SUM, total);
}

const SIGN_64 = memory.data<u64>([0x8000000000000000, 0x8000000000000000], 16);
const LOW_32 = memory.data<u64>([0xffffffff, 0xffffffff], 16);

/** 64-bit integers: their low halves and their high halves by themselves, exact for 2 ** 31 elements. */
function sumRun64<T>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  const sign = v128.load(SIGN_64);
  const mask = v128.load(LOW_32);
  let low0 = i64x2.splat(0);
  let low1 = low0;
  let high0 = low0;
  let high1 = low0;
  const body = length & ~3;
  for (const end = ptr + (body << 3); ptr < end;) {
    const reach = Turns.reach(end - ptr);
    for (const last = Turns.last(ptr, end); ptr < last; ptr += 32) {
      for (let at = ptr; at < ptr + reach; at += STRETCH) {
        let x = v128.load(at);
        let y = v128.load(at, 16);
        // There is a fast shift for unsigned numbers only: signed ones are summed with 2 ** 63 more.
        if (isSigned<T>()) {
          x = v128.xor(x, sign);
          y = v128.xor(y, sign);
        }
        low0 = i64x2.add(low0, v128.and(x, mask));
        high0 = i64x2.add(high0, i64x2.shr_u(x, 32));
        low1 = i64x2.add(low1, v128.and(y, mask));
        high1 = i64x2.add(high1, i64x2.shr_u(y, 32));
      }
    }
    ptr += Turns.skip(reach);
  }
  let low = Lanes.sumIntegers(i64x2.add(low0, low1));
  let high = Lanes.sumIntegers(i64x2.add(high0, high1));
  if (isSigned<T>()) high -= i64(body) << 31;
  for (let left = length - body; left > 0; left--, ptr += 8) {
    low += load<u32>(ptr);
    high += isSigned<T>() ? i64(load<i32>(ptr, 4)) : i64(load<u32>(ptr, 4));
  }
  Cell.addInteger(cell, fieldBytes, SUM, low);
  Cell.addInteger(cell, fieldBytes, SUM_REST, high);
}

/**
 * Products of runs, in four lanes: of element i in lane i modulo four. Mantissas are multiplied and exponents added by
 * themselves, so a product whose value is representable is found whatever the order of its factors.
 */
import { PROD, PROD_EXPONENT } from '../cell-fields';
import { Lanes } from '../lanes';

/** Mantissas below 2 multiplied before their product is brought below 2 again. */
const STEPS: usize = 512;

const MANTISSA = memory.data<u64>([0x800fffffffffffff, 0x800fffffffffffff], 16);
const EXPONENT = memory.data<u64>([0x7ff, 0x7ff], 16);
const ONE = memory.data<f64>([1, 1], 16);
/** 2 ** 54, which makes denormal numbers normal. */
const LARGE = memory.data<f64>([18014398509481984, 18014398509481984], 16);
const LARGE_EXPONENT = memory.data<i64>([54, 54], 16);
const BIAS: i64 = 1023;

/** The exponents that were taken out of the last product. */
let exponents: i64 = 0;

export function productRun<T, Omit>(ptr: usize, length: usize, cell: usize, fieldBytes: usize): void {
  const lanes: usize = 4;
  let left = length;
  while (left > 0) {
    const n = min(left, STEPS * lanes);
    const product = multiplyBlock<T, Omit>(ptr, n);
    multiplyCell(cell, fieldBytes, product, exponents);
    ptr += n * sizeof<T>();
    left -= n;
  }
}

function multiplyBlock<T, Omit>(ptr: usize, n: usize): f64 {
  const one = v128.load(ONE);
  let p0 = one;
  let p1 = one;
  let e = i64x2.splat(0);
  exponents = 0;
  const body = n & ~3;
  for (const end = ptr + body * sizeof<T>(); ptr < end; ptr += 4 * sizeof<T>()) {
    let x = Lanes.two<T>(ptr);
    if (!isVoid<Omit>()) x = v128.bitselect(x, one, f64x2.eq(x, x));
    e = i64x2.add(e, Factor.exponents(x));
    p0 = f64x2.mul(p0, Factor.mantissas(x));
    x = Lanes.two<T>(ptr + 2 * sizeof<T>());
    if (!isVoid<Omit>()) x = v128.bitselect(x, one, f64x2.eq(x, x));
    e = i64x2.add(e, Factor.exponents(x));
    p1 = f64x2.mul(p1, Factor.mantissas(x));
  }
  const a = near(f64x2.extract_lane(p0, 0)) * near(f64x2.extract_lane(p0, 1));
  const b = near(f64x2.extract_lane(p1, 0)) * near(f64x2.extract_lane(p1, 1));
  let product = a * b;
  exponents += Lanes.sumIntegers(e);
  for (let i = body; i < n; i++, ptr += sizeof<T>()) {
    const x = f64(load<T>(ptr));
    if (isVoid<Omit>() || x == x) product *= near(x);
  }
  return product;
}

class Factor {
  /** What `mantissas` takes out of numbers: 0 for zeros, infinities and NaN. */
  @inline static exponents(x: v128): v128 {
    const mask = v128.load(EXPONENT);
    const small = i64x2.eq(v128.and(i64x2.shr_u(x, 52), mask), i64x2.splat(0));
    x = v128.bitselect(f64x2.mul(x, v128.load(LARGE)), x, small);
    const bits = v128.and(i64x2.shr_u(x, 52), mask);
    const special = v128.or(i64x2.eq(bits, mask), i64x2.eq(bits, i64x2.splat(0)));
    const exponent = i64x2.sub(i64x2.sub(bits, i64x2.splat(BIAS)), v128.and(small, v128.load(LARGE_EXPONENT)));
    return v128.andnot(exponent, special);
  }

  /** Numbers from 1 to 2 with their signs; zeros, infinities and NaN are as they were. */
  @inline static mantissas(x: v128): v128 {
    const mask = v128.load(EXPONENT);
    const small = i64x2.eq(v128.and(i64x2.shr_u(x, 52), mask), i64x2.splat(0));
    x = v128.bitselect(f64x2.mul(x, v128.load(LARGE)), x, small);
    const bits = v128.and(i64x2.shr_u(x, 52), mask);
    const special = v128.or(i64x2.eq(bits, mask), i64x2.eq(bits, i64x2.splat(0)));
    return v128.bitselect(x, v128.or(v128.and(x, v128.load(MANTISSA)), v128.load(ONE)), special);
  }
}

/** A number from 1 to 2 with its sign, its exponent added to those taken out. Zeros, infinities and NaN are as they are. */
function near(x: f64): f64 {
  let bits = reinterpret<u64>(x);
  let exponent = i64((bits >> 52) & 0x7ff);
  if (exponent == 0) {
    x *= 18014398509481984;
    bits = reinterpret<u64>(x);
    exponent = i64((bits >> 52) & 0x7ff);
    if (exponent == 0) return x;
    exponents -= 54;
  }
  if (exponent == 0x7ff) return x;
  exponents += exponent - BIAS;
  return reinterpret<f64>((bits & 0x800fffffffffffff) | 0x3ff0000000000000);
}

/** Multiplies a cell by product * 2 ** exponent. */
function multiplyCell(cell: usize, fieldBytes: usize, product: f64, exponent: i64): void {
  exponents = exponent;
  const all = near(load<f64>(cell + PROD * fieldBytes) * near(product));
  store<f64>(cell + PROD * fieldBytes, all);
  const at = cell + PROD_EXPONENT * fieldBytes;
  store<f64>(at, load<f64>(at) + f64(exponents));
}

/** The same for one element, or none where it is a NaN that is left out. */
export function multiplyElement(cell: usize, fieldBytes: usize, x: f64): void {
  multiplyCell(cell, fieldBytes, x, 0);
}

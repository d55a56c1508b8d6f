/** Products: mantissa and power of two, so that one whose value is representable is found whatever the order of its factors. */
import { addElements, addPairs } from './elements';

/** 2 ** 900, beyond which, and below whose inverse, a product is scaled. */
const LARGE: f64 = 8.452712498170644e270;
const SMALL: f64 = 1.1830521861667747e-271;

/** The product is prod * 2 ** prodExponent. */
@unmanaged
class Product {
  prod: f64;
  prodExponent: f64;

  add<T>(element: T, index: f64): void {
    const value = f64(element);
    const next = this.prod * value;
    const magnitude = Math.abs(next);
    if (magnitude < LARGE && magnitude > SMALL) {
      this.prod = next;
      return;
    }
    // Both brought near one, by exact powers of two.
    const a = exponentOf(this.prod);
    const b = exponentOf(value);
    this.prod = scaleDown(this.prod, a) * scaleDown(value, b);
    this.prodExponent += f64(a + b);
  }
}

export function addProduct(spec: usize): void {
  addElements<Product>(spec);
}

/** The product of complex numbers is (real + imaginary i) * 2 ** exponent. */
@unmanaged
class PairProduct {
  real: f64;
  imaginary: f64;
  exponent: f64;

  addPair<T>(first: T, second: T): void {
    const a = f64(first);
    const b = f64(second);
    const real = this.real * a - this.imaginary * b;
    const imaginary = this.real * b + this.imaginary * a;
    const magnitude = Math.max(Math.abs(real), Math.abs(imaginary));
    if (magnitude < LARGE && magnitude > SMALL) {
      this.real = real;
      this.imaginary = imaginary;
      return;
    }
    // The larger part of each is brought near one, by exact powers of two.
    const own = largerExponent(this.real, this.imaginary);
    const other = largerExponent(a, b);
    const x = scaleDown(this.real, own);
    const y = scaleDown(this.imaginary, own);
    const u = scaleDown(a, other);
    const v = scaleDown(b, other);
    this.real = x * u - y * v;
    this.imaginary = x * v + y * u;
    this.exponent += f64(own + other);
  }
}

export function addPairProduct(spec: usize): void {
  addPairs<PairProduct>(spec);
}

/** The power of two in the larger of two values. */
function largerExponent(a: f64, b: f64): i32 {
  if (a === 0) return exponentOf(b);
  return b === 0 ? exponentOf(a) : max<i32>(exponentOf(a), exponentOf(b));
}

/** The power of two in a value: 0 for 0, NaN and infinities; that of subnormals is of their value times 2 ** 52. */
function exponentOf(value: f64): i32 {
  const biased = i32((reinterpret<u64>(value) >> 52) & 0x7ff);
  if (value === 0 || biased === 0x7ff) return 0;
  if (biased === 0) return exponentOf(value * 4503599627370496) - 52;
  return biased - 1023;
}

/** value * 2 ** -exponent, exactly, for an exponent of the value's own size; in two steps, since 2 ** 1074 is no double. */
function scaleDown(value: f64, exponent: i32): f64 {
  const half = exponent >> 1;
  return value * powerOfTwo(-half) * powerOfTwo(half - exponent);
}

function powerOfTwo(exponent: i32): f64 {
  return reinterpret<f64>(u64(exponent + 1023) << 52);
}

/** Sums and squares of doubles as whole numbers: every double is a multiple of 2 ** -1074. */

const bits = new DataView(new ArrayBuffer(8));
const SCALE_BITS = 1074n;

/** x * 2 ** 1074 */
function wholeOf(x: number): bigint {
  bits.setFloat64(0, x);
  const word = bits.getBigUint64(0);
  const exponent = (word >> 52n) & 0x7ffn;
  const fraction = word & 0xf_ffff_ffff_ffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return word >> 63n ? -magnitude : magnitude;
}

/** The quotient to sixty bits and more. */
function divide(a: bigint, b: bigint): number {
  const negative = a < 0n !== b < 0n;
  const [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  if (x === 0n) return 0;
  const shift = BigInt(Math.max(0, 64 + y.toString(2).length - x.toString(2).length));
  const quotient = (x << shift) / y;
  const excess = BigInt(Math.max(0, quotient.toString(2).length - 64));
  // In two steps, since a single power of two may be no double.
  const power = Number(excess - shift);
  const half = Math.trunc(power / 2);
  const value = Number(quotient >> excess) * 2 ** half * 2 ** (power - half);
  return negative ? -value : value;
}

export interface ExactStatistics {
  readonly sum: number;
  readonly mean: number;
  /** Sum of squared distances from the mean. */
  readonly m2: number;
}

/** Of finite values, exactly rounded but for the last bit. */
export function exactly(values: readonly number[]): ExactStatistics {
  const n = BigInt(values.length);
  let sum = 0n;
  let squares = 0n;
  for (const value of values) {
    const whole = wholeOf(value);
    sum += whole;
    squares += whole * whole;
  }
  const one = 1n << SCALE_BITS;
  return { sum: divide(sum, one), mean: divide(sum, n * one), m2: divide(n * squares - sum * sum, n * one * one) };
}

/** float16 by arithmetic on its definition: a sign, five bits of an exponent, ten of a fraction. For oracles alone. */

/** The largest finite one; what rounds beyond it is infinite. */
const LARGEST = 65_504;
/** Below 2 ** -14 the steps between neighbours stay the same. */
const EXPONENT_MIN = -14;

/** The nearest float16, of two equally near ones the even. */
export function roundToHalf(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const step = 2 ** (exponentOf(value) - 10);
  const scaled = value / step;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const rounded = step * (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below);
  if (rounded === 0) return value < 0 ? -0 : 0;
  return Math.abs(rounded) > LARGEST ? Math.sign(value) * Number.POSITIVE_INFINITY : rounded;
}

/** The bits of the nearest float16. */
export function bitsOfHalf(value: number): number {
  const half = roundToHalf(value);
  if (Number.isNaN(half)) return 0x7e00;
  const sign = half < 0 || Object.is(half, -0) ? 0x8000 : 0;
  const size = Math.abs(half);
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (size < 2 ** EXPONENT_MIN) return sign | (size * 2 ** 24);
  const exponent = exponentOf(size);
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

/** The value of sixteen bits. */
export function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** EXPONENT_MIN;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}

function exponentOf(value: number): number {
  let exponent = EXPONENT_MIN;
  while (exponent < 16 && Math.abs(value) >= 2 ** (exponent + 1)) exponent++;
  return exponent;
}

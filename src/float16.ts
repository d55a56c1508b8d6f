/** IEEE 754 binary16 ⇄ double. Node 20 has no Float16Array. Widening is exact; narrowing rounds once, half to even. */

let table: Float32Array | undefined;

/** All 65,536 values, 256 KiB, built on first use. */
function widened(): Float32Array {
  if (table) return table;
  table = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0x1f) table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return table;
}

/** Widens every item; exact. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const values = widened();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = values[halves[i]!]!;
  return out;
}

/** The binary16 bits nearest to a double, ties to even; beyond 65,519.99… infinity. */
export function toFloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65_520) return sign | 0x7c00;
  // In units of the last place: 2^-24 for subnormals, 2^(exponent-10) above them. Both divisions are exact.
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  const unit = 2 ** (Math.max(exponent, -14) - 10);
  const quotient = magnitude / unit;
  const floor = Math.floor(quotient);
  const rest = quotient - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // A carry out of the fraction moves into the exponent by itself: the encoding is monotonic.
  return sign | (exponent < -14 || magnitude < 2 ** -14 ? rounded : ((exponent + 15) << 10) + (rounded - 1024));
}

/** The value of binary16 bits; exact. */
export function fromFloat16Bits(bits: number): number {
  return widened()[bits]!;
}

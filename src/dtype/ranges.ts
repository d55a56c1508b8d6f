/** What a dtype can hold, for everything that must refuse to lose a value. */
import type { NumberDType } from './types.js';

/** The inclusive bounds of an integer dtype; bool is 0 to 1. */
export function integerRange(dtype: NumberDType): { readonly min: bigint; readonly max: bigint } {
  if (dtype.kind === 'b') return { min: 0n, max: 1n };
  const bits = BigInt(8 * dtype.itemsize);
  return dtype.kind === 'u'
    ? { min: 0n, max: 2n ** bits - 1n }
    : { min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n };
}

/** The least magnitude of a double that rounds to infinity in a float dtype. */
export function overflowOf(dtype: NumberDType): number {
  if (dtype.itemsize === 2) return 65_520;
  return dtype.itemsize === 4 ? 2 ** 128 - 2 ** 103 : Number.POSITIVE_INFINITY;
}

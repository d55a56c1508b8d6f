/** Products, kept far from overflow and underflow by an exponent of their own; prod. */
import { numberDType } from '../../dtype/index.js';
import type { Accumulator, Statistic } from './accumulator.js';

const FLOAT64 = numberDType('<f8');

const STATE = { prod: 1, prodExponent: 0 };

export const PRODUCT: Accumulator = {
  fields: () => STATE,
  elements: { name: 'addProduct', state: STATE },
  combine({ prod, prodExponent }, to, from, at, count) {
    for (let i = 0; i < count; i++) {
      const a = near(prod![to + i]!);
      const b = near(from['prod']![at + i]!);
      prod![to + i] = a.mantissa * b.mantissa;
      prodExponent![to + i]! += a.exponent + b.exponent + from['prodExponent']![at + i]!;
    }
  },
};

export const PRODUCT_STATISTICS = {
  prod: {
    needs: ['product'],
    dtype: () => FLOAT64,
    value: ({ fields }, cell) => scaled(fields['prod']![cell]!, fields['prodExponent']![cell]!),
    showsNan: true,
  },
} as const satisfies Record<string, Statistic>;

/** mantissa * 2 ** exponent, exactly: the mantissa is near one, but for 0, NaN and infinities, which stay as they are. */
function near(value: number): { mantissa: number; exponent: number } {
  if (value === 0 || !Number.isFinite(value)) return { mantissa: value, exponent: 0 };
  // In two steps, since 2 ** 1074 is no double.
  const half = -Math.round(Math.log2(Math.abs(value)) / 2);
  return { mantissa: value * 2 ** half * 2 ** half, exponent: -2 * half };
}

/** value * 2 ** exponent, rounded once. */
export function scaled(value: number, exponent: number): number {
  // Brought near one first, so that only the last step can round.
  const { mantissa, exponent: own } = near(value);
  const left = Math.max(-1200, Math.min(1200, exponent + own));
  const first = Math.max(-1000, Math.min(1000, left));
  return mantissa * 2 ** first * 2 ** (left - first);
}

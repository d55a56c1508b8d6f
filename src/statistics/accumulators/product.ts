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
  const exponent = exponentOf(value);
  return { mantissa: timesPower(value, -exponent), exponent };
}

/** The even power of two that is about a value's size; 0 for 0, NaN and infinities. */
export function exponentOf(value: number): number {
  return value === 0 || !Number.isFinite(value) ? 0 : 2 * Math.round(Math.log2(Math.abs(value)) / 2);
}

/** value * 2 ** exponent, for an even exponent: in two steps, since 2 ** 1074 is no double. */
export function timesPower(value: number, exponent: number): number {
  const half = 2 ** (exponent / 2);
  return value * half * half;
}

/** value * 2 ** exponent, rounded once. */
export function scaled(value: number, exponent: number): number {
  // Brought near one first, so that only the last step can round.
  const { mantissa, exponent: own } = near(value);
  const left = Math.max(-1200, Math.min(1200, exponent + own));
  const first = Math.max(-1000, Math.min(1000, left));
  return mantissa * 2 ** first * 2 ** (left - first);
}

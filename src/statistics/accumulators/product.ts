/** Products, kept far from overflow and underflow by an exponent of their own; prod. */
import { parseDType } from '../../dtype.js';
import type { Accumulator, Statistic } from './accumulator.js';

const FLOAT64 = parseDType('<f8');

const STATE = { prod: 1, prodExponent: 0 };

export const PRODUCT: Accumulator = {
  fields: () => STATE,
  elements: { name: 'addProduct', state: STATE },
  combine({ prod, prodExponent }, to, from, at, count) {
    for (let i = 0; i < count; i++) {
      multiplyRun(from['prod']!, at + i, at + i + 1, prod!, prodExponent!, to + i);
      prodExponent![to + i]! += from['prodExponent']![at + i]!;
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

const LARGE = 2 ** 900;

const SMALL = 2 ** -900;

/**
 * prod[cell] * 2 ** exponent[cell] *= the run. The factor is kept far from overflow and underflow, so a product whose
 * value is representable is found whatever the order of its factors.
 */
export function multiplyRun(
  x: Float64Array,
  from: number,
  to: number,
  prod: Float64Array,
  exponent: Float64Array,
  cell: number,
): void {
  let product = prod[cell]!;
  for (let i = from; i < to; i++) {
    const next = product * x[i]!;
    const magnitude = Math.abs(next);
    if (magnitude < LARGE && magnitude > SMALL) product = next;
    else {
      const a = scaleOf(product);
      const b = scaleOf(x[i]!);
      product = product * 2 ** a.half * 2 ** a.half * (x[i]! * 2 ** b.half * 2 ** b.half);
      exponent[cell]! -= 2 * (a.half + b.half);
    }
  }
  prod[cell] = product;
}

/** Half the exponent that brings a value near one (in two steps, since 2 ** 1074 is no double). 0 for 0, NaN, infinity. */
function scaleOf(value: number): { half: number } {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || !(magnitude < Number.POSITIVE_INFINITY)) return { half: 0 };
  return { half: -Math.round(Math.log2(magnitude) / 2) };
}

/** value * 2 ** exponent, rounded once. */
export function scaled(value: number, exponent: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  // Brought near one first, so that only the last step can round.
  const { half } = scaleOf(value);
  const near = value * 2 ** half * 2 ** half;
  const left = Math.max(-1200, Math.min(1200, exponent - 2 * half));
  const first = Math.max(-1000, Math.min(1000, left));
  return near * 2 ** first * 2 ** (left - first);
}

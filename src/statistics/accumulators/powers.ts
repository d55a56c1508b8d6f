/** Sums of powers of distances from the mean, of as many elements as are counted; skew and kurtosis. */
import { numberDType } from '../../dtype/index.js';
import { usedIn, type Accumulator, type Cells, type Statistic } from './accumulator.js';

const FLOAT64 = numberDType('<f8');

/** The mean, what its rounding left out, and sums of the second to fourth powers of distances from it. */
const FIELDS = { powerMean: 0, powerRest: 0, power2: 0, power3: 0, power4: 0 };

/**
 * Combined pairwise (Pébay 2008, Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order
 * Statistical Moments, equations 2.1, 3.1 with p = 3 and 4).
 */
export const POWERS: Accumulator = {
  fields: () => FIELDS,
  weighs: true,
  elements: { name: 'addPowers', state: { powerCount: 0, ...FIELDS } },
  combine(into, to, from, at, count) {
    for (let i = 0; i < count; i++) {
      const [a, b] = [powersOf(into, to + i), powersOf(from, at + i)];
      if (b.n === 0) continue;
      const all = a.n === 0 ? b : combined(a, b);
      for (const name of NAMES) into[name]![to + i] = all[name];
    }
  },
};

const NAMES = Object.keys(FIELDS) as readonly (keyof typeof FIELDS)[];

type Powers = typeof FIELDS & { readonly n: number };

function powersOf(fields: Parameters<Accumulator['combine']>[0], cell: number): Powers {
  const { powerMean, powerRest, power2, power3, power4 } = fields;
  return {
    n: fields.count![cell]!,
    powerMean: powerMean![cell]!,
    powerRest: powerRest![cell]!,
    power2: power2![cell]!,
    power3: power3![cell]!,
    power4: power4![cell]!,
  };
}

function combined(a: Powers, b: Powers): Powers {
  const n = a.n + b.n;
  const delta = b.powerMean - a.powerMean + (b.powerRest - a.powerRest);
  // The mean moves by this much; what is rounded away is kept (Knuth's TwoSum).
  const moved = delta * (b.n / n);
  const powerMean = a.powerMean + moved;
  const added = powerMean - a.powerMean;
  const rest = a.powerRest + (a.powerMean - (powerMean - added) + (moved - added));
  const [shareA, shareB] = [a.n / n, b.n / n];
  const [square, both] = [delta * delta, a.n * shareB];
  return {
    n,
    powerMean,
    powerRest: Number.isFinite(rest) ? rest : 0,
    power2: a.power2 + b.power2 + square * both,
    power3:
      a.power3 +
      b.power3 +
      delta * square * both * (shareA - shareB) +
      3 * delta * (shareA * b.power2 - shareB * a.power2),
    power4:
      a.power4 +
      b.power4 +
      square * square * both * (shareA * shareA - shareA * shareB + shareB * shareB) +
      6 * square * (shareA * shareA * b.power2 + shareB * shareB * a.power2) +
      4 * delta * (shareA * b.power3 - shareB * a.power3),
  };
}

/** What elements of equal value are rounded to, in units of their mean: less is no spread (as scipy has it). */
const RESOLUTION = 1e-15;

/** Mean powers of distances from the mean; undefined where elements have no spread. */
function spreadOf(cells: Cells, cell: number): { n: number; m2: number; m3: number; m4: number } | undefined {
  const { powerMean, power2, power3, power4 } = cells.fields;
  const n = usedIn(cells, cell);
  const m2 = power2![cell]! / n;
  if (m2 <= (RESOLUTION * powerMean![cell]!) ** 2) return undefined;
  return { n, m2, m3: power3![cell]! / n, m4: power4![cell]! / n };
}

export const POWER_STATISTICS = {
  skew: {
    needs: ['powers'],
    dtype: () => FLOAT64,
    value(cells, cell) {
      const spread = spreadOf(cells, cell);
      if (!spread) return Number.NaN;
      const { n, m2, m3 } = spread;
      return (m3 / m2 ** 1.5) * (cells.isBiased('skew') || n <= 2 ? 1 : Math.sqrt(n * (n - 1)) / (n - 2));
    },
    showsNan: true,
    takesBias: true,
  },
  /** Fisher's: 0 for a normal distribution. */
  kurtosis: {
    needs: ['powers'],
    dtype: () => FLOAT64,
    value(cells, cell) {
      const spread = spreadOf(cells, cell);
      if (!spread) return Number.NaN;
      const { n, m2, m4 } = spread;
      const biased = m4 / (m2 * m2);
      if (cells.isBiased('kurtosis') || n <= 3) return biased - 3;
      return ((n * n - 1) * biased - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3));
    },
    showsNan: true,
    takesBias: true,
  },
} as const satisfies Record<string, Statistic>;

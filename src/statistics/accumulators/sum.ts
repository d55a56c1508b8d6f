/** Sums, compensated where they are floats and exact where they are integers; sum and mean. */
import { numberDType, type DType, type NumberDType } from '../../dtype/index.js';
import {
  type Accumulator,
  type Cells,
  divideExact,
  exactInteger,
  type Integer,
  type Statistic,
  usedIn,
} from './accumulator.js';

const FLOAT64 = numberDType('<f8');
const INT64 = numberDType('<i8');
const UINT64 = numberDType('<u8');

export const SUM: Accumulator = {
  fields: isWide => ({ sum: 0, sumRest: 0, ...(isWide && { sumHigh: 0, sumHighRest: 0 }) }),
  combine(into, to, from, at, count) {
    const { sum, sumRest, sumHigh, sumHighRest } = from;
    for (let i = 0; i < count; i++) {
      addPairTo(into['sum']!, into['sumRest']!, to + i, sum![at + i]!, sumRest![at + i]!);
      if (sumHigh) addPairTo(into['sumHigh']!, into['sumHighRest']!, to + i, sumHigh[at + i]!, sumHighRest![at + i]!);
    }
  },
};

export function sumOf({ dtype, fields }: Cells, cell: number): Integer {
  const { sum, sumRest, sumHigh, sumHighRest } = fields;
  if (dtype.kind === 'f') return totalOf(sum![cell]!, sumRest![cell]!);
  return exactInteger(sum![cell]!, sumRest![cell], sumHigh?.[cell], sumHighRest?.[cell]);
}

/** The dtype that numpy sums in; floats in float64. */
export function sumDType({ kind }: Pick<DType, 'kind'>): NumberDType {
  return kind === 'f' ? FLOAT64 : kind === 'u' ? UINT64 : INT64;
}

export const SUM_STATISTICS = {
  sum: { needs: ['sum'], dtype: sumDType, value: sumOf, showsNan: true },
  mean: {
    needs: ['sum'],
    dtype: () => FLOAT64,
    value(cells, cell) {
      const count = usedIn(cells, cell);
      if (count === 0) return Number.NaN;
      const sum = sumOf(cells, cell);
      return cells.dtype.kind === 'f' ? Number(sum) / count : divideExact(sum, count);
    },
    showsNan: true,
  },
} as const satisfies Record<string, Statistic>;

/**
 * sum[cell] + rest[cell] += value. The rounding error of each addition is kept apart (Knuth's TwoSum), which makes
 * sums of integers exact. Once a sum is infinite or NaN the rest means nothing: see totalOf.
 */
function addTo(sum: Float64Array, rest: Float64Array, cell: number, value: number): void {
  const before = sum[cell]!;
  const after = before + value;
  const added = after - before;
  rest[cell]! += before - (after - added) + (value - added);
  sum[cell] = after;
}

/** Adds value + rest, and keeps |rest| below half a unit of the sum's last place, so that it never overflows 53 bits. */
export function addPairTo(sum: Float64Array, rest: Float64Array, cell: number, value: number, valueRest: number): void {
  addTo(sum, rest, cell, value);
  const high = sum[cell]!;
  const low = rest[cell]! + valueRest;
  const total = high + low;
  if (Number.isFinite(total)) {
    sum[cell] = total;
    rest[cell] = low - (total - high);
  } else rest[cell] = 0;
}

/** A compensated sum as one double. */
export function totalOf(sum: number, rest: number): number {
  return Number.isFinite(sum) && Number.isFinite(rest) ? sum + rest : sum;
}

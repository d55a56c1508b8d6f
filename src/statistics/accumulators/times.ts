/**
 * Statistics of dates and durations, exact: they are counts of a unit, as int64. NaT is a NaN among them, and never gets
 * into their accumulators (facets.ts); an answer has it as the count NAT, as a file has.
 */
import { timeDType, withByteOrder, type DType, type TimeDType } from '../../dtype/index.js';
import { type Cells, type Integer, type Statistic, usedIn } from './accumulator.js';
import { COUNT_STATISTICS } from './counts.js';
import { EXTREME_STATISTICS } from './extremes.js';
import { sumOf } from './sum.js';

const own = (dtype: DType): DType => withByteOrder(dtype, '<');

/** What lies between two dates, or durations. */
function durationDType(dtype: DType): DType {
  return timeDType('m', (dtype as TimeDType).unit, '<');
}

/** Truncated toward zero, as numpy divides durations. */
function meanOf(cells: Cells, cell: number): Integer {
  const count = usedIn(cells, cell);
  return count === 0 ? Number.NaN : BigInt(sumOf(cells, cell)) / BigInt(count);
}

export const TIME_STATISTICS = {
  count: COUNT_STATISTICS.count,
  min: EXTREME_STATISTICS.min,
  max: EXTREME_STATISTICS.max,
  ptp: { ...EXTREME_STATISTICS.ptp, dtype: durationDType },
  argmin: EXTREME_STATISTICS.argmin,
  argmax: EXTREME_STATISTICS.argmax,
  mean: { needs: ['sum'], dtype: own, value: meanOf, showsNan: true },
  /** Of durations alone. */
  sum: { needs: ['sum'], dtype: own, value: sumOf, showsNan: true },
} as const satisfies Record<string, Statistic>;

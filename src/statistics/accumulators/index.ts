/** All accumulators and the statistics that are finished from them, a row each. */
import { type DType, isTime, isWide } from '../../dtype/index.js';
import type { Accumulator, Fields, FieldStarts, Statistic } from './accumulator.js';
import { COMPLEX_STATISTICS, IMAGINARY_MOMENTS, IMAGINARY_SUM, PAIR_PRODUCT } from './complex.js';
import { COUNT, COUNT_STATISTICS, NAN_INDEX, ZEROS } from './counts.js';
import { END_STATISTICS, FIRST, LAST } from './ends.js';
import { ARGMAX, ARGMIN, EXTREME_STATISTICS, MAX, MIN } from './extremes.js';
import { MOMENT_STATISTICS, MOMENTS } from './moments.js';
import { POWER_STATISTICS, POWERS } from './powers.js';
import { PRODUCT, PRODUCT_STATISTICS } from './product.js';
import { SUM, SUM_STATISTICS } from './sum.js';
import { TIME_STATISTICS } from './times.js';

/** In the order in which they are combined: moments read the counts before these are added. */
export const ACCUMULATORS = {
  moments: MOMENTS,
  imaginaryMoments: IMAGINARY_MOMENTS,
  powers: POWERS,
  sum: SUM,
  imaginarySum: IMAGINARY_SUM,
  product: PRODUCT,
  pairProduct: PAIR_PRODUCT,
  min: MIN,
  max: MAX,
  argmin: ARGMIN,
  argmax: ARGMAX,
  first: FIRST,
  last: LAST,
  zeros: ZEROS,
  nanIndex: NAN_INDEX,
  count: COUNT,
} as const satisfies Record<string, Accumulator>;

export type AccumulatorName = keyof typeof ACCUMULATORS;

const { count, any, all, count_nonzero } = COUNT_STATISTICS;
const { sum, mean } = SUM_STATISTICS;

/** In the order in which messages name them. */
export const STATISTICS = {
  count,
  sum,
  ...PRODUCT_STATISTICS,
  mean,
  ...MOMENT_STATISTICS,
  ...EXTREME_STATISTICS,
  any,
  all,
  count_nonzero,
  ...POWER_STATISTICS,
  ...END_STATISTICS,
} as const satisfies Record<string, Statistic<AccumulatorName>>;

export type StatisticName = keyof typeof STATISTICS;

type Statistics = Partial<Record<StatisticName, Statistic<AccumulatorName>>>;

const OF_TIMES: Statistics = TIME_STATISTICS;
const OF_COMPLEX: Statistics = COMPLEX_STATISTICS;

/** The statistic of elements of a dtype that has it (ops.ts). */
export function statisticOf(name: StatisticName, dtype: DType): Statistic<AccumulatorName> {
  const own = isTime(dtype) ? OF_TIMES[name] : dtype.kind === 'c' ? OF_COMPLEX[name] : undefined;
  return own ?? STATISTICS[name];
}

export function accumulatorOf(name: AccumulatorName): Accumulator {
  return ACCUMULATORS[name];
}

/** False for those whose kernel takes elements one at a time. */
export function hasFastKernels(name: AccumulatorName): boolean {
  return accumulatorOf(name).elements === undefined;
}

const NAMES = Object.keys(ACCUMULATORS) as AccumulatorName[];

/** The accumulators that keep these and what they read, in the order in which they are combined. */
export function accumulatorsOf(wanted: Iterable<AccumulatorName>): AccumulatorName[] {
  const all = new Set(wanted);
  for (const name of all) if (accumulatorOf(name).weighs) all.add('count');
  return NAMES.filter(name => all.has(name));
}

/** The fields that they keep. */
export function fieldsOf(names: readonly AccumulatorName[], dtype: DType): FieldStarts {
  return Object.assign({}, ...names.map(name => accumulatorOf(name).fields(isWide(dtype)))) as FieldStarts;
}

/** Adds cells of a partial to those of an answer: see Accumulator.combine. */
export function combineCells(
  names: readonly AccumulatorName[],
  into: Fields,
  to: number,
  from: Fields,
  at: number,
  count: number,
): void {
  for (const name of names) ACCUMULATORS[name].combine(into, to, from, at, count);
}

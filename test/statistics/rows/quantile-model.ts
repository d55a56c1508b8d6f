/** The stupid model of medians and quantiles: sort, find the place that the method's definition names, and weigh. */
import type { NumberDType } from '../../../src/dtype/index.js';
import type { Query } from '../../../src/statistics/index.js';
import { indicesOf, type Value } from '../cases.js';

/** An answer, and how far from it one may be that is rounded in the dtype of its elements. */
export interface Near {
  readonly value: Value;
  readonly within: number;
}

/** Methods that choose an element, by its number from 0 in the sorted sample. */
const PICKS: Readonly<Record<string, (n: number, q: number) => number>> = {
  inverted_cdf: (n, q) => Math.max(Math.ceil(n * q), 1) - 1,
  closest_observation: (n, q) => Math.max(nearestEven(n * q), 1) - 1,
  lower: (n, q) => Math.floor((n - 1) * q),
  higher: (n, q) => Math.ceil((n - 1) * q),
  nearest: (n, q) => nearestEven((n - 1) * q),
};

/** Plotting positions: the constants alpha and beta of Hyndman and Fan. */
const PLOTTED: Readonly<Record<string, readonly [alpha: number, beta: number]>> = {
  interpolated_inverted_cdf: [0, 1],
  hazen: [1 / 2, 1 / 2],
  weibull: [0, 0],
  median_unbiased: [1 / 3, 1 / 3],
  normal_unbiased: [3 / 8, 3 / 8],
};

/** A place between elements, which may lie before the first or behind the last. */
function placeOf(method: string, n: number, q: number): number {
  if (method === 'linear') return (n - 1) * q;
  if (method === 'midpoint') return (Math.floor((n - 1) * q) + Math.ceil((n - 1) * q)) / 2;
  if (method === 'averaged_inverted_cdf') return Number.isInteger(n * q) ? n * q - 0.5 : Math.ceil(n * q) - 1;
  const [alpha, beta] = PLOTTED[method]!;
  return n * q + (alpha + q * (1 - alpha - beta)) - 1;
}

function nearestEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** For each cell its median where it is asked for, then its quantiles in their order. */
export function expectedQuantiles(
  query: Query,
  dtype: NumberDType,
  shape: readonly number[],
  values: readonly Value[],
): Near[][] {
  const { q = [], method = 'linear' } = query.parameters?.quantile ?? {};
  return cellsOf(query, shape, values).map(elements => {
    const numbers = elements.filter(value => !Number.isNaN(value));
    const isShown = numbers.length < elements.length && query.nan !== 'omit';
    const sorted = isShown ? [] : numbers.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const median = query.ops.includes('median') ? [medianOf(dtype, sorted)] : [];
    return median.concat(q.map(each => quantileOf(dtype, sorted, method, each)));
  });
}

function medianOf(dtype: NumberDType, sorted: readonly Value[]): Near {
  const [low, high] = neighbours(sorted, (sorted.length - 1) / 2);
  return rounded(dtype, low, high, (low + high) / 2);
}

function quantileOf(dtype: NumberDType, sorted: readonly Value[], method: string, q: number): Near {
  if (sorted.length === 0) return { value: Number.NaN, within: 0 };
  const pick = PICKS[method];
  if (pick) return { value: sorted[pick(sorted.length, q)]!, within: 0 };
  const place = Math.min(Math.max(placeOf(method, sorted.length, q), 0), sorted.length - 1);
  const [low, high] = neighbours(sorted, place);
  const weight = place % 1;
  // From the nearer neighbour, as numpy goes: with an infinity at the other end that is another answer.
  return rounded(dtype, low, high, weight < 0.5 ? low + (high - low) * weight : high - (high - low) * (1 - weight));
}

function neighbours(sorted: readonly Value[], place: number): [low: number, high: number] {
  return [Number(sorted[Math.floor(place)]), Number(sorted[Math.ceil(place)])];
}

function rounded(dtype: NumberDType, low: number, high: number, value: number): Near {
  const unit = UNITS[dtype.kind === 'f' ? dtype.itemsize : 8]!;
  return { value, within: 4 * unit * Math.max(Math.abs(low), Math.abs(high)) };
}

/** One unit in the last place of 1, by the bytes of a float. */
const UNITS: Readonly<Record<number, number>> = { 2: 2 ** -10, 4: 2 ** -23, 8: 2 ** -52 };

/** The elements behind each cell, in C order of the kept axes. */
function cellsOf(query: Query, shape: readonly number[], values: readonly Value[]): Value[][] {
  const keptOf = (index: readonly number[]): number[] =>
    index.filter((_, axis) => query.axis !== null && !query.axis.includes(axis));
  const lists = new Map(indicesOf(keptOf(shape)).map(index => [index.join(), [] as Value[]]));
  indicesOf(shape).forEach((index, i) => lists.get(keptOf(index).join())!.push(values[i]!));
  return [...lists.values()];
}

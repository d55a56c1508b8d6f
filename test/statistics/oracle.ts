/**
 * The stupid model of the statistics: nested loops over a list of values, BigInt sums, two passes for the variance.
 * It knows no strides, chunks or dtypes beyond "integer or float", and is slow on purpose.
 */
import type { Query } from '../../src/statistics/index.js';
import { indicesOf, POSITIONAL, type Value } from './cases.js';

export interface Expected {
  readonly shape: readonly number[];
  /** By operation, in C order. Booleans are 0 and 1. */
  readonly results: Readonly<Record<string, readonly Value[]>>;
  readonly counts: readonly number[];
}

/** The expected answer, or the code of the expected error. `values` are those of the selection in C order. */
export function expectedOf(
  query: Query,
  isFloat: boolean,
  shape: readonly number[],
  values: readonly Value[],
): Expected | string {
  const isReduced = (axis: number): boolean => query.axis === null || query.axis.includes(axis);
  const keptShape = shape.filter((_, axis) => !isReduced(axis));
  const cells = indicesOf(keptShape).map(key => ({ key: key.join(), elements: [] as Value[] }));
  const byKey = new Map(cells.map(cell => [cell.key, cell]));
  indicesOf(shape).forEach((index, i) => {
    byKey.get(index.filter((_, axis) => !isReduced(axis)).join())!.elements.push(values[i]!);
  });
  const lists = cells.map(cell => cell.elements);
  const ordered = query.ops.some(op => ['min', 'max', 'ptp', ...POSITIONAL].includes(op));
  if (ordered && lists.some(list => list.length === 0)) return 'empty_selection';
  if (query.nan === 'raise' && lists.some(list => list.some(isNan))) return 'nan_found';
  const positional = query.ops.some(op => op.startsWith('arg'));
  if (query.nan === 'omit' && positional && lists.some(list => list.every(isNan))) return 'empty_selection';
  return {
    shape: query.keepdims ? shape.map((length, axis) => (isReduced(axis) ? 1 : length)) : keptShape,
    results: Object.fromEntries(query.ops.map(op => [op, lists.map(list => statistic(op, query, isFloat, list))])),
    counts: lists.map(list => (query.nan === 'omit' ? list.filter(value => !isNan(value)) : list).length),
  };
}

function isNan(value: Value): boolean {
  return Number.isNaN(value);
}

function statistic(op: string, query: Query, isFloat: boolean, all: readonly Value[]): Value {
  const used = query.nan === 'omit' ? all.filter(value => !isNan(value)) : all;
  const hasNan = used.some(isNan);
  const numbers = used.map(Number);
  switch (op) {
    case 'count':
      return used.length;
    case 'sum':
      return isFloat ? numbers.reduce((sum, value) => sum + value, 0) : integers(used).reduce((sum, v) => sum + v, 0n);
    case 'prod':
      return exactProduct(numbers);
    case 'mean':
      return isFloat ? meanOf(numbers) : used.length === 0 ? Number.NaN : meanOfIntegers(integers(used));
    case 'var':
      return isFloat ? varianceOf(numbers, query) : varianceOfIntegers(integers(used), query.ddof);
    case 'std':
      return Math.sqrt(isFloat ? varianceOf(numbers, query) : varianceOfIntegers(integers(used), query.ddof));
    case 'min':
      return hasNan || used.length === 0 ? Number.NaN : least(used);
    case 'max':
      return hasNan || used.length === 0 ? Number.NaN : most(used);
    case 'ptp':
      if (hasNan || used.length === 0) return Number.NaN;
      return isFloat ? Number(most(used)) - Number(least(used)) : BigInt(most(used)) - BigInt(least(used));
    case 'argmin':
      return hasNan ? all.findIndex(isNan) : all.findIndex(value => value === least(used));
    case 'argmax':
      return hasNan ? all.findIndex(isNan) : all.findIndex(value => value === most(used));
    case 'any':
      return Number(numbers.some(value => value !== 0));
    case 'all':
      return Number(numbers.every(value => value !== 0));
    case 'count_nonzero':
      return numbers.filter(value => value !== 0).length;
    case 'first':
      return used[0] ?? Number.NaN;
    case 'last':
      return used.at(-1) ?? Number.NaN;
    case 'skew':
      return skewOf(used, query);
    case 'kurtosis':
      return kurtosisOf(used, query);
    default:
      throw new Error(`the oracle does not know ${op}`);
  }
}

function integers(values: readonly Value[]): bigint[] {
  return values.map(BigInt);
}

function least(values: readonly Value[]): Value {
  return values.reduce((best, value) => (value < best ? value : best));
}

function most(values: readonly Value[]): Value {
  return values.reduce((best, value) => (value > best ? value : best));
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

/** To 1e-18 of the mean: whole part and 64 bits of fraction. */
function meanOfIntegers(values: readonly bigint[]): number {
  const sum = values.reduce((total, value) => total + value, 0n);
  return Number((sum << 64n) / BigInt(values.length)) / 2 ** 64;
}

function varianceOf(numbers: readonly number[], { ddof, nan }: Query): number {
  if (numbers.length === 0 || (nan === 'omit' && numbers.length <= ddof)) return Number.NaN;
  const mean = meanOf(numbers);
  return numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(numbers.length - ddof, 0);
}

/** Exact up to the divisions. In doubles, as numpy has it, large integers that differ little would not differ. */
function varianceOfIntegers(values: readonly bigint[], ddof: number): number {
  if (values.length === 0) return Number.NaN;
  const n = BigInt(values.length);
  const sum = values.reduce((total, value) => total + value, 0n);
  const squares = values.reduce((total, value) => total + value * value, 0n);
  const m2 = Number(((n * squares - sum * sum) << 64n) / n) / 2 ** 64;
  return m2 / Math.max(values.length - ddof, 0);
}

/** Distances of whole numbers are exact; those of others from a mean that is corrected by what rounding left out. */
function distancesOf(values: readonly Value[]): number[] {
  if (values.every(value => typeof value === 'bigint')) {
    const n = BigInt(values.length);
    const sum = values.reduce((total, value) => total + value, 0n);
    return values.map(value => Number(value * n - sum) / values.length);
  }
  const numbers = values.map(Number);
  const mean = meanOf(numbers);
  const rest = meanOf(numbers.map(value => value - mean));
  return numbers.map(value => value - mean - rest);
}

/** The mean of a power of distances from the mean; NaN where all elements are one number, as scipy has it. */
function momentsOf(values: readonly Value[]): (power: number) => number {
  const distances = distancesOf(values);
  const moment = (power: number): number => meanOf(distances.map(distance => distance ** power));
  return moment(2) <= (1e-15 * meanOf(values.map(Number))) ** 2 ? () => Number.NaN : moment;
}

/** scipy.stats.skew. */
function skewOf(values: readonly Value[], { bias = true }: Query): number {
  const n = values.length;
  const moment = momentsOf(values);
  const skew = moment(3) / moment(2) ** 1.5;
  return bias || n <= 2 ? skew : (skew * Math.sqrt(n * (n - 1))) / (n - 2);
}

/** scipy.stats.kurtosis, of Fisher. */
function kurtosisOf(values: readonly Value[], { bias = true }: Query): number {
  const n = values.length;
  const moment = momentsOf(values);
  const ratio = moment(4) / moment(2) ** 2;
  return bias || n <= 3 ? ratio - 3 : ((n + 1) * (n - 1) * ratio - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3));
}

/** The product as a whole number times a power of two, rounded at the end. */
function exactProduct(numbers: readonly number[]): number {
  if (!numbers.every(Number.isFinite)) return numbers.reduce((product, value) => product * value, 1);
  let product = 1n;
  let exponent = 0;
  for (let value of numbers) {
    if (value === 0) return 0;
    while (!Number.isInteger(value)) {
      value *= 2;
      exponent--;
    }
    product *= BigInt(value);
  }
  // The exponent is taken off in the whole number where it would be lost as a double.
  const bits = product.toString(2).length;
  const surplus = Math.max(0, bits - 1000);
  const kept = Number(product >> BigInt(surplus));
  const total = exponent + surplus;
  return kept * 2 ** Math.floor(total / 2) * 2 ** Math.ceil(total / 2);
}

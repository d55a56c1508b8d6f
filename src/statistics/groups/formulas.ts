/** What the cells of groups have gathered → the statistics: the same rules as for cells without groups (finish.ts). */
import type { DType } from '../../dtype.js';
import { valueOfCode } from '../codes.js';
import type { Plan } from '../plan.js';
import { divideExact, subtractExact, type Integer } from '../exact.js';
import { scaled, totalOf } from '../combine.js';
import { narrowTo } from '../narrow.js';
import { nativeTypeOf } from '../../kernels/native-types.js';
import { isReduceOp, opRow, type ReduceOpName } from '../ops.js';
import type { Query } from '../query.js';
import { squaresOf } from './combine.js';
import type { RecordName } from './records.js';
import type { GroupStore } from './store.js';
import type { GroupedResult, StatisticsResult } from '../result.js';

/** NaN are counted, and left out of everything else. */
export function dropsNan({ ops, nan }: Query, dtype: DType): boolean {
  if (dtype.kind !== 'f') return false;
  return nan !== 'propagate' || ops.some(op => opRow(op).ordered === true || !isReduceOp(op));
}

/** The records that operations are finished from. */
export function recordsOf(query: Query, dtype: DType): RecordName[] {
  const names = new Set<RecordName>();
  const isWide = dtype.itemsize === 8 && dtype.kind !== 'f';
  if (dropsNan(query, dtype)) names.add('present');
  for (const op of query.ops) {
    for (const quantity of opRow(op).quantities) {
      if (quantity === 'sum') names.add(isWide ? 'wide' : 'sum');
      else if (quantity === 'm2') names.add('moments');
      else if (quantity === 'prod') names.add('product');
      else if (quantity === 'nonzero') names.add('nonzero');
      else names.add('extremes');
    }
    // A variance has its own sums.
    if (op === 'var' || op === 'std') names.delete(isWide ? 'wide' : 'sum');
  }
  if (query.ops.some(op => op === 'sum' || op === 'mean')) names.add(isWide ? 'wide' : 'sum');
  return [...names];
}

export interface GroupCells {
  readonly query: Query;
  readonly dtype: DType;
  readonly store: GroupStore;
  /** Elements that a row has in each cell of its group. */
  readonly perRow: number;
  readonly dropsNan: boolean;
}

/** Elements of a cell, NaN included. */
function sizeOf({ store, perRow }: GroupCells, cell: number): number {
  return store.rows[Math.floor(cell / store.cells)]! * perRow;
}

/** Elements of a cell that are in its records. */
export function presentIn(cells: GroupCells, cell: number): number {
  return cells.dropsNan ? cells.store.record('present')[cell]! : sizeOf(cells, cell);
}

/** Elements of a cell that the query uses. */
export function usedIn(cells: GroupCells, cell: number): number {
  return cells.query.nan === 'omit' ? presentIn(cells, cell) : sizeOf(cells, cell);
}

/** True where NaN, that were left out, have to show in the answer. */
export function hasNan(cells: GroupCells, cell: number): boolean {
  return presentIn(cells, cell) < usedIn(cells, cell);
}

/** True where a cell has NaN, whatever becomes of them. */
export function isMissing(cells: GroupCells, cell: number): boolean {
  return presentIn(cells, cell) < sizeOf(cells, cell);
}

type Formula = (cells: GroupCells, cell: number) => Integer;

export const FORMULAS: Record<Exclude<ReduceOpName, 'argmin' | 'argmax'>, Formula> = {
  count: usedIn,
  sum: numeric(sumOf),
  prod: numeric(({ store }, cell) => {
    const product = store.record('product');
    return product[3 * cell + 2] === 0 ? 1 : scaled(product[3 * cell]!, product[3 * cell + 1]!);
  }),
  mean: numeric((cells, cell) => {
    const count = usedIn(cells, cell);
    if (count === 0) return Number.NaN;
    const sum = sumOf(cells, cell);
    return typeof sum === 'number' && cells.dtype.kind === 'f' ? sum / count : divideExact(sum, count);
  }),
  var: numeric(variance),
  std: numeric((cells, cell) => Math.sqrt(variance(cells, cell))),
  min: numeric((cells, cell) => extremeOf(cells, cell).least),
  max: numeric((cells, cell) => extremeOf(cells, cell).most),
  ptp: numeric((cells, cell) => {
    const { least, most } = extremeOf(cells, cell);
    return cells.dtype.kind === 'f' ? narrowTo(cells.dtype)(Number(most) - Number(least)) : subtractExact(most, least);
  }),
  any: (cells, cell) => Number(nonzeroIn(cells, cell) > 0),
  all: (cells, cell) => Number(nonzeroIn(cells, cell) === usedIn(cells, cell)),
  count_nonzero: nonzeroIn,
};

function numeric(formula: Formula): Formula {
  return (cells, cell) => (hasNan(cells, cell) ? Number.NaN : formula(cells, cell));
}

function sumOf({ dtype, store }: GroupCells, cell: number): Integer {
  if (dtype.itemsize === 8 && dtype.kind !== 'f') return wideOf(store.record('wide'), 3 * cell);
  const sums = store.record('sum');
  return totalOf(sums[2 * cell]!, sums[2 * cell + 1]!);
}

/** A sum of limbs of 32 bits. */
function wideOf(limbs: Float64Array | Uint32Array, at: number): Integer {
  const [low, middle, high] = [limbs[at]!, limbs[at + 1]!, limbs[at + 2]!];
  if (high === 0 && middle < 2 ** 20) return middle * 2 ** 32 + low;
  const value = (BigInt(high) << 64n) + (BigInt(middle) << 32n) + BigInt(low);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** numpy divides by count - ddof, but never by less than zero; its nan-functions answer NaN instead. */
function variance(cells: GroupCells, cell: number): number {
  const { query, dtype } = cells;
  const count = usedIn(cells, cell);
  const divisor = count - query.ddof;
  if (count === 0 || (divisor <= 0 && query.nan === 'omit' && dtype.kind === 'f')) return Number.NaN;
  return squaresOf(cells.store.record('moments') as Float64Array, 6 * cell) / Math.max(divisor, 0);
}

/** Both are NaN where nothing but NaN was seen. */
function extremeOf(cells: GroupCells, cell: number): { least: Integer; most: Integer } {
  if (presentIn(cells, cell) === 0) return { least: Number.NaN, most: Number.NaN };
  const type = nativeTypeOf(cells.dtype);
  const { least, most } = extremeCodes(cells.store, cell);
  return { least: valueOfCode(type, least), most: valueOfCode(type, most) };
}

/** The codes of the least and the largest element of a cell that has one. */
export function extremeCodes(store: GroupStore, cell: number): { least: bigint; most: bigint } {
  const words = store.record('extremes');
  const wordsAt = (at: number): bigint => (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
  return { least: BigInt.asUintN(64, ~wordsAt(4 * cell + 2)), most: wordsAt(4 * cell) };
}

/** NaN is not zero. */
function nonzeroIn(cells: GroupCells, cell: number): number {
  return cells.store.record('nonzero')[cell]! + usedIn(cells, cell) - presentIn(cells, cell);
}

/** Elements used in all groups: one number, or one per cell where they differ. */
export function countAll({ shape, cells }: Plan, { counts }: GroupedResult): StatisticsResult['count'] {
  const sums = new Float64Array(cells);
  for (const [i, count] of counts.values.entries()) sums[i % cells]! += Number(count);
  const [first = 0] = sums;
  return sums.every(sum => sum === first) ? first : { ...counts, shape, values: sums };
}

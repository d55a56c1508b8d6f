/**
 * The two interfaces of this folder. An accumulator is what is kept of a cell's elements: some fields, and how those of a
 * chunk are added to those of the chunks before. A statistic is a number that is finished from the fields of a cell. Cells
 * are those of the axes that remain, or of groups; neither interface knows which.
 *
 * What is known of cells are their fields: one Float64Array for each field, an item for each cell. Everything is float64;
 * exact integers are pairs whose exact sum counts (value + rest), and 64-bit ones are kept as high and low halves of 32 bits.
 *
 * numpy's rules about NaN are here, once. `nan=propagate`: a NaN shows in the answer. Where NaN would not show by themselves
 * (extremes have no order for them) they are counted, and a cell with some is answered NaN. `nan=omit`: they are left out.
 */
import type { DType } from '../../dtype/index.js';
import type { ElementKernelName } from '../../kernels/index.js';
import { LIMITS } from '../../limits.js';

export interface Accumulator {
  /** What is kept of a cell, and what that is before any element. `isWide`: of 64-bit integers. */
  readonly fields: (isWide: boolean) => FieldStarts;
  /** Adds `count` cells of a partial, from cell `at` of `from` on, to those of `into` from cell `to` on. */
  readonly combine: (into: Fields, to: number, from: Fields, at: number, count: number) => void;
  /** Cells are weighed by `count`, which is kept beside it. */
  readonly weighs?: true;
  /**
   * Its kernel takes elements one at a time: the way that is open to every accumulator. One without has fast kernels of its
   * own, over runs, columns and groups, which sink.ts and groups/cell-records.ts call.
   */
  readonly elements?: ElementKernel;
}

/** A kernel of kernels/accumulators. */
interface ElementKernel {
  /** Its name among the exports of the module. */
  readonly name: ElementKernelName;
  /** What it keeps of a cell, in this order and 8 bytes each, and what that is before any element. */
  readonly state: FieldStarts;
}

/** Cells whose elements have all been seen. */
export interface Cells {
  readonly dtype: DType;
  readonly fields: Fields;
  /** `fields.count` has the elements of each cell that are not NaN. */
  readonly countsNan: boolean;
  /** NaN are no elements: `nan=omit`. */
  readonly omitsNan: boolean;
  readonly ddof: number;
  /** Whether a statistic is not corrected for the size of a sample: scipy's `bias`. */
  readonly isBiased: (name: string) => boolean;
  /** Elements of a cell, NaN included. */
  readonly sizeOf: (cell: number) => number;
}

export interface Statistic<A extends string = string> {
  /** Accumulators that it is finished from. */
  readonly needs: readonly A[];
  readonly dtype: (of: DType) => DType;
  /** Of one cell. Where `showsNan`, not asked for cells that are answered NaN. @throws empty_selection */
  readonly value: (cells: Cells, cell: number) => Integer;
  /** Where the answer is a complex number: its imaginary part, and `value` is the real one. */
  readonly imaginary?: (cells: Cells, cell: number) => number;
  /** A cell with NaN is answered NaN; else NaN are elements like others. */
  readonly showsNan: boolean;
  /** It has no value without an element, and NaN (which has no order) must be looked for to answer as numpy does. */
  readonly ordered?: true;
  /** It may be given `{"bias": false}`. */
  readonly takesBias?: true;
  /**
   * Its value is a position, or depends on one, so only one axis, or all of them, make sense; and there has to be an
   * element.
   */
  readonly positional?: true;
}

/** Elements of a cell that are in its fields: all, or all but NaN. */
export function seenIn({ countsNan, fields, sizeOf }: Cells, cell: number): number {
  return countsNan ? fields.count![cell]! : sizeOf(cell);
}

/** Elements of a cell that the query uses. */
export function usedIn(cells: Cells, cell: number): number {
  return cells.omitsNan ? seenIn(cells, cell) : cells.sizeOf(cell);
}

/** True where NaN were counted that have to show in the answer. */
export function hasNan(cells: Cells, cell: number): boolean {
  return cells.countsNan && seenIn(cells, cell) < usedIn(cells, cell);
}

/** Names of fields, and what each is before any element. */
export type FieldStarts = Readonly<Record<string, number>>;

/** Fields that others than their accumulator read have a line here. */
export interface Fields {
  /** Elements used, where cells may differ in it (NaN are counted), or where others are weighed by it. */
  count?: Float64Array;
  /** Smallest and largest value, or its high half for 64-bit integers. */
  min?: Float64Array;
  minLow?: Float64Array;
  max?: Float64Array;
  maxLow?: Float64Array;
  /** Index of the first NaN. */
  nanIndex?: Float64Array;
  [own: string]: Float64Array | undefined;
}

/** Fields of so many cells, none of which has an element. */
export function newFields(starts: FieldStarts, cells: number): Fields {
  const fields: Fields = {};
  for (const [name, start] of Object.entries(starts)) {
    const values = new Float64Array(cells);
    if (start !== 0) values.fill(start);
    fields[name] = values;
  }
  return fields;
}

/** A number where it is exact, else a bigint: both print all their digits. */
export type Integer = number | bigint;

/**
 * Values at their places, in turns of LIMITS.cellsPerTurn: as doubles, or all as bigint where one of them is beyond 2 ** 53,
 * so that an array has one type.
 */
export function* placed(
  length: number,
  valueOf: (i: number) => Integer,
  placeOf: (i: number) => number = i => i,
): Generator<void, Float64Array | bigint[]> {
  const values = new Float64Array(length);
  // A function of its own, since the loops of a generator that goes on begin slowly in each turn.
  const place = (from: number, to: number, exact?: bigint[]): bigint[] | undefined => {
    for (let i = from; i < to; i++) {
      const found = valueOf(i);
      const value = typeof found === 'bigint' ? smallest(found) : found;
      if (typeof value === 'number') values[placeOf(i)] = value;
      else (exact ??= Array.from<bigint>({ length }))[placeOf(i)] = value;
    }
    return exact;
  };
  let exact: bigint[] | undefined;
  for (let from = 0; from < length; from += LIMITS.cellsPerTurn) {
    if (from > 0) yield;
    exact = place(from, Math.min(from + LIMITS.cellsPerTurn, length), exact);
  }
  if (!exact) return values;
  for (let i = 0; i < length; i++) {
    if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
    exact[i] ??= BigInt(values[i]!);
  }
  return exact;
}

/** high * 2 ** 32 + low, each the exact sum of integers in float64. */
export function exactInteger(low: number, lowRest = 0, high = 0, highRest = 0): Integer {
  // Below 2 ** 53 every step of this sum is exact.
  const approximate = high * 2 ** 32 + low;
  if (Math.abs(low) < 2 ** 52 && Math.abs(high) < 2 ** 19 && lowRest === 0 && highRest === 0) return approximate;
  return smallest(((BigInt(high) + BigInt(highRest)) << 32n) + BigInt(low) + BigInt(lowRest));
}

export function subtractExact(a: Integer, b: Integer): Integer {
  return smallest(BigInt(a) - BigInt(b));
}

function smallest(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** sum / count, rounded once to the nearest double (ties to even). */
export function divideExact(sum: Integer, count: number): number {
  if (typeof sum === 'number') return sum / count;
  const divisor = BigInt(count);
  const magnitude = sum < 0n ? -sum : sum;
  // Enough bits for a quotient of more than 64, the last of which stands for all that was cut off.
  const shift = BigInt(Math.max(0, 66 + divisor.toString(2).length - magnitude.toString(2).length));
  const scaled = magnitude << shift;
  const quotient = scaled / divisor;
  const sticky = scaled % divisor === 0n ? 0n : 1n;
  const rounded = Number((quotient << 1n) | sticky) / 2 ** Number(shift + 1n);
  return sum < 0n ? -rounded : rounded;
}

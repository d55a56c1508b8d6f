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
import type { DType } from '../../dtype.js';
import type { ElementKernelName } from '../../kernels/index.js';
import type { Integer } from './exact.js';

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
  /** false: statistics of a sample are corrected, as scipy's with `bias=False`. */
  readonly bias: boolean;
  /** Elements of a cell, NaN included. */
  readonly sizeOf: (cell: number) => number;
}

export interface Statistic<A extends string = string> {
  /** Accumulators that it is finished from. */
  readonly needs: readonly A[];
  readonly dtype: (of: DType) => DType;
  /** Of one cell. Where `showsNan`, not asked for cells that are answered NaN. @throws empty_selection */
  readonly value: (cells: Cells, cell: number) => Integer;
  /** A cell with NaN is answered NaN; else NaN are elements like others. */
  readonly showsNan: boolean;
  /** It has no value without an element, and NaN (which has no order) must be looked for to answer as numpy does. */
  readonly ordered?: true;
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
  return seenIn(cells, cell) < usedIn(cells, cell);
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

/** 64-bit integers do not fit a double and are measured as two halves. */
export function isWide(dtype: DType): boolean {
  return dtype.itemsize === 8 && dtype.kind !== 'f';
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

/**
 * What is known of the cells of an answer: one Float64Array for each field, an item for each cell. Everything is float64;
 * exact integers are pairs whose exact sum counts (value + rest), and 64-bit ones are kept as high and low halves of 32 bits.
 */
import type { DType } from '../../dtype.js';

/** Field → its value before any element. */
export const FIELDS = {
  /** Elements used, where cells may differ in it (NaN are counted), or where moments are weighed by it. */
  count: 0,
  /** Sum (of the low halves for 64-bit integers) and the rounding errors left out of it. */
  sum: 0,
  sumRest: 0,
  sumHigh: 0,
  sumHighRest: 0,
  /** Mean, what its rounding left out, and the sum of squared distances from it. */
  mean: 0,
  meanRest: 0,
  m2: 0,
  /** The product is prod * 2 ** prodExponent. */
  prod: 1,
  prodExponent: 0,
  /** Smallest value (its high half for 64-bit integers). */
  min: Number.POSITIVE_INFINITY,
  minLow: 0,
  max: Number.NEGATIVE_INFINITY,
  maxLow: 0,
  /** Index of the first smallest and largest element. */
  argmin: Number.POSITIVE_INFINITY,
  argmax: Number.POSITIVE_INFINITY,
  /** Elements that are zero. */
  zeros: 0,
  /** Index of the first NaN. */
  nanIndex: Number.POSITIVE_INFINITY,
} as const;

export type FieldName = keyof typeof FIELDS;
export type Fields = { [F in FieldName]?: Float64Array };

/** 64-bit integers do not fit a double and are measured as two halves. */
export function isWide(dtype: DType): boolean {
  return dtype.itemsize === 8 && dtype.kind !== 'f';
}

/** Fields of so many cells, none of which has an element. */
export function newFields(names: readonly FieldName[], cells: number): Fields {
  const fields: Fields = {};
  for (const name of names) {
    const values = new Float64Array(cells);
    if (FIELDS[name] !== 0) values.fill(FIELDS[name]);
    fields[name] = values;
  }
  return fields;
}

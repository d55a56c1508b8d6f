/**
 * What is known of the cells of an answer: one Float64Array for each field, an item for each cell. Everything is float64;
 * exact integers are pairs whose exact sum counts (value + rest), and 64-bit ones are kept as high and low halves of 32 bits.
 * Each accumulator says which fields it keeps.
 */
import type { DType } from '../../dtype.js';

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

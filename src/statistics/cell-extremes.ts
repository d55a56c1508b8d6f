/** Smallest and largest of single cells, and where they are. A run's positions `[from, to)` are those of a block. */
import type { Fields } from './fields.js';
import { isWithin, maxWideRun, minWideRun } from './kernels/runs.js';
import type { Block } from './tile.js';

/** True where both extremes are kept without positions and a run changes neither: one cheaper pass for most blocks. */
export function addsNoExtreme(fields: Fields, values: Float64Array, start: number, end: number, cell: number): boolean {
  const { min, max, argmin, argmax } = fields;
  return min && max && !argmin && !argmax ? isWithin(values, start, end, min[cell]!, max[cell]!) : false;
}

export function keepMin(
  { min, argmin }: Fields,
  least: number,
  block: Block,
  from: number,
  to: number,
  cell: number,
  index: number,
  indexStep: number,
): void {
  const kept = min![cell]!;
  if (argmin && least <= kept) {
    const found = indexOf(block.values, least, from, to, index, indexStep);
    if (least < kept || found < argmin[cell]!) argmin[cell] = found;
  }
  if (least < kept) min![cell] = least;
}

export function keepMax(
  { max, argmax }: Fields,
  most: number,
  block: Block,
  from: number,
  to: number,
  cell: number,
  index: number,
  indexStep: number,
): void {
  const kept = max![cell]!;
  if (argmax && most >= kept) {
    const found = indexOf(block.values, most, from, to, index, indexStep);
    if (most > kept || found < argmax[cell]!) argmax[cell] = found;
  }
  if (most > kept) max![cell] = most;
}

/** The lowest index of a value that is there: the first position, or the last where indices fall. */
function indexOf(
  values: Float64Array,
  value: number,
  from: number,
  to: number,
  index: number,
  indexStep: number,
): number {
  const at = indexStep < 0 ? values.lastIndexOf(value, to - 1) : values.indexOf(value, from);
  return index + (at - from) * indexStep;
}

export function keepMinWide(
  fields: Fields,
  block: Block,
  from: number,
  to: number,
  cell: number,
  index: number,
  indexStep: number,
): void {
  const at = minWideRun(block.high, block.low, from, to, indexStep < 0);
  const order = block.high[at]! - fields.min![cell]! || block.low[at]! - fields.minLow![cell]!;
  const found = index + (at - from) * indexStep;
  if (fields.argmin && (order < 0 || (order === 0 && found < fields.argmin[cell]!))) fields.argmin[cell] = found;
  if (order >= 0) return;
  fields.min![cell] = block.high[at]!;
  fields.minLow![cell] = block.low[at]!;
}

export function keepMaxWide(
  fields: Fields,
  block: Block,
  from: number,
  to: number,
  cell: number,
  index: number,
  indexStep: number,
): void {
  const at = maxWideRun(block.high, block.low, from, to, indexStep < 0);
  const order = block.high[at]! - fields.max![cell]! || block.low[at]! - fields.maxLow![cell]!;
  const found = index + (at - from) * indexStep;
  if (fields.argmax && (order > 0 || (order === 0 && found < fields.argmax[cell]!))) fields.argmax[cell] = found;
  if (order <= 0) return;
  fields.max![cell] = block.high[at]!;
  fields.maxLow![cell] = block.low[at]!;
}

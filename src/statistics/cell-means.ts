/** Means and squares of single cells, from the fields that hold them. */
import type { Fields } from './fields.js';
import { combineSquares, totalOf } from './kernels/combine.js';

/** The mean of what a cell has seen. NaN before the first element. */
export function meanOf(fields: Fields, cell: number): number {
  const low = totalOf(fields.sum![cell]!, fields.sumRest![cell]!);
  const high = fields.sumHigh ? totalOf(fields.sumHigh[cell]!, fields.sumHighRest![cell]!) : 0;
  return (high * 2 ** 32 + low) / fields.count![cell]!;
}

/** Combines the squares of more elements with a cell's. Its count and sums must be those before these elements. */
export function addSquares(fields: Fields, cell: number, count: number, mean: number, squares: number): void {
  const before = fields.count![cell]!;
  fields.m2![cell] = combineSquares(before, meanOf(fields, cell), fields.m2![cell]!, count, mean, squares);
}

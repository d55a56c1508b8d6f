/**
 * One block of numbers into the cells it belongs to: every quantity of the query while the block is in the cache.
 * Two shapes: a run that is one cell's, and a block of rows over as many cells as it is wide. Blocks with NaN, and
 * quantities without a row kernel, are taken column by column as runs. Hazard: the squares of a cell are combined with
 * its sum and count *before* the block is added to those.
 */
import { addSquares } from './cell-means.js';
import { addsNoExtreme, keepMax, keepMaxWide, keepMin, keepMinWide } from './cell-extremes.js';
import type { Fields } from './fields.js';
import { addTo, multiplyRun } from './kernels/combine.js';
import { anyNan, gatherColumn, maxRows, minRows, squaresRows, sumRows } from './kernels/rows.js';
import { compactRun, findNan, maxRun, minRun, nonzeroRun, squaresRun, sumRun } from './kernels/runs.js';
import { scratchOf, STRIP_WIDTH_MAX, type Scratch } from './scratch.js';
import type { Block } from './tile.js';

/** The cells being computed. */
export interface Reduction extends Scratch {
  readonly fields: Fields;
  readonly wide: boolean;
  readonly countsNan: boolean;
  /** True where row kernels exist for all fields. */
  readonly hasRowKernels: boolean;
}

export function newReduction(fields: Fields, wide: boolean, countsNan: boolean): Reduction {
  const { prod, argmin, argmax, nonzero } = fields;
  const hasRowKernels = !wide && !prod && !argmin && !argmax && !nonzero;
  return { ...scratchOf(wide), fields, wide, countsNan, hasRowKernels };
}

/** Positions `[from, to)` of a block belong to `cell`; the first has `index`, each next one `indexStep` more. */
export function reduceRun(
  reduction: Reduction,
  block: Block,
  from: number,
  to: number,
  cell: number,
  index: number,
  indexStep: number,
): void {
  const { fields } = reduction;
  let values = block.values;
  let start = from;
  let end = to;
  // Halves are summed by themselves below.
  const needsTotal = reduction.wide ? fields.m2 !== undefined : fields.sum !== undefined || reduction.countsNan;
  let total = needsTotal ? sumRun(values, from, to) : 0;
  if (reduction.countsNan && Number.isNaN(total)) {
    const count = compactRun(values, from, to, reduction.compacted);
    if (count < to - from) {
      if (fields.nanIndex) {
        const at = findNan(values, from, to, indexStep < 0);
        fields.nanIndex[cell] = Math.min(fields.nanIndex[cell]!, index + (at - from) * indexStep);
      }
      values = reduction.compacted;
      start = 0;
      end = count;
      if (count === 0) return;
      total = sumRun(values, start, end);
    }
  }
  if (fields.m2) {
    const mean = total / (end - start);
    addSquares(fields, cell, end - start, mean, squaresRun(values, start, end, mean));
  }
  if (reduction.wide) {
    if (fields.sum) {
      addTo(fields.sum, fields.sumRest!, cell, sumRun(block.low, from, to));
      addTo(fields.sumHigh!, fields.sumHighRest!, cell, sumRun(block.high, from, to));
    }
    if (fields.min) keepMinWide(fields, block, from, to, cell, index, indexStep);
    if (fields.max) keepMaxWide(fields, block, from, to, cell, index, indexStep);
  } else {
    if (fields.sum) addTo(fields.sum, fields.sumRest!, cell, total);
    if (!addsNoExtreme(fields, values, start, end, cell)) {
      if (fields.min) keepMin(fields, minRun(values, start, end), block, from, to, cell, index, indexStep);
      if (fields.max) keepMax(fields, maxRun(values, start, end), block, from, to, cell, index, indexStep);
    }
  }
  if (fields.prod) multiplyRun(values, start, end, fields.prod, fields.prodExponent!, cell);
  if (fields.nonzero) fields.nonzero[cell]! += nonzeroRun(values, start, end);
  fields.count![cell]! += end - start;
}

/** `rows` rows of `width` cells, `step` positions apart in the block; each row has `indexStep` more than the one before. */
export function reduceRows(
  reduction: Reduction,
  from: number,
  step: number,
  rows: number,
  width: number,
  cell: number,
  index: number,
  indexStep: number,
): void {
  const { fields, block, sums, means, squares } = reduction;
  const byRows = reduction.hasRowKernels && width <= STRIP_WIDTH_MAX;
  if (byRows && (fields.sum || reduction.countsNan)) sumRows(block.values, from, step, rows, width, sums);
  if (!byRows || (reduction.countsNan && anyNan(sums, width))) {
    reduceColumns(reduction, from, step, rows, width, cell, index, indexStep);
    return;
  }
  if (fields.m2) {
    for (let j = 0; j < width; j++) means[j] = sums[j]! / rows;
    squaresRows(block.values, from, step, rows, width, means, squares);
    for (let j = 0; j < width; j++) addSquares(fields, cell + j, rows, means[j]!, squares[j]!);
  }
  if (fields.sum) for (let j = 0; j < width; j++) addTo(fields.sum, fields.sumRest!, cell + j, sums[j]!);
  if (fields.min) minRows(block.values, from, step, rows, width, fields.min, cell);
  if (fields.max) maxRows(block.values, from, step, rows, width, fields.max, cell);
  const count = fields.count!;
  for (let j = 0; j < width; j++) count[cell + j]! += rows;
}

function reduceColumns(
  reduction: Reduction,
  from: number,
  step: number,
  rows: number,
  width: number,
  cell: number,
  index: number,
  indexStep: number,
): void {
  const { block, column } = reduction;
  for (let j = 0; j < width; j++) {
    gatherColumn(block.values, from + j, step, rows, column.scratch);
    if (reduction.wide) {
      gatherColumn(block.high, from + j, step, rows, column.high);
      gatherColumn(block.low, from + j, step, rows, column.low);
    }
    reduceRun(reduction, column, 0, rows, cell + j, index, indexStep);
  }
}

/**
 * What a query will cost and in which pieces it is computed, from geometry alone: O(rank), however large the selection.
 * Refusals happen here, before any data is read. Chunks are numbered, have a fixed order that does not depend on who
 * computes them, and are made on demand.
 */
import type { DType } from '../dtype.js';
import { fail } from '../errors.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { boxAt, cellsOf, gridOf, memoryOrder, viewOf, type Box, type CellOrder, type Grid } from './axes.js';
import { fieldsOf, type FieldName } from './fields.js';
import { opRow, type Quantity } from './ops.js';
import type { Query } from './query.js';

/** What every chunk of a plan measures. */
export interface Measure {
  readonly fields: readonly FieldName[];
  /** NaN are looked for, counted and left out of every other field; else they flow through the arithmetic. */
  readonly countsNan: boolean;
  readonly tileBytesMax: number;
}

export interface Plan {
  readonly query: Query;
  readonly dtype: DType;
  readonly measure: Measure;
  /** Shape of the answer, with reduced axes as ones under `keepdims`. */
  readonly shape: readonly number[];
  /** Cells of the answer, and elements behind each. */
  readonly cells: number;
  readonly cellSize: number;
  readonly box: Box;
  readonly grid: Grid;
  readonly cellOrder: CellOrder;
  /** Number of chunks; 0 where no data has to be read. */
  readonly chunkCount: number;
  /** Bytes of useful data that the chunks read together. */
  readonly bytes: number;
}

/** The unit of work: plain data that may cross threads. */
export interface ChunkTask {
  readonly dtype: DType;
  /** The elements of the file that it reads, and their bytes without gaps. */
  readonly view: View;
  readonly bytes: number;
  readonly measure: Measure;
  readonly box: Box;
  readonly cellStart: number;
  readonly cellCount: number;
}

/** Bounds that tests lower to cut small arrays into many pieces. */
export interface PlanBounds {
  readonly chunkBytesMax: number;
  readonly tileBytesMax: number;
  /**
   * Cells of one chunk: partials stay small against 8 MiB of data, and a block of rows under as many columns still
   * fits into one tile.
   */
  readonly chunkCellsMax: number;
}

export const PLAN_BOUNDS: PlanBounds = {
  chunkBytesMax: LIMITS.chunkBytesMax,
  tileBytesMax: LIMITS.tileBytesMax,
  chunkCellsMax: LIMITS.chunkCellsMax,
};

/**
 * Plans a query over a selection given as a view of a file.
 * @throws too_large when more cells would remain than LIMITS.cellsMax, empty_selection
 */
export function planStatistics(query: Query, dtype: DType, view: View, bounds: PlanBounds = PLAN_BOUNDS): Plan {
  const reduced = query.axis === null ? null : new Set(query.axis);
  const isKept = (axis: number): boolean => reduced !== null && !reduced.has(axis);
  const keptShape = view.shape.filter((_, axis) => isKept(axis));
  checkCells(keptShape);
  const cells = sizeOf(keptShape);
  const cellSize = sizeOf(view.shape.filter((_, axis) => !isKept(axis)));
  if (cellSize === 0 && cells > 0) checkEmpty(query, view.shape);

  const positional = query.ops.some(op => opRow(op).positional);
  const countsNan = dtype.kind === 'f' && (query.nan !== 'propagate' || query.ops.some(op => opRow(op).ordered));
  const quantities = new Set<Quantity>(query.ops.flatMap(op => opRow(op).quantities));
  const fields = fieldsOf(quantities, dtype, countsNan && positional && query.nan === 'propagate');

  const isEmpty = cells === 0 || cellSize === 0;
  const { box, cellOrder } = isEmpty
    ? { box: { axes: [], offset: view.offset, cell: 0, index: 0 }, cellOrder: { axes: [], start: 0 } }
    : memoryOrder(view, isKept, positional);
  const readsData = !isEmpty && (quantities.size > 0 || countsNan);
  const grid = gridOf(box.axes, bounds.chunkBytesMax / dtype.itemsize, bounds.chunkCellsMax);
  return {
    query,
    dtype,
    measure: { fields, countsNan, tileBytesMax: bounds.tileBytesMax },
    shape: query.keepdims ? view.shape.map((length, axis) => (isKept(axis) ? length : 1)) : keptShape,
    cells,
    cellSize,
    box,
    grid,
    cellOrder,
    chunkCount: readsData ? grid.boxes : 0,
    bytes: readsData ? cells * cellSize * dtype.itemsize : 0,
  };
}

/** Chunk `number` of a plan, from 0 to `plan.chunkCount - 1`. */
export function chunkAt(plan: Plan, number: number): ChunkTask {
  const box = boxAt(plan.box, plan.grid, number);
  const { dtype, measure } = plan;
  const view = viewOf(box);
  const bytes = sizeOf(view.shape) * dtype.itemsize;
  return { dtype, view, bytes, measure, box, cellStart: box.cell, cellCount: cellsOf(box) };
}

/** An answer is bounded by its cells, and one without cells by the empty lists that its JSON would be made of. */
function checkCells(keptShape: readonly number[]): void {
  const zero = keptShape.indexOf(0);
  const asked = sizeOf(zero < 0 ? keptShape : keptShape.slice(0, zero));
  if (asked > LIMITS.cellsMax) {
    fail(
      'too_large',
      `The answer would have ${asked} cells, one for each position of the axes that remain; at most ${LIMITS.cellsMax} are possible. Reduce more axes or select less.`,
      { limit: LIMITS.cellsMax, asked },
    );
  }
}

function checkEmpty(query: Query, shape: readonly number[]): void {
  const op = query.ops.find(each => opRow(each).ordered);
  if (op !== undefined) {
    fail('empty_selection', `${op} needs at least one element, and the selection has shape [${shape.join(', ')}].`, {
      op,
      shape,
    });
  }
}

/**
 * What a query will cost and in which pieces it is computed, from geometry alone: O(rank), however large the selection.
 * Refusals happen here, before any data is read.
 */
import type { DType } from '../dtype.js';
import { fail } from '../errors.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { memoryOrder, type CellOrder } from './axes.js';
import { fieldsOf } from './fields.js';
import { isReduceOp, opRow, type Quantity } from './ops.js';
import type { ReduceMeasure } from './part.js';
import type { Query } from './query.js';
import { emptyWalk, walkOver, type Walk, type WalkBounds } from './walk.js';

export interface Plan {
  readonly query: Query;
  readonly dtype: DType;
  /** The selection. */
  readonly view: View;
  /** What the reduce part measures. */
  readonly measure: ReduceMeasure;
  /** Shape of the answer, with reduced axes as ones under `keepdims`. */
  readonly shape: readonly number[];
  /** Cells of the answer, and elements behind each. */
  readonly cells: number;
  readonly cellSize: number;
  readonly cellOrder: CellOrder;
  /** Over the whole selection, in the order of memory. No chunks where no data has to be read. */
  readonly walk: Walk;
}

/** Bounds that tests lower to cut small arrays into many pieces. */
export type PlanBounds = WalkBounds;

export const PLAN_BOUNDS: PlanBounds = {
  chunkBytesMax: LIMITS.chunkBytesMax,
  chunkCellsMax: LIMITS.chunkCellsMax,
  chunkSpanBytesMax: LIMITS.chunkSpanBytesMax,
  tileBytesMax: LIMITS.tileBytesMax,
};

export interface PlanOptions {
  /** Where the array begins in its file; chunks are cut at fixed distances from there. */
  readonly origin?: number | undefined;
  readonly bounds?: PlanBounds | undefined;
}

/**
 * Plans a query over a selection given as a view of a file.
 * @throws too_large when more cells would remain than LIMITS.cellsMax, empty_selection
 */
export function planStatistics(query: Query, dtype: DType, view: View, options: PlanOptions = {}): Plan {
  const { origin, bounds = PLAN_BOUNDS } = options;
  const later = query.ops.find(op => !isReduceOp(op));
  if (later !== undefined) fail('bad_operation', `This version does not compute ${later}.`, { op: later });
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
  const readsData = !isEmpty && (quantities.size > 0 || countsNan);
  const { box, cellOrder } = isEmpty
    ? { box: undefined, cellOrder: { axes: [], start: 0 } }
    : memoryOrder(view, isKept, positional);
  return {
    query,
    dtype,
    view,
    measure: { kind: 'reduce', fields, countsNan },
    shape: query.keepdims ? view.shape.map((length, axis) => (isKept(axis) ? length : 1)) : keptShape,
    cells,
    cellSize,
    cellOrder,
    walk: box && readsData ? walkOver(dtype, box, origin, bounds) : emptyWalk(dtype, bounds.tileBytesMax),
  };
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

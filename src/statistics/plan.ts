/**
 * What a query will cost and in which pieces it is computed, from geometry alone: O(rank), however large the selection.
 * Refusals happen here, before any data is read.
 */
import { isColumnsOp, planColumns, type ColumnsPlan } from '../columns/index.js';
import { isText, isTime, type DType, type Field } from '../dtype/index.js';
import { fail } from '../errors.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { coarsenedShape } from '../scan/blocks.js';
import { memoryOrder, type Box, type CellOrder } from '../scan/box.js';
import { areOfColumns, checkKind, columnsOpOf, needsOf, opRow } from './ops.js';
import type { Grouping } from '../grouping/grouping.js';
import type { Query } from './query.js';
import type { Filter } from '../filter/filter.js';
import {
  boxOfAll,
  bytesBefore,
  countsFirst,
  groupedBounds,
  type RowChoice,
  type RowsLayout,
  scanRowsOf,
  scanWithRows,
  takenOf,
  viewOfTaken,
} from './plan-rows.js';
import {
  gatheredCellsOf,
  passesOf,
  planQuantiles,
  QUANTILE_BOUNDS,
  tableBytesOf,
  wantedOf,
  type QuantileBounds,
  type QuantilePlan,
} from './quantiles/strategy.js';
import { SEARCH_BOUNDS, type SearchBounds } from './quantiles/search.js';
import { emptyScan, type KeptBefore, type Scan, type ScanBounds, scanOver, scanOverCells } from '../scan/scan.js';
import { type AccumulatorName, accumulatorsOf } from './accumulators/index.js';
import { isCountedByValue, needsRange } from './histogram/parameters.js';
import type { SpecOf } from './specs.js';

export interface Plan {
  readonly query: Query;
  readonly dtype: DType;
  /** The selection. */
  readonly view: View;
  /** What is accumulated. */
  readonly spec: SpecOf<'reduce'>;
  /** Shape of the answer, with reduced axes as ones under `keepdims`. */
  readonly shape: readonly number[];
  /** Cells of the answer, and elements behind each; of cells that are blocks, along the axes that are reduced whole. */
  readonly cells: number;
  readonly cellSize: number;
  /** Elements of each row of the first axis. */
  readonly rowElements: number;
  readonly bounds: PlanBounds;
  readonly cellOrder: CellOrder;
  /** Over the whole selection, in the order of memory. No chunks where no data has to be read. */
  readonly scan: Scan;
  /** Whether something is accumulated. */
  readonly reduces: boolean;
  readonly quantiles: QuantilePlan | undefined;
  /** Of covariances, which have a scan of their own. */
  readonly columns: ColumnsPlan | undefined;
  readonly bound: PlanBound;
  /** Rows are counted while their elements are read: `cellSize` is that of all rows, and fewer may be used. */
  readonly countsRows: boolean;
  /** Where rows are grouped: the cells are those of one group. */
  readonly groups?: PlannedGroups;
}

/** A query that chooses rows. Its plan is made when the values of its joins, and maybe its rows, have been read (prepass.ts). */
export interface RowsPlan {
  readonly query: Query;
  readonly dtype: DType;
  /** All rows of the selection. */
  readonly view: View;
  readonly choice: RowChoice;
  readonly options: PlanOptions;
  readonly columns: ColumnsPlan | undefined;
  /** Rows are counted before their elements are read. */
  readonly countsFirst: boolean;
  readonly bound: PlanBound;
}

export type QueryPlan = Plan | RowsPlan;

/** What a query takes, from geometry alone; where it chooses rows, at most: as if it chose all. */
interface PlanBound {
  /** Useful bytes of all passes together, those of joins and of counted rows included. */
  readonly bytes: number;
  /** How often data is gone through, as a rule, joined datasets included. */
  readonly passes: number;
  /** Chunks of the passes over elements; those of columns are few beside them. */
  readonly chunks: number;
  /** Memory for tables that are counted into, beside what the answer needs. */
  readonly tableBytes: number;
  /** Numbers in the answer. */
  readonly values: number;
}

export interface PlannedGroups extends Grouping {
  /** How rows are chosen, where no elements have to be read. */
  readonly rows: RowsLayout['rows'];
  readonly total: number;
}

/** Bounds that tests lower to cut small arrays into many pieces. */
export interface PlanBounds extends ScanBounds {
  readonly quantiles: QuantileBounds;
  readonly search: SearchBounds;
}

export const PLAN_BOUNDS: PlanBounds = {
  chunkBytesMax: LIMITS.chunkBytesMax,
  chunkCellsMax: LIMITS.chunkCellsMax,
  chunkSpanBytesMax: LIMITS.chunkSpanBytesMax,
  tileBytesMax: LIMITS.tileBytesMax,
  quantiles: QUANTILE_BOUNDS,
  search: SEARCH_BOUNDS,
};

export interface PlanOptions {
  /** Where the array begins in its file; chunks are cut at fixed distances from there. */
  readonly origin?: number | undefined;
  /** Where the fields stand in the items of the file, where the dtype is of some of them. */
  readonly fields?: readonly Field[] | undefined;
  /** In the place of the service's own. */
  readonly bounds?: Partial<PlanBounds> | undefined;
}

/**
 * Plans a query that chooses rows of `all`, a view whose first axis has every row of the dataset.
 * @throws empty_selection where no row has an element, too_large
 */
export function planRows(query: Query, dtype: DType, all: View, choice: RowChoice, given: PlanOptions = {}): RowsPlan {
  const { grouping, kept } = choice;
  const bounds = { ...PLAN_BOUNDS, ...given.bounds };
  const options = grouping ? { ...given, bounds: groupedBounds(bounds, dtype.itemsize) } : given;
  // Rows may be none; elements of a row are known to be.
  const cellShape = all.shape.slice(1).filter((_, i) => query.axis !== null && !query.axis.includes(i + 1));
  if (grouping && sizeOf(all.shape.slice(1)) === 0 && sizeOf(cellShape) > 0) checkEmpty(query, all.shape);
  const rows = scanRowsOf(choice, kept.filter, undefined);
  const view = viewOfTaken(all, { length: all.shape[0]!, step: 1 });
  const most = planView(query, dtype, view, options, layoutOf(all, rows, 1, true));
  const isCountedFirst = countsFirst(most, choice);
  const before = bytesBefore(choice, isCountedFirst);
  const bytes = before.reduce((sum, each) => sum + each, most.bound.bytes);
  const bound = { ...most.bound, bytes, passes: before.length + most.bound.passes };
  const { columns } = most;
  return { query, dtype, view: all, choice, options, columns, countsFirst: isCountedFirst, bound };
}

/** The plan for the rows that a filter keeps, which have been counted (`before`, see ScanRows) where that comes first. */
export function planChosen(
  { query, dtype, view: all, choice, options }: RowsPlan,
  filter: Filter,
  before: KeptBefore | undefined,
): Plan {
  const { grouping, part } = choice;
  const total = all.shape[0]!;
  const taken = before ? takenOf(part, before.counts.at(-1)!) : { start: 0, length: total, step: 1 };
  const rows = scanRowsOf(choice, filter, before);
  const layout = layoutOf(all, rows, before?.pieceRows ?? 1, grouping !== undefined);
  const plan = planView(query, dtype, viewOfTaken(all, taken), options, layout);
  return grouping ? { ...plan, groups: { ...grouping, rows, total } } : { ...plan, countsRows: before === undefined };
}

function layoutOf(all: View, rows: RowsLayout['rows'], multiple: number, isOpen: boolean): RowsLayout {
  return { total: all.shape[0]!, multiple, stride: all.strides[0]!, rows, isOpen };
}

/** A query is checked again where its rows were counted meanwhile. @throws empty_selection */
export function checkRows({ query, view }: Plan, usedRows: number): void {
  const shape = [usedRows, ...view.shape.slice(1)];
  const cellShape = shape.filter((_, axis) => query.axis !== null && !query.axis.includes(axis));
  if (sizeOf(shape) === 0 && sizeOf(cellShape) > 0) checkEmpty(query, shape);
}

/**
 * Plans a query over a selection given as a view of a file.
 * @throws too_large when more cells would remain than LIMITS.cellsMax, empty_selection
 */
export function planStatistics(query: Query, dtype: DType, view: View, options: PlanOptions = {}): Plan {
  return planView(query, dtype, view, options);
}

function planView(query: Query, dtype: DType, view: View, options: PlanOptions, rows?: RowsLayout): Plan {
  // Blocks have methods, which were checked.
  if (!query.coarsen) checkKind(query.ops, dtype);
  const isUnique = query.ops.includes('unique');
  if (isUnique) checkTextLength(dtype);
  const { origin } = options;
  const bounds = { ...PLAN_BOUNDS, ...options.bounds };
  const { coarsen } = query;
  const reduced = query.axis === null ? null : new Set(query.axis);
  const isKept = coarsen
    ? (axis: number): boolean => view.shape[axis] === 0 || coarsen[axis]! < view.shape[axis]!
    : (axis: number): boolean => reduced !== null && !reduced.has(axis);
  const keptShape = coarsen ? coarsenedShape(view.shape, coarsen) : view.shape.filter((_, axis) => isKept(axis));
  if (!rows?.isOpen) checkCells(keptShape, query.parameters?.quantile?.q.length ?? 1);
  const cells = sizeOf(keptShape);
  const cellSize = sizeOf(view.shape.filter((_, axis) => !isKept(axis)));
  if (!rows?.isOpen && cellSize === 0 && cells > 0) checkEmpty(query, view.shape);

  const isEmpty = cells === 0 || cellSize === 0;
  // Grouped rows are the business of another operator.
  const isGrouped = rows?.rows.withRowIds === true;
  const keepsRows = rows !== undefined && isKept(0);
  const quantiles = isGrouped ? undefined : planQuantiles(query, dtype, cells, cellSize, keepsRows, bounds.quantiles);
  if (rows && !rows.isOpen && quantiles) checkSearched(quantiles, cells);
  const histogram = isGrouped ? undefined : query.parameters?.histogram;
  const binsExtent = histogram !== undefined && needsRange(histogram) && !isCountedByValue(dtype);

  const positional = query.ops.some(op => opRow(op).positional);
  const isOrdered = binsExtent || query.ops.some(op => opRow(op).ordered);
  // Elements that are looked for by rank leave NaN out, too; without groups the search itself notices them.
  const isOrderedGroups = isGrouped && wantedOf(query, dtype) !== undefined;
  const wanted = new Set<AccumulatorName>(query.ops.flatMap(op => needsOf(op, dtype)));
  // A NaT does not show in sums by itself.
  const isHidden = isTime(dtype) && (wanted.size > 0 || quantiles?.usesExtent === true);
  const isOfColumns = areOfColumns(query.ops);
  const countsNan =
    hasNan(dtype) && !isOfColumns && (query.nan !== 'propagate' || isOrdered || isOrderedGroups || isHidden);
  if (quantiles?.usesExtent || binsExtent) wanted.add('min').add('max');
  if (countsNan) wanted.add('count');
  const isFound = wanted.has('argmin') || wanted.has('argmax');
  if (countsNan && isFound && query.nan === 'propagate') wanted.add('nanIndex');
  const accumulators = accumulatorsOf(wanted);
  const reduces = accumulators.length > 0;
  const searches = isGrouped ? wantedOf(query, dtype) !== undefined : quantiles !== undefined;
  const readsData = !isEmpty && (reduces || searches || histogram !== undefined || isUnique);
  const { box, cellOrder } = isEmpty
    ? { box: undefined, cellOrder: { axes: [], start: 0 } }
    : memoryOrder(view, isKept, positional, {
        rows: rows && { first: 0, multiple: rows.multiple },
        blockOf: coarsen && (axis => coarsen[axis]!),
      });
  const scan =
    box && readsData
      ? scanOf({ dtype, origin, bounds, quantiles, cellSize }, box, rows)
      : emptyScan(dtype, bounds.tileBytesMax);
  const columnsOp = columnsOpOf(query.ops);
  const columns =
    columnsOp === undefined
      ? undefined
      : planColumns({
          op: columnsOp,
          axis: query.axis,
          dropsNan: query.nan !== 'propagate',
          dtype,
          view,
          fields: options.fields,
          rows,
          origin,
          bounds,
        });
  const passes = scan.chunkCount === 0 ? 0 : Math.max(binsExtent ? 2 : 1, quantiles ? passesOf(quantiles) : 1);
  return {
    query,
    dtype,
    view,
    spec: { kind: 'reduce', accumulators, countsNan, omitsNan: countsNan && query.nan !== 'propagate' },
    shape: query.keepdims ? view.shape.map((length, axis) => (isKept(axis) ? length : 1)) : keptShape,
    cells,
    cellSize,
    rowElements: sizeOf(view.shape.slice(1)),
    bounds,
    cellOrder,
    scan,
    reduces,
    quantiles,
    columns,
    bound: {
      bytes: scan.bytes * passes + (columns?.scan.bytes ?? 0),
      passes: passes + (columns && columns.scan.chunkCount > 0 ? 1 : 0),
      chunks: scan.chunkCount * passes + (columns?.scan.chunkCount ?? 0),
      tableBytes: (quantiles ? tableBytesOf(quantiles, cells) : 0) + (columns?.bytes ?? 0),
      values: valuesOf(query, cells, columns),
    },
    countsRows: false,
  };
}

/** Texts are told apart a few at a time. */
function checkTextLength(dtype: DType): void {
  const limit = LIMITS.textItemBytesMax;
  if (!isText(dtype) || dtype.itemsize <= limit) return;
  const detail = `unique is of texts of at most ${limit} bytes; here each has ${dtype.itemsize}. Read them, and count where they are read.`;
  fail('too_large', detail, { limit, asked: dtype.itemsize });
}

/** Of floats, complex numbers, dates and durations, of which each has a NaN of its own. */
function hasNan({ kind }: DType): boolean {
  return 'fcMm'.includes(kind);
}

function scanOf(
  {
    dtype,
    origin,
    bounds,
    quantiles,
    cellSize,
  }: Pick<Plan, 'dtype' | 'bounds' | 'quantiles' | 'cellSize'> & Pick<PlanOptions, 'origin'>,
  taken: Box,
  rows?: RowsLayout,
): Scan {
  const box = rows ? boxOfAll(taken, rows) : taken;
  const scan = quantiles?.isGathered
    ? scanOverCells(dtype, box, gatheredCellsOf(quantiles, cellSize, box, bounds), bounds)
    : scanOver(dtype, box, rows ? undefined : origin, bounds);
  return rows ? scanWithRows(scan, taken, rows) : scan;
}

/** Cells of chosen rows are searched all at once. */
function checkSearched({ isGathered, bounds: { tablesMax } }: QuantilePlan, cells: number): void {
  if (isGathered || cells <= tablesMax) return;
  fail(
    'too_large',
    `The quantiles of ${cells} cells of this size were asked for with where; of at most ${tablesMax} they can be found at once. Reduce more axes or select less.`,
    { limit: tablesMax, asked: cells },
  );
}

/** Numbers that the answer is made of. */
function valuesOf({ ops, parameters }: Query, cells: number, columns: ColumnsPlan | undefined): number {
  const { quantile, histogram } = parameters ?? {};
  const bins = histogram?.kind === 'edges' ? histogram.edges.length - 1 : (histogram?.bins ?? 0);
  const more = (quantile ? (quantile.q.length - 1) * cells : 0) + (histogram ? 2 * bins + 1 - cells : 0);
  const matrices = columns ? ops.filter(op => isColumnsOp(op)).length : 0;
  return ops.length * cells + more + matrices * ((columns ? sizeOf(columns.shape) : 0) - cells);
}

/** An answer is bounded by its cells, and one without cells by the empty lists that its JSON would be made of. */
function checkCells(keptShape: readonly number[], quantiles: number): void {
  const zero = keptShape.indexOf(0);
  const asked = sizeOf(zero < 0 ? keptShape : keptShape.slice(0, zero)) * quantiles;
  if (asked > LIMITS.cellsMax) {
    fail(
      'too_large',
      `The answer would have ${asked} cells, one for each position of the axes that remain and each quantile; at most ${LIMITS.cellsMax} are possible. Reduce more axes or select less.`,
      { limit: LIMITS.cellsMax, asked },
    );
  }
}

function checkEmpty(query: Query, shape: readonly number[]): void {
  const op = query.ops.find(each => opRow(each).ordered ?? opRow(each).positional);
  if (op === undefined) return;
  const what = query.where ? 'what where keeps of the selection' : 'the selection';
  const remedy = `Ask for another slice${query.where ? ' or filter' : ''}.`;
  const detail = `${op} needs at least one element, and ${what} has shape [${shape.join(', ')}]. ${remedy}`;
  fail('empty_selection', detail, { op, shape });
}

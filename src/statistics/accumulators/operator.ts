/** The statistics that are finished from accumulators: one pass over the data is enough for them all. */
import { combineCells, fieldsOf, type StatisticName, statisticOf } from './index.js';
import { fail } from '../../errors.js';
import type { OperationResult, StatisticsResult } from '../result.js';
import { checkRows, type Plan } from '../plan.js';
import type { Operator, Pass } from '../pass.js';
import { type Cells, type Fields, hasNan, type Integer, newFields, placed } from './accumulator.js';
import { type DType, isTime, NAT, numberDType } from '../../dtype/index.js';
import { sizeOf } from '../../layout/view.js';
import { LIMITS } from '../../limits.js';
import { isReduceOp } from '../ops.js';
import { blockSizes } from '../../scan/blocks.js';
import type { PartialOf } from '../specs.js';

export class ReduceOperator implements Operator {
  readonly #plan: Plan;
  readonly fields: Fields;
  #isRead = false;
  /** Elements of the first cell that were read. */
  #firstSize = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.fields = newFields(fieldsOf(plan.spec.accumulators, plan.dtype), plan.cells);
  }

  next(): Pass | undefined {
    if (this.#isRead || !this.#plan.reduces || this.#plan.scan.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { scan: this.#plan.scan, spec: this.#plan.spec };
  }

  /**
   * Whatever order the chunks were computed in: partials come in the order of the chunks, so that the bits of the answer do
   * not depend on the number of workers. @throws nan_found when the query refuses NaN and the chunk held one
   */
  combine(partial: PartialOf<'reduce'>): void {
    const { cellStart, cellCount, cellSize } = partial;
    if (cellStart === 0) this.#firstSize += cellSize;
    const { query, spec } = this.#plan;
    if (query.nan === 'raise' && spec.countsNan) refuseNan(partial, this.#plan.dtype);
    if (cellSize === this.#plan.cellSize && !query.coarsen) {
      // The only chunk of these cells.
      for (const name of Object.keys(this.fields)) this.fields[name]!.set(partial.fields[name]!, cellStart);
    } else combineCells(spec.accumulators, this.fields, cellStart, partial.fields, 0, cellCount);
  }

  /** The plan for the elements that were used. Each row adds the same to every cell. @throws empty_selection */
  #read(): Plan {
    const plan = this.#plan;
    if (!plan.countsRows) return plan;
    const total = plan.view.shape[0]!;
    checkRows(plan, plan.cellSize === 0 ? 0 : this.#firstSize / (plan.cellSize / total));
    return { ...plan, cellSize: this.#firstSize };
  }

  /** Elements that were used: one number, or one per cell where `omit` makes them differ. */
  count(): StatisticsResult['count'] {
    // Nobody asks how many elements of each block were used.
    if (this.#plan.query.coarsen) return sizeOf(this.#plan.view.shape);
    return countOf(this.#read(), this.fields);
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return finishReduced(this.#read(), this.fields);
  }
}

function refuseNan({ fields, cellSize }: PartialOf<'reduce'>, dtype: DType): void {
  if (!fields.count!.every(each => each === cellSize)) failNan(dtype);
}

/** @throws nan_found */
export function failNan(dtype: DType): never {
  const name = isTime(dtype) ? 'NaT' : 'NaN';
  return fail('nan_found', `The selection holds ${name}. Ask for nan=omit to leave them out, or nan=propagate.`);
}

/** Which cell each value of an answer is of, and where it stands in the answer. */
export interface Places {
  readonly shape: readonly number[];
  readonly length: number;
  readonly cellOf: (i: number) => number;
  readonly placeOf: (i: number) => number;
}

/** The operations that are finished from accumulators, by their position in the query. @throws empty_selection */
function* finishReduced(plan: Plan, fields: Fields): Generator<void, Map<number, OperationResult>> {
  const { cellSize, cellOrder, query } = plan;
  const blocksOf = blockSizes(query.coarsen ? cellOrder.axes : []);
  const cells = cellsOf(plan, fields, cell => cellSize * blocksOf(cell));
  const places = placesOf(plan);
  const results = new Map<number, OperationResult>();
  for (const [at, op] of query.ops.entries()) {
    if (!isReduceOp(op)) continue;
    // Formulas over a million cells at once take a turn each, and so do their positions.
    if (plan.cells > LIMITS.cellsPerTurn) yield;
    results.set(at, yield* finishStatistic(op, cells, places));
  }
  return results;
}

/** What formulas see of a plan's cells. */
export function cellsOf({ dtype, spec, query }: Plan, fields: Fields, sizeOf: Cells['sizeOf']): Cells {
  const { nan, ddof, bias = true, parameters } = query;
  const isBiased = (name: string): boolean => parameters?.bias?.[name] ?? bias;
  return { dtype, fields, countsNan: spec.countsNan, omitsNan: nan === 'omit', ddof, isBiased, sizeOf };
}

function placesOf(plan: Plan): Places {
  const positions = positionsOf(plan);
  const placeOf = positions ? (i: number): number => positions[i]! : (i: number): number => i;
  return { shape: plan.shape, length: plan.cells, cellOf: i => i, placeOf };
}

/** Position in the answer of each cell; null where they are the same. */
export function positionsOf(plan: Plan): Float64Array | null {
  const { axes, start } = plan.cellOrder;
  let size = 1;
  const inOrder = axes.toReversed().every(({ length, step }) => {
    const packed = step === size;
    size *= length;
    return packed;
  });
  if (inOrder) return null;
  const positions = new Float64Array(plan.cells).fill(start, 0, 1);
  let known = 1;
  // Each axis, the innermost first, repeats what is known so far at a distance.
  for (const { length, step } of axes.toReversed()) {
    for (let i = 1; i < length; i++) {
      for (let cell = 0, at = i * known; cell < known; cell++, at++) positions[at] = positions[cell]! + i * step;
    }
    known *= length;
  }
  return positions;
}

/** One statistic of all cells, in turns. @throws empty_selection */
export function* finishStatistic(
  op: StatisticName,
  cells: Cells,
  { shape, length, cellOf, placeOf }: Places,
): Generator<void, OperationResult> {
  const { dtype, value, imaginary, showsNan } = statisticOf(op, cells.dtype);
  const own = dtype(cells.dtype);
  const nothing = isTime(own) ? NAT : Number.NaN;
  const valueOf = (i: number): Integer => {
    const cell = cellOf(i);
    if (showsNan && hasNan(cells, cell)) return nothing;
    const found = value(cells, cell);
    return Number.isNaN(found) ? nothing : found;
  };
  const partOf =
    imaginary && ((i: number): Integer => (i % 2 === 0 ? valueOf(i / 2) : imaginary(cells, cellOf((i - 1) / 2))));
  const values = partOf
    ? yield* placed(2 * length, partOf, i => 2 * placeOf(Math.floor(i / 2)) + (i % 2))
    : yield* placed(length, valueOf, placeOf);
  return { op, name: op, dtype: own, shape, values };
}

/** Elements that were used: one number, or one per cell where `omit` makes them differ. */
export function countOf(plan: Plan, { count }: Fields): StatisticsResult['count'] {
  if (plan.query.nan !== 'omit' || !plan.spec.countsNan) return plan.cellSize;
  const [first = plan.cellSize] = count!;
  if (count!.every(each => each === first)) return first;
  const { placeOf } = placesOf(plan);
  const values = new Float64Array(plan.cells);
  for (const [cell, each] of count!.entries()) values[placeOf(cell)] = each;
  return { op: 'count', name: 'count', dtype: INT64, shape: plan.shape, values };
}

const INT64 = numberDType('<i8');

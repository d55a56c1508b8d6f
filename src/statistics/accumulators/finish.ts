/** Cells whose elements have all been seen → the answers, in the order of the axes as the client knows them. */
import { parseDType } from '../../dtype.js';
import { LIMITS } from '../../limits.js';
import { hasNan, type Cells } from './accumulator.js';
import type { Fields } from './fields.js';
import { statisticOf, type StatisticName } from './index.js';
import { isReduceOp } from '../ops.js';
import type { Plan } from '../plan.js';
import type { OperationResult, StatisticsResult } from '../result.js';

/** Which cell each value of an answer is of, and where it stands in the answer. */
export interface Places {
  readonly shape: readonly number[];
  readonly length: number;
  readonly cellOf: (i: number) => number;
  readonly placeOf: (i: number) => number;
}

/** The operations that are finished from accumulators, by their position in the query. @throws empty_selection */
export function* finishReduced(plan: Plan, fields: Fields): Generator<void, Map<number, OperationResult>> {
  const cells = cellsOf(plan, fields, () => plan.cellSize);
  const places = placesOf(plan);
  const results = new Map<number, OperationResult>();
  for (const [at, op] of plan.query.ops.entries()) {
    if (!isReduceOp(op)) continue;
    // Formulas over a million cells at once take a turn each, and so do their positions.
    if (plan.cells > LIMITS.cellsPerTurn) yield;
    results.set(at, yield* finishStatistic(op, cells, places));
  }
  return results;
}

/** What formulas see of a plan's cells. */
export function cellsOf({ dtype, spec, query }: Plan, fields: Fields, sizeOf: Cells['sizeOf']): Cells {
  const { nan, ddof, bias = true } = query;
  return { dtype, fields, countsNan: spec.countsNan, omitsNan: nan === 'omit', ddof, bias, sizeOf };
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
  const { dtype, value, showsNan } = statisticOf(op);
  const values = new Float64Array(length);
  let exact: bigint[] | undefined;
  for (let i = 0; i < length; i++) {
    if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
    const cell = cellOf(i);
    const found = showsNan && hasNan(cells, cell) ? Number.NaN : value(cells, cell);
    if (typeof found !== 'bigint') values[placeOf(i)] = found;
    else (exact ??= Array.from<bigint>({ length }))[placeOf(i)] = found;
  }
  // Where one is beyond 2 ** 53 all become bigint, so that an array has one type.
  if (exact) {
    for (let i = 0; i < length; i++) {
      if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
      exact[i] ??= BigInt(values[i]!);
    }
  }
  return { op, name: op, dtype: dtype(cells.dtype), shape, values: exact ?? values };
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

const INT64 = parseDType('<i8');

/**
 * Accumulated quantities → the statistics, in the order of the axes as the client knows them. Here, and only here, are
 * the formulas, the rules for NaN and the dtypes of answers.
 */
import { parseDType, withByteOrder, type DType } from '../dtype.js';
import { fail } from '../errors.js';
import { toFloat16Bits, float16ToFloat32 } from '../float16.js';
import { LIMITS } from '../limits.js';
import { divideExact, exactInteger, subtractExact, type Integer } from './exact.js';
import type { Fields } from './fields.js';
import { scaled, totalOf } from './combine.js';
import type { Accumulator } from './merge.js';
import { isReduceOp, type OpName, type ReduceOpName } from './ops.js';
import { plainValues } from './plain-cells.js';
import type { Plan } from './plan.js';
import type { OperationResult, StatisticsResult } from './result.js';

/** The operations of the reduce part, by their position in the query. @throws empty_selection */
export function* finishReduced(plan: Plan, { fields }: Accumulator): Generator<void, Map<number, OperationResult>> {
  const cells: Cells = { plan, fields, positions: positionsOf(plan) };
  const results = new Map<number, OperationResult>();
  for (const [at, op] of plan.query.ops.entries()) {
    if (!isReduceOp(op)) continue;
    // Formulas over a million cells at once take a turn each, and so do their positions.
    if (plan.cells > LIMITS.cellsPerTurn) yield;
    results.set(at, yield* finishOp(cells, op));
  }
  return results;
}

interface Cells {
  readonly plan: Plan;
  readonly fields: Fields;
  /** Position in the answer of each cell; null where they are the same. */
  readonly positions: Float64Array | null;
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

function* finishOp(cells: Cells, op: ReduceOpName): Generator<void, OperationResult> {
  const { plan, fields, positions } = cells;
  const dtype = dtypeOf(op, plan.dtype);
  const plain = plan.cells >= PLAIN_CELLS_MIN ? plainValues(plan, fields, op) : undefined;
  if (plain) return { op, name: op, dtype, shape: plan.shape, values: positions ? placed(plain, positions) : plain };
  const formula = FORMULAS[op];
  const values = new Float64Array(plan.cells);
  let exact: bigint[] | undefined;
  for (let cell = 0; cell < plan.cells; cell++) {
    if ((cell + 1) % LIMITS.cellsPerTurn === 0) yield;
    const value = formula(cells, cell);
    const position = positions ? positions[cell]! : cell;
    if (typeof value === 'bigint') exact ??= Array.from<bigint>({ length: plan.cells });
    if (typeof value === 'bigint') exact![position] = value;
    else values[position] = value;
  }
  // Where one is beyond 2 ** 53 all become bigint, so that an array has one type.
  if (exact) {
    for (let i = 0; i < values.length; i++) {
      if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
      exact[i] ??= BigInt(values[i]!);
    }
  }
  return { op, name: op, dtype, shape: plan.shape, values: exact ?? values };
}

/** Cells from which on formulas over all of them pay. */
const PLAIN_CELLS_MIN = 32;

function placed(values: Float64Array, positions: Float64Array): Float64Array {
  const inOrder = new Float64Array(values.length);
  for (let cell = 0; cell < values.length; cell++) inOrder[positions[cell]!] = values[cell]!;
  return inOrder;
}

/** Elements that were used: one number, or one per cell where `omit` makes them differ. */
export function countOf(plan: Plan, { fields }: Accumulator): StatisticsResult['count'] {
  if (plan.query.nan !== 'omit' || !plan.measure.countsNan) return plan.cellSize;
  const counts = fields.count!;
  const [first = plan.cellSize] = counts;
  if (counts.every(count => count === first)) return first;
  const positions = positionsOf(plan);
  const values = positions ? placed(counts, positions) : counts.slice();
  return { op: 'count', name: 'count', dtype: INT64, shape: plan.shape, values };
}

/** Elements behind a cell that the query uses. */
function used(cells: Cells, cell: number): number {
  return cells.plan.query.nan === 'omit' ? seen(cells, cell) : cells.plan.cellSize;
}

/** Elements behind a cell that are in its fields: all, or all but NaN. */
function seen({ plan, fields }: Cells, cell: number): number {
  return plan.measure.countsNan ? fields.count![cell]! : plan.cellSize;
}

/** True where NaN were counted, and left out, that have to show in the answer. */
function propagates(cells: Cells, cell: number): boolean {
  return seen(cells, cell) < used(cells, cell);
}

type Formula = (cells: Cells, cell: number) => Integer;

const FORMULAS: Record<ReduceOpName, Formula> = {
  count: used,
  sum: numeric(sumOf),
  prod: numeric(({ fields }, cell) => scaled(fields.prod![cell]!, fields.prodExponent![cell]!)),
  mean: numeric((cells, cell) => {
    const count = used(cells, cell);
    if (count === 0) return Number.NaN;
    return cells.plan.dtype.kind === 'f' ? Number(sumOf(cells, cell)) / count : divideExact(sumOf(cells, cell), count);
  }),
  var: numeric(variance),
  std: numeric((cells, cell) => Math.sqrt(variance(cells, cell))),
  min: numeric((cells, cell) => extreme(cells, cell, cells.fields.min!, cells.fields.minLow)),
  max: numeric((cells, cell) => extreme(cells, cell, cells.fields.max!, cells.fields.maxLow)),
  ptp: numeric(range),
  argmin: (cells, cell) => position(cells, cell, cells.fields.argmin!, 'argmin'),
  argmax: (cells, cell) => position(cells, cell, cells.fields.argmax!, 'argmax'),
  any: (cells, cell) => Number(nonzero(cells, cell) > 0),
  all: (cells, cell) => Number(cells.fields.zeros![cell] === 0),
  count_nonzero: nonzero,
};

function numeric(formula: Formula): Formula {
  return (cells, cell) => (propagates(cells, cell) ? Number.NaN : formula(cells, cell));
}

function sumOf({ plan, fields }: Cells, cell: number): Integer {
  const sum = fields.sum![cell]!;
  const rest = fields.sumRest![cell]!;
  if (plan.dtype.kind === 'f') return totalOf(sum, rest);
  return exactInteger(sum, rest, fields.sumHigh?.[cell], fields.sumHighRest?.[cell]);
}

/** numpy divides by count - ddof, but never by less than zero; its nan-functions answer NaN instead of dividing by zero. */
function variance(cells: Cells, cell: number): number {
  const { query, dtype } = cells.plan;
  const count = used(cells, cell);
  const divisor = count - query.ddof;
  if (count === 0 || (divisor <= 0 && query.nan === 'omit' && dtype.kind === 'f')) return Number.NaN;
  return cells.fields.m2![cell]! / Math.max(divisor, 0);
}

function extreme(cells: Cells, cell: number, value: Float64Array, low: Float64Array | undefined): Integer {
  // Nothing but NaN was seen.
  if (used(cells, cell) === 0) return Number.NaN;
  const kept = value[cell]!;
  return low ? exactInteger(low[cell]!, 0, kept) : kept;
}

function range(cells: Cells, cell: number): Integer {
  const { min, minLow, max, maxLow } = cells.fields;
  const least = extreme(cells, cell, min!, minLow);
  const most = extreme(cells, cell, max!, maxLow);
  const { dtype } = cells.plan;
  if (dtype.kind === 'f') return narrowed(dtype, Number(most) - Number(least));
  return subtractExact(most, least);
}

/** The nearest value of a float dtype. */
function narrowed(dtype: DType, value: number): number {
  if (dtype.name === 'float32') return Math.fround(value);
  if (dtype.name === 'float16') return float16ToFloat32(Uint16Array.of(toFloat16Bits(value)))[0]!;
  return value;
}

function position(cells: Cells, cell: number, index: Float64Array, op: OpName): number {
  if (propagates(cells, cell)) return cells.fields.nanIndex![cell]!;
  if (used(cells, cell) > 0) return index[cell]!;
  return fail(
    'empty_selection',
    `${op} needs at least one element that neither where nor nan=omit leaves out; part of the selection has none. Ask for another slice or filter.`,
    {
      op,
    },
  );
}

/** NaN is not zero. */
function nonzero(cells: Cells, cell: number): number {
  return used(cells, cell) - cells.fields.zeros![cell]!;
}

const FLOAT64 = parseDType('<f8');
const INT64 = parseDType('<i8');
const UINT64 = parseDType('<u8');
const BOOL = parseDType('|b1');

/** The dtype of an answer as an array. */
export function dtypeOf(op: ReduceOpName, dtype: DType): DType {
  switch (op) {
    case 'mean':
    case 'var':
    case 'std':
    case 'prod':
      return FLOAT64;
    case 'sum':
      return dtype.kind === 'f' ? FLOAT64 : dtype.kind === 'u' ? UINT64 : INT64;
    case 'min':
    case 'max':
      return withByteOrder(dtype, '<');
    case 'ptp':
      return dtype.kind === 'f' ? withByteOrder(dtype, '<') : dtype.kind === 'u' ? UINT64 : INT64;
    case 'any':
    case 'all':
      return BOOL;
    case 'count':
    case 'count_nonzero':
    case 'argmin':
    case 'argmax':
      return INT64;
  }
}

/**
 * The formulas of finish.ts over all cells at once, for answers that are plain doubles: with hundreds of thousands of
 * cells a call for each would take longer than reading the data. finish.ts is the specification; a test holds them equal.
 */
import { totalOf } from './combine.js';
import type { Fields } from './fields.js';
import type { ReduceOpName } from './ops.js';
import type { Plan } from './plan.js';

/** The values of an operation in the order of the cells; undefined where it needs more than these formulas. */
export function plainValues(plan: Plan, fields: Fields, op: ReduceOpName): Float64Array | undefined {
  const values = formula(plan, fields, op);
  if (!values || !plan.measure.countsNan) return values;
  const counts = fields.count!;
  const isOmitting = plan.query.nan === 'omit';
  for (let cell = 0; cell < values.length; cell++) {
    // NaN that show in the answer, or nothing but NaN.
    if (isOmitting ? counts[cell] === 0 && op !== 'sum' : counts[cell]! < plan.cellSize) values[cell] = Number.NaN;
  }
  return values;
}

function formula({ dtype, cells, cellSize, query }: Plan, fields: Fields, op: ReduceOpName): Float64Array | undefined {
  const isFloat = dtype.kind === 'f';
  switch (op) {
    case 'min':
      return fields.minLow ? undefined : fields.min!.slice();
    case 'max':
      return fields.maxLow ? undefined : fields.max!.slice();
    case 'sum':
    case 'mean': {
      if (!isFloat) return undefined;
      const values = new Float64Array(cells);
      const { sum, sumRest, count } = fields;
      for (let i = 0; i < cells; i++) values[i] = totalOf(sum![i]!, sumRest![i]!);
      if (op === 'mean') for (let i = 0; i < cells; i++) values[i]! /= count ? count[i]! : cellSize;
      return values;
    }
    case 'var':
    case 'std': {
      const values = new Float64Array(cells);
      const m2 = fields.m2!;
      const counts = fields.count!;
      // numpy's nan-functions answer NaN instead of dividing by zero.
      const refusesZero = query.nan === 'omit' && isFloat;
      for (let i = 0; i < cells; i++) {
        const divisor = counts[i]! - query.ddof;
        const hasNone = counts[i] === 0 || (divisor <= 0 && refusesZero);
        values[i] = hasNone ? Number.NaN : m2[i]! / Math.max(divisor, 0);
      }
      if (op === 'std') for (let i = 0; i < cells; i++) values[i] = Math.sqrt(values[i]!);
      return values;
    }
    case 'count':
    case 'prod':
    case 'ptp':
    case 'argmin':
    case 'argmax':
    case 'any':
    case 'all':
    case 'count_nonzero':
      return undefined;
  }
}

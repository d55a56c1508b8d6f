/** How an answer is held to an oracle's: integers, booleans and extremes to the digit, other floats to 1e-12 of their scale. */
import type { DType } from '../../src/dtype/index.js';
import type { OperationResult } from '../../src/statistics/index.js';
import type { Value } from './cases.js';

export const TOLERANCE = 1e-12;

/** The elements that an answer is of: their dtype, the largest finite magnitude, and how many they are. */
export interface Scale {
  readonly dtype: DType;
  readonly largest: number;
  readonly size: number;
}

/** What sums and squares of values are rounded in. */
export function scaleOf({ dtype, values }: { readonly dtype: DType; readonly values: readonly Value[] }): Scale {
  const magnitudes = values.map(value => Math.abs(Number(value))).filter(Number.isFinite);
  return { dtype, largest: magnitudes.reduce((a, b) => Math.max(a, b), 0), size: values.length };
}

/** Undefined, or a sentence about the first difference. */
export function differenceOf(actual: OperationResult, expected: readonly Value[], scale: Scale): string | undefined {
  if (actual.values.length !== expected.length) {
    return `${actual.op} has ${actual.values.length} values instead of ${expected.length}`;
  }
  for (let i = 0; i < expected.length; i++) {
    if (!agrees(actual, actual.values[i]!, expected[i]!, scale)) {
      return `${actual.op}[${i}] is ${actual.values[i]} instead of ${expected[i]}`;
    }
  }
  return undefined;
}

function agrees(
  { op, dtype }: { readonly op: string; readonly dtype: DType },
  actual: Value,
  expected: Value,
  { dtype: own, largest, size }: Scale,
): boolean {
  if (dtype.kind !== 'f') return String(actual) === String(expected);
  const a = Number(actual);
  const b = Number(expected);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Object.is(a, b);
  const error = Math.abs(a - b);
  switch (op) {
    case 'sum':
      return error <= TOLERANCE * size * largest;
    case 'mean':
      // Of integers rounded once, so one unit in the last place covers an oracle that passes otherwise.
      return error <= (own.kind === 'f' ? TOLERANCE * largest : 2 ** -52 * Math.abs(b));
    case 'var':
      return error <= TOLERANCE * largest ** 2 * Math.max(1, size);
    case 'std':
      return error <= TOLERANCE * largest || Math.abs(a ** 2 - b ** 2) <= TOLERANCE * largest ** 2 * Math.max(1, size);
    case 'ptp':
      // In the dataset's own dtype.
      return error <= Math.abs(b) * { 2: 2 ** -11, 4: 2 ** -24, 8: 0 }[own.itemsize]! * 1.01;
    case 'skew':
    case 'kurtosis':
      return error <= TOLERANCE * 1e3 * Math.max(1, Math.abs(b));
    case 'prod':
      return error <= TOLERANCE * Math.abs(b) || Math.abs(b) < 1e-300;
    default:
      return error === 0;
  }
}

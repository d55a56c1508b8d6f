/**
 * The statistics as a table. Each belongs to a part, which says how it is computed. Those of `reduce` are finished from
 * quantities that merge: each chunk measures the quantities of all operations of a query in one pass. A new statistic of
 * that part is a row here and its formula in finish.ts; a new quantity is a row in FIELDS, a kernel, and its merge.
 */
import { parseHistogram, type HistogramParameters } from './histogram/parameters.js';
import { parseQuantile, type QuantileParameters } from './quantiles/parameters.js';

/** What a pass over the data measures, per cell of the answer. */
export type Quantity = 'sum' | 'm2' | 'prod' | 'min' | 'max' | 'argmin' | 'argmax' | 'nonzero';

/** Who computes an operation: one pass that accumulates, a search for elements of the sorted data, or counts per bin. */
export type PartName = 'reduce' | 'select' | 'histogram';

/** What operations with parameters were given, by their names. */
export interface Parameters {
  readonly quantile?: QuantileParameters;
  readonly histogram?: HistogramParameters;
}

interface OpRow {
  readonly part: PartName;
  readonly quantities: readonly Quantity[];
  /** It has no value without an element, and NaN (which has no order) must be looked for to answer as numpy does. */
  readonly ordered?: true;
  /** Its value is a position, so only one axis, or all of them, make sense. */
  readonly positional?: true;
  /** It takes parameters, `{"quantile": {…}}`; by its bare name it is given none. */
  readonly parse?: (given: Readonly<Record<string, unknown>>) => unknown;
}

export const OPS = {
  count: { part: 'reduce', quantities: [] },
  sum: { part: 'reduce', quantities: ['sum'] },
  prod: { part: 'reduce', quantities: ['prod'] },
  mean: { part: 'reduce', quantities: ['sum'] },
  var: { part: 'reduce', quantities: ['m2'] },
  std: { part: 'reduce', quantities: ['m2'] },
  min: { part: 'reduce', quantities: ['min'], ordered: true },
  max: { part: 'reduce', quantities: ['max'], ordered: true },
  ptp: { part: 'reduce', quantities: ['min', 'max'], ordered: true },
  argmin: { part: 'reduce', quantities: ['min', 'argmin'], ordered: true, positional: true },
  argmax: { part: 'reduce', quantities: ['max', 'argmax'], ordered: true, positional: true },
  any: { part: 'reduce', quantities: ['nonzero'] },
  all: { part: 'reduce', quantities: ['nonzero'] },
  count_nonzero: { part: 'reduce', quantities: ['nonzero'] },
  median: { part: 'select', quantities: [] },
  quantile: { part: 'select', quantities: [], parse: parseQuantile },
  histogram: { part: 'histogram', quantities: [], parse: parseHistogram },
} as const satisfies Record<string, OpRow>;

export type OpName = keyof typeof OPS;

/** Operations of the part that accumulates. */
export type ReduceOpName = { [O in OpName]: (typeof OPS)[O]['part'] extends 'reduce' ? O : never }[OpName];

export const OP_NAMES = Object.keys(OPS) as readonly OpName[];

export function opRow(op: OpName): OpRow {
  return OPS[op];
}

export function isReduceOp(op: OpName): op is ReduceOpName {
  return OPS[op].part === 'reduce';
}

/** Operations whose value is the position of a row, or a table, and not of a group. */
export const UNGROUPED: readonly OpName[] = ['argmin', 'argmax', 'histogram'];

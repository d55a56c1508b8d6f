/**
 * The operations as a table: statistics that are finished from accumulators (accumulators/index.ts) and are measured
 * together in one pass, and those that have an operator of their own.
 */
import { STATISTICS, type AccumulatorName, type StatisticName } from './accumulators/index.js';
import { parseHistogram, type HistogramParameters } from './histogram/parameters.js';
import { parseQuantile, type QuantileParameters } from './quantiles/methods.js';

/** What operations with parameters were given, by their names. */
export interface Parameters {
  readonly quantile?: QuantileParameters;
  readonly histogram?: HistogramParameters;
  /** Of statistics that were given it, by their names. */
  readonly bias?: Readonly<Record<string, boolean>>;
}

interface OpRow {
  readonly needs: readonly AccumulatorName[];
  readonly ordered?: true;
  readonly positional?: true;
  readonly takesBias?: true;
  /** It takes parameters, `{"quantile": {…}}`; by its bare name it is given none. */
  readonly parse?: (given: Readonly<Record<string, unknown>>) => unknown;
}

const OTHERS = {
  median: { needs: [] },
  quantile: { needs: [], parse: parseQuantile },
  histogram: { needs: [], parse: parseHistogram },
} as const satisfies Record<string, OpRow>;

export type OpName = StatisticName | keyof typeof OTHERS;

export const OP_NAMES = [...Object.keys(STATISTICS), ...Object.keys(OTHERS)] as readonly OpName[];

export function isOpName(text: string): text is OpName {
  return Object.hasOwn(STATISTICS, text) || Object.hasOwn(OTHERS, text);
}

/** True for operations that are finished from accumulators. */
export function isReduceOp(op: OpName): op is StatisticName {
  return Object.hasOwn(STATISTICS, op);
}

export function opRow(op: OpName): OpRow {
  return isReduceOp(op) ? STATISTICS[op] : OTHERS[op];
}

/** Operations whose value is the position of a row, or a table, and not of a group. */
export const UNGROUPED: readonly OpName[] = ['argmin', 'argmax', 'histogram'];

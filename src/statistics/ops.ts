/**
 * The operations as a table: statistics that are finished from accumulators (accumulators/index.ts) and are measured
 * together in one pass, and those that have an operator of their own.
 */
import { COLUMNS_OPS, isColumnsOp, parseCov, type CovParameters } from '../columns/index.js';
import { isStructure, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { listed, shown } from '../shown.js';
import { STATISTICS, statisticOf, type AccumulatorName, type StatisticName } from './accumulators/index.js';
import { parseHistogram, type HistogramParameters } from './histogram/parameters.js';
import { parseQuantile, type QuantileParameters } from './quantiles/methods.js';

/** What operations with parameters were given, by their names. */
export interface Parameters {
  readonly quantile?: QuantileParameters;
  readonly histogram?: HistogramParameters;
  readonly cov?: CovParameters;
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
  unique: { needs: [] },
  cov: { needs: [], parse: parseCov },
  corrcoef: { needs: [] },
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

/** What an operation needs of elements of a dtype. */
export function needsOf(op: OpName, dtype: DType): readonly AccumulatorName[] {
  return isReduceOp(op) ? statisticOf(op, dtype).needs : OTHERS[op].needs;
}

const OF_DATES: readonly OpName[] = [
  'count',
  'min',
  'max',
  'ptp',
  'argmin',
  'argmax',
  'median',
  'quantile',
  'mean',
  'unique',
];
const OF_COMPLEX: readonly OpName[] = [
  'count',
  'sum',
  'mean',
  'var',
  'std',
  'prod',
  'any',
  'all',
  'count_nonzero',
  'unique',
  ...COLUMNS_OPS,
];
const OF_TEXTS: readonly OpName[] = ['count', 'unique'];
const OF_OTHERS: readonly OpName[] = ['count'];

/** The operations of each kind of dtype, by numpy's letter for it. */
const OPS_OF_KIND: Readonly<Record<DType['kind'], readonly OpName[]>> = {
  b: OP_NAMES,
  i: OP_NAMES,
  u: OP_NAMES,
  f: OP_NAMES,
  M: OF_DATES,
  m: [...OF_DATES, 'sum'],
  c: OF_COMPLEX,
  S: OF_TEXTS,
  U: OF_TEXTS,
  V: OF_OTHERS,
  g: OF_OTHERS,
  G: OF_OTHERS,
};

/** @throws unsupported_dtype where one of the operations is none of the dtype's kind */
export function checkKind(ops: readonly OpName[], dtype: DType): void {
  // Of structures their fields, which are looked at by who plans columns.
  const supported = isStructure(dtype) ? [...OF_OTHERS, ...COLUMNS_OPS] : OPS_OF_KIND[dtype.kind];
  const op = ops.find(each => !supported.includes(each));
  if (op === undefined) return;
  const inside = isStructure(dtype) ? ' Fields have statistics of their own: name one with field.' : '';
  fail(
    'unsupported_dtype',
    `${op} is not computed of ${shown(dtype.typestr)}; of ${KIND_WORDS[dtype.kind]} there ${supported.length === 1 ? 'is' : 'are'} ${listed(supported, 'and')}.${inside}`,
    { dtype: dtype.typestr.slice(0, 80), op, supported },
  );
}

const KIND_WORDS: Readonly<Record<DType['kind'], string>> = {
  b: 'bool',
  i: 'integers',
  u: 'integers',
  f: 'floats',
  M: 'dates',
  m: 'durations',
  c: 'complex numbers',
  S: 'text',
  U: 'text',
  V: 'void and structured elements',
  g: 'long doubles',
  G: 'long doubles',
};

/** Operations whose value is the position of a row, or a table or matrix, and not of a group. */
export const UNGROUPED: readonly OpName[] = ['argmin', 'argmax', 'histogram', 'unique', ...COLUMNS_OPS];

/** Operations of the columns of rows, whatever is reduced. */
export function columnsOpOf(ops: readonly OpName[]): OpName | undefined {
  return ops.find(isColumnsOp);
}

/** True where nothing else is asked for. */
export function areOfColumns(ops: readonly OpName[]): boolean {
  return ops.every(isColumnsOp);
}

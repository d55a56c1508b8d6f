/** Random queries of chosen rows, asked of numpy, and how its answers are held against ours. */
import { HyperslabError } from '../../../src/errors.js';
import type { OperationResult, StatisticsResult } from '../../../src/statistics/index.js';
import { differenceFrom, reductionDifference, runNumpy, ArraysFile, type Listed, type Program } from '../live-numpy.js';
import type { RowCase } from './row-cases.js';
import { compute, shown } from './run-row-case.js';

/** An array, counts and edges, or the code of the error that an operation amounts to. */
export type LiveAnswer = string | Listed | { readonly counts: Listed; readonly edges: Listed };

export interface LiveAnswers {
  readonly largest: number;
  readonly size: number;
  /** Elements used in each cell. */
  readonly count: Listed | string;
  readonly results: Readonly<Record<string, LiveAnswer>>;
}

export function askRows<T>(folder: string, program: Program, cases: readonly RowCase[]): T[] {
  const arrays = new ArraysFile();
  const described = cases.map(({ datasets, slice, query }) => ({
    ...query,
    slice,
    arrays: Object.fromEntries(datasets.map(each => [each.name, arrays.add(each)])),
  }));
  return runNumpy(folder, program, arrays, described);
}

export function nameOf(op: unknown): string {
  return typeof op === 'string' ? op : Object.keys(op as object)[0]!;
}

/**
 * Undefined, or what is wrong. Operations are asked for together; where some amount to errors, the call has to fail with
 * one of them, and the others are asked for again.
 */
export function differenceIn(
  each: RowCase,
  errorsOf: (op: string) => readonly string[],
  check: (actual: StatisticsResult) => string | undefined,
): string | undefined {
  const { ops } = each.query;
  const errors = ops.flatMap(op => errorsOf(nameOf(op)));
  const answered = ops.filter(op => errorsOf(nameOf(op)).length === 0);
  const difference = errors.length > 0 ? errorDifference(each, errors) : undefined;
  if (difference !== undefined || answered.length === 0) return difference;
  try {
    return check(compute(each, { ...each.query, ops: answered }));
  } catch (error) {
    return `${error instanceof Error ? error.stack : String(error)} instead of an answer`;
  }
}

function errorDifference(each: RowCase, codes: readonly string[]): string | undefined {
  try {
    compute(each, each.query);
    return `an answer instead of ${codes.join()}`;
  } catch (error) {
    if (error instanceof HyperslabError && codes.includes(error.code)) return undefined;
    return `${error instanceof Error ? error.stack : String(error)} instead of ${codes.join()}`;
  }
}

/** Undefined, or how results differ from numpy's answers. */
export function resultsDifference(
  each: RowCase,
  results: readonly OperationResult[],
  numpy: LiveAnswers,
): string | undefined {
  for (const result of results) {
    const difference = resultDifference(each, result, numpy);
    if (difference !== undefined) return `${result.op}: ${difference}`;
  }
  return undefined;
}

function resultDifference(
  { datasets, query }: RowCase,
  result: OperationResult,
  numpy: LiveAnswers,
): string | undefined {
  const answer = numpy.results[result.op]!;
  if (typeof answer === 'string') return `an answer instead of ${answer}`;
  if ('edges' in answer) return differenceFrom(answer.edges, result.edges!) ?? differenceFrom(answer.counts, result);
  if (result.op !== 'median' && result.op !== 'quantile')
    return reductionDifference(answer, result, { ...numpy, dtype: datasets[0]!.dtype });
  // Groups are answered as JSON, where empty lists have no dtype.
  const hasDType = query.group_by === undefined || answer.values.length > 0;
  if (hasDType && result.dtype.typestr !== answer.dtype) return `of ${result.dtype.typestr}, not ${answer.dtype}`;
  return differenceFrom(answer, result);
}

/** The first few differences, each with its case. */
export function differencesOf<T>(
  cases: readonly RowCase[],
  answers: readonly T[],
  differenceOf: (each: RowCase, answer: T) => string | undefined,
): string[] {
  const found = cases.flatMap((each, i) => {
    const difference = differenceOf(each, answers[i]!);
    return difference === undefined ? [] : [`case ${i}: ${difference}: ${shown(each)}`];
  });
  return found.length > 0 ? [`${found.length} of ${cases.length}`, ...found.slice(0, 5)] : [];
}

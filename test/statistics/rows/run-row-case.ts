/** A random query of chosen rows, computed over its arrays in memory; and how tests show and compare it. */
import {
  planQuery,
  type OperationResult,
  type QueryInput,
  type StatisticsResult,
} from '../../../src/statistics/index.js';
import { computePlan, sourceFrom } from '../../../src/statistics/run.js';
import type { RowCase, Stored } from './row-cases.js';

export function compute({ datasets, parts, bounds }: RowCase, query: QueryInput): StatisticsResult {
  const find = (name: string): Stored => datasets.find(each => each.name === name)!;
  const { plan, sources } = planQuery(query, datasets[0]!, parts, find, { bounds });
  return computePlan(
    plan,
    sources.map(source => sourceFrom(find(source.name).file)),
  );
}

/** A case as text that says what to look at. */
export function shown({ datasets, slice, query, bounds }: RowCase): string {
  return textOf({
    datasets: datasets.map(({ dtype, shape, view }) => [dtype.typestr, shape, view.strides]),
    slice,
    query,
    bounds,
  });
}

/** JSON, with integers of any size in quotes. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

/** The results of one group. */
export function partOf(result: OperationResult, group: number, groups: number): OperationResult {
  const cells = result.values.length / groups;
  return { ...result, shape: result.shape.slice(1), values: result.values.slice(group * cells, (group + 1) * cells) };
}

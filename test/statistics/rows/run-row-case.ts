/** A random query of chosen rows, computed over its arrays in memory; and how tests show and compare it. */
import type { Extent } from '../../../src/layout/runs.js';
import { extentOf } from '../../../src/layout/view.js';
import {
  computePlan,
  extentsOfPlan,
  type OperationResult,
  planQuery,
  type QueryInput,
  sourceFrom,
  type StatisticsResult,
  type TileSource,
} from '../../../src/statistics/index.js';
import type { RowCase, Stored } from './row-cases.js';
import { atOnce } from '../../../src/turns.js';

export function compute({ datasets, parts, bounds }: RowCase, query: QueryInput): StatisticsResult {
  const find = (name: string): Stored => datasets.find(each => each.name === name)!;
  const { plan, sources } = atOnce(planQuery(query, datasets[0]!, parts, find, { bounds }));
  const extents = extentsOfPlan(plan, sources.length);
  return computePlan(
    plan,
    sources.map((source, i) => sourceWithin(extents[i]!, find(source.name).file)),
  );
}

/** A file of which nothing but an extent may be read: what a plan says it reads is all that writers save for it. */
function sourceWithin({ start, end }: Extent, file: Uint8Array): TileSource {
  const source = sourceFrom(file);
  return {
    ...source,
    read(view, itemsize, into) {
      const asked = extentOf(view, itemsize);
      const isInside = asked.start >= asked.end || (asked.start >= start && asked.end <= end);
      if (!isInside) throw new Error(`bytes ${asked.start} to ${asked.end} are read, not ${start} to ${end}`);
      source.read(view, itemsize, into);
    },
  };
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

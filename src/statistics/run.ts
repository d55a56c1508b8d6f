/**
 * A whole statistic in this thread, over a file held in memory. The reference for whoever spreads chunks over threads:
 * plan, passes, every chunk, combine in order, finish.
 */
import type { DType } from '../dtype.js';
import { sizeOf, type View } from '../layout/view.js';
import { Computation } from './computation.js';
import { newEngine, type Engine } from '../kernels/engine.js';
import { scanChunks } from './worker.js';
import { planStatistics, type PlanBounds, type QueryPlan } from './plan.js';
import type { Query } from './query.js';
import { atOnce } from '../turns.js';
import type { StatisticsResult } from './result.js';
import type { SinkPartial } from './specs.js';
import type { TileSource } from './scan/native-view.js';
import { chunkAt } from './scan/chunks.js';

let engine: Engine | undefined;

export function computeInProcess(
  query: Query,
  dtype: DType,
  view: View,
  file: Uint8Array,
  bounds?: Partial<PlanBounds>,
): StatisticsResult {
  return computePlan(planStatistics(query, dtype, view, { bounds }), [sourceFrom(file)]);
}

/** Every pass of a plan. `shuffle` may put the numbers of chunks in another order: that in which they are measured. */
export function computePlan(
  plan: QueryPlan,
  sources: readonly TileSource[],
  shuffle = (numbers: readonly number[]): readonly number[] => numbers,
  on: Engine = (engine ??= newEngine()),
): StatisticsResult {
  const computation = new Computation(plan);
  for (let pass = atOnce(computation.next()); pass; pass = atOnce(computation.next())) {
    const partials: (SinkPartial | undefined)[][] = [];
    for (const number of shuffle(Array.from({ length: pass.scan.chunkCount }, (_, i) => i))) {
      [partials[number]] = scanChunks(on, pass.specs, [chunkAt(pass.scan, number)], sources) as [never];
    }
    for (const each of partials) atOnce(computation.combine(pass, each));
  }
  return atOnce(computation.finish());
}

/** A file in memory, gathered byte by byte. */
export function sourceFrom(file: Uint8Array): TileSource {
  return {
    read({ shape, strides, offset }, itemsize, into) {
      let to = 0;
      const walk = (axis: number, from: number): void => {
        if (axis === shape.length) {
          for (let i = 0; i < itemsize; i++) into[to++] = file[from + i]!;
        } else for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, from + i * strides[axis]!);
      };
      if (sizeOf(shape) > 0) walk(0, offset);
    },
    kept: () => undefined,
  };
}

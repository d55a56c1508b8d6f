/**
 * A whole statistic in this thread, over a file held in memory. The reference for whoever spreads chunks over threads:
 * plan, every chunk, merge in order, finish.
 */
import type { DType } from '../dtype.js';
import { sizeOf, type View } from '../layout/view.js';
import { computeChunk, type FillTile } from './chunk.js';
import { finish, type StatisticsResult } from './finish.js';
import { mergePartial, newAccumulator } from './merge.js';
import { chunkAt, planStatistics, type PlanBounds } from './plan.js';
import type { Query } from './query.js';

export function computeInProcess(
  query: Query,
  dtype: DType,
  view: View,
  file: Uint8Array,
  bounds?: PlanBounds,
): StatisticsResult {
  const plan = planStatistics(query, dtype, view, bounds);
  const accumulator = newAccumulator(plan);
  const fill = fillFrom(file);
  for (let number = 0; number < plan.chunkCount; number++) {
    mergePartial(accumulator, computeChunk(chunkAt(plan, number), fill));
  }
  return finish(plan, accumulator);
}

/** Tiles of a file in memory, gathered byte by byte. */
export function fillFrom(file: Uint8Array): FillTile {
  return ({ shape, strides, offset }, itemsize) => {
    const bytes = new Uint8Array(sizeOf(shape) * itemsize);
    let to = 0;
    const walk = (axis: number, from: number): void => {
      if (axis === shape.length) {
        for (let i = 0; i < itemsize; i++) bytes[to++] = file[from + i]!;
      } else for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, from + i * strides[axis]!);
    };
    walk(0, offset);
    return bytes;
  };
}

/** What a worker can be asked to do: plain functions on plain data, which tests call without a thread. */
import type { SourceDescriptor } from '../descriptor.js';
import type { ScatterTask } from '../dataset/off-loop.js';
import { eachRun } from '../file/change.js';
import { writeFullySync } from '../file/io.js';
import { openSource } from '../file/sources.js';
import { gather } from '../layout/gather.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import {
  computeChunk,
  finish,
  type Accumulator,
  type ChunkTask,
  type Partial,
  type Plan,
  type StatisticsResult,
} from '../statistics/index.js';

export interface GatherTask {
  readonly source: SourceDescriptor;
  readonly view: View;
  readonly itemsize: number;
  /** Shared memory of exactly the view's bytes. */
  readonly out: Uint8Array;
}

export interface StatisticsTask {
  readonly source: SourceDescriptor;
  readonly chunk: ChunkTask;
}

export interface FinishTask {
  readonly plan: Plan;
  readonly accumulator: Accumulator;
}

export function gatherView({ source, view, itemsize, out }: GatherTask): void {
  gather(openSource(source), view, itemsize, out);
}

export function scatterView({ fd, ...change }: ScatterTask): void {
  eachRun(change, (offset, run) => writeFullySync(fd, run, offset));
}

/** One tile of memory per thread, refilled for every tile of every chunk. */
let tile: Uint8Array | undefined;

export function reduceChunk({ source, chunk }: StatisticsTask): Partial {
  const bytesOf = openSource(source);
  return computeChunk(chunk, (view, itemsize) => {
    tile ??= new Uint8Array(LIMITS.tileBytesMax);
    const bytes = tile.subarray(0, sizeOf(view.shape) * itemsize);
    gather(bytesOf, view, itemsize, bytes);
    return bytes;
  });
}

/** The formulas at the end take about 100 ns per cell: too long for the event loop where many cells remain. */
export function finishStatistics({ plan, accumulator }: FinishTask): StatisticsResult {
  return finish(plan, accumulator);
}

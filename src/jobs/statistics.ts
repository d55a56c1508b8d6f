/**
 * Runs a planned statistic on the pool. Partials are merged strictly in the order of their chunks, whatever order they
 * finish in, so the result does not depend on the number of workers. Memory: two partials per worker.
 */
import { fail } from '../errors.js';
import type { OpenFile } from '../file/open-file.js';
import { extentOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import {
  chunkAt,
  finish,
  mergePartial,
  newAccumulator,
  type Plan,
  type StatisticsResult,
} from '../statistics/index.js';
import type { Dataset } from '../dataset/dataset.js';
import type { WorkerPool } from './pool.js';

export interface StatisticsRun {
  readonly result: StatisticsResult;
  readonly generation: number;
  readonly scannedBytes: number;
  readonly chunks: number;
}

/** Rounds without the lock, in which a write may come between; the round after them holds writers off. */
const OPTIMISTIC_ROUNDS = 2;

/** @throws file_changed, busy_writing, and what the plan's finish throws */
export async function runStatistics(
  dataset: Dataset,
  plan: Plan,
  pool: WorkerPool,
  signal: AbortSignal,
): Promise<StatisticsRun> {
  const file = await dataset.open();
  const release = file.lease();
  try {
    for (let round = 0; round < OPTIMISTIC_ROUNDS; round++) {
      // A round starts when no writer is at work, and counts when none was until its end.
      // oxlint-disable-next-line no-await-in-loop
      const before = await file.state.lock.withRead(() => ({
        started: file.state.writesStarted,
        generation: dataset.generation,
      }));
      file.state.checkUsable();
      // oxlint-disable-next-line no-await-in-loop
      const run = await reduceAll(plan, file, pool, signal, () => file.state.writesStarted !== before.started);
      if (run) return { ...run, generation: before.generation };
    }
    return await file.state.lock.withRead(async () => {
      file.state.checkUsable();
      const run = await reduceAll(plan, file, pool, signal, () => false);
      return { ...run!, generation: dataset.generation };
    });
  } finally {
    release();
  }
}

/** Undefined when `isStale` says so before the end. */
async function reduceAll(
  plan: Plan,
  file: OpenFile,
  pool: WorkerPool,
  signal: AbortSignal,
  isStale: () => boolean,
): Promise<Omit<StatisticsRun, 'generation'> | undefined> {
  const accumulator = newAccumulator(plan);
  const inFlight: ReturnType<WorkerPool['reduce']>[] = [];
  let next = 0;
  let scannedBytes = 0;
  try {
    for (let merged = 0; merged < plan.chunkCount; merged++) {
      while (next < plan.chunkCount && inFlight.length < 2 * pool.workers) {
        const chunk = chunkAt(plan, next++);
        const { start, end } = extentOf(chunk.view, chunk.dtype.itemsize);
        const reduced = pool.reduce(file.describe(start, end), chunk);
        // Awaited below, in order; one that fails meanwhile must not be taken for unhandled.
        reduced.catch(() => undefined);
        inFlight.push(reduced);
        scannedBytes += chunk.bytes;
      }
      // oxlint-disable-next-line no-await-in-loop
      mergePartial(accumulator, await inFlight.shift()!);
      if (signal.aborted) fail('shutting_down', 'The request was cancelled.');
      if (isStale()) return undefined;
    }
  } finally {
    await Promise.allSettled(inFlight);
  }
  const isSmall = plan.cells <= LIMITS.cellsPerTurn;
  const result = isSmall ? finish(plan, accumulator) : await pool.finish(plan, accumulator);
  return { result, scannedBytes, chunks: plan.chunkCount };
}

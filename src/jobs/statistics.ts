/**
 * Runs a planned statistic so that its answer is of one generation of every file it reads. Writers go on meanwhile;
 * where they overwrite more than is kept of the old bytes, the computation begins anew, the last time while they wait,
 * for a moment at most.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dataset } from '../dataset/dataset.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { Computation, type Plan, type StatisticsResult } from '../statistics/index.js';
import { runTurns } from '../turns.js';
import { Claim } from './claim.js';
import type { Walking } from './pool.js';
import { GenerationLost, Walker, type KeptPartials, type Progress } from './walker.js';

export interface StatisticsRun {
  readonly result: StatisticsResult;
  readonly generation: number;
  /** Useful bytes that were read, those of repeated chunks included. */
  readonly scannedBytes: number;
  /** Chunks that the answer is made of, over all rounds, and those of them that an earlier run had read. */
  readonly chunks: number;
  readonly keptChunks: number;
}

export interface StatisticsOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Partials of earlier runs that hold for a claim, where they may be used. */
  readonly kept?: ((claim: Claim) => KeptPartials | undefined) | undefined;
  /** How long writers may be held off in the end, and chunks that make a task. Tests lower them. */
  readonly lockMsMax?: number;
  readonly chunksPerTaskMax?: number;
}

/** Attempts without a lock, each of which may lose its generation. */
const OPTIMISTIC_ATTEMPTS = 2;

/** @throws file_changed, bulk_load, busy_writing, shutting_down, nan_found, and what the plan's parts throw in the end */
export async function runStatistics(
  dataset: Dataset,
  plan: Plan,
  pool: Walking,
  options: StatisticsOptions,
): Promise<StatisticsRun> {
  for (let attempt = 0; attempt < OPTIMISTIC_ATTEMPTS; attempt++) {
    // oxlint-disable-next-line no-await-in-loop
    const run = await attemptStatistics(dataset, plan, pool, options);
    if (run) return run;
  }
  return runLocked(dataset, plan, pool, options);
}

/** Undefined when the generation was lost. */
async function attemptStatistics(
  dataset: Dataset,
  plan: Plan,
  pool: Walking,
  { signal, onProgress, kept, chunksPerTaskMax }: StatisticsOptions,
  claiming = Claim.of(dataset),
): Promise<StatisticsRun | undefined> {
  const claim = await claiming;
  try {
    const computation = new Computation(plan);
    const walker = new Walker([claim], pool, signal, onProgress, chunksPerTaskMax);
    const partials = kept?.(claim);
    for (let round = computation.next(); round; round = computation.next()) {
      // oxlint-disable-next-line no-await-in-loop
      await walker.walk(computation, round, partials);
    }
    claim.check();
    const { scannedBytes, chunks, keptChunks } = walker;
    const result = await runTurns(computation.finish());
    return { result, generation: claim.generation, scannedBytes, chunks, keptChunks };
  } catch (error) {
    if (!(error instanceof GenerationLost)) throw error;
    claim.check();
    return undefined;
  } finally {
    claim.close();
  }
}

/** While writers wait. */
async function runLocked(
  dataset: Dataset,
  plan: Plan,
  pool: Walking,
  options: StatisticsOptions,
): Promise<StatisticsRun> {
  const { lockMsMax = LIMITS.statisticLockMsMax } = options;
  const file = await dataset.open();
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  let running: Promise<StatisticsRun | undefined> | undefined;
  try {
    return await file.state.lock.withRead(async () => {
      const late = sleep(lockMsMax, undefined, { signal: ending.signal });
      // Ends by an abort when it is not needed.
      late.catch(() => undefined);
      running = attemptStatistics(dataset, plan, pool, { ...options, signal }, Claim.underLock(dataset));
      return (await Promise.race([running, late])) ?? failBusy();
    });
  } finally {
    ending.abort();
    await running?.catch(() => undefined);
  }
}

function failBusy(): never {
  return fail(
    'busy_writing',
    'The selection is written faster than the statistic can be computed. Repeat the request later, or ask for less of it.',
  );
}

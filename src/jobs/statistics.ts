/**
 * Runs a planned statistic so that its answer is of one generation of every file it reads. Writers go on meanwhile;
 * where they overwrite more than is kept of the old bytes, the computation begins anew, the last time while they wait,
 * for a moment at most.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dataset } from '../dataset/dataset.js';
import { fail } from '../errors.js';
import type { FileState } from '../file/file-state.js';
import type { Waiting } from '../file/lock.js';
import { LIMITS } from '../limits.js';
import { Computation, extentsOfPlan, type QueryPlan, type StatisticsResult } from '../statistics/index.js';
import { runTurns } from '../turns.js';
import type { GrowingMemory } from './growing-memory.js';
import { claimAll, claimUnderLocks } from './claim.js';
import type { Scanning } from './pool.js';
import type { PartialCache } from './partial-cache.js';
import { GenerationLost, ScanRunner, type Progress } from './scan-runner.js';

export interface StatisticsRun {
  readonly result: StatisticsResult;
  /** Of each dataset. */
  readonly generations: readonly number[];
  /** Useful bytes that were read, those of repeated chunks included. */
  readonly scannedBytes: number;
  /** Chunks that the answer is made of, over all passes, and those of them that an earlier run had read. */
  readonly chunks: number;
  readonly keptChunks: number;
}

export interface StatisticsOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Partials of earlier runs, for plans of one dataset. */
  readonly partials?: PartialCache | undefined;
  /** Counts what the computation holds beside what its plan could know. */
  readonly memory?: Pick<GrowingMemory, 'reach'> | undefined;
  /** Nothing is taken from earlier runs. */
  readonly isFresh?: boolean;
  /** How long writers may be held off in the end. Tests lower it. */
  readonly lockMsMax?: number;
}

/** Attempts without a lock, each of which may lose its generation. */
const OPTIMISTIC_ATTEMPTS = 2;

/**
 * `datasets` are those that the plan reads, the one that was asked about first.
 * @throws file_changed, bulk_load, busy_writing, cancelled, nan_found, and what the plan's operators throw in the end
 */
export async function runStatistics(
  datasets: readonly Dataset[],
  plan: QueryPlan,
  pool: Scanning,
  options: StatisticsOptions,
): Promise<StatisticsRun> {
  for (let attempt = 0; attempt < OPTIMISTIC_ATTEMPTS; attempt++) {
    // oxlint-disable-next-line no-await-in-loop
    const read = await attemptStatistics(datasets, plan, pool, options);
    if (read) return finished(read);
  }
  return finished(await whileWritersWait(datasets, plan, pool, options));
}

/** A computation that has read all it needs; what is left to do concerns no file, and nobody waits for it. */
interface ReadStatistics extends Omit<StatisticsRun, 'result'> {
  readonly computation: Computation;
}

async function finished({ computation, ...run }: ReadStatistics): Promise<StatisticsRun> {
  return { ...run, result: await runTurns(computation.finish()) };
}

/** Undefined when a generation was lost. */
async function attemptStatistics(
  datasets: readonly Dataset[],
  plan: QueryPlan,
  pool: Scanning,
  { signal, onProgress, partials, memory, isFresh = false }: StatisticsOptions,
  claim: typeof claimAll = claimAll,
): Promise<ReadStatistics | undefined> {
  const extents = extentsOfPlan(plan, datasets.length);
  const claims = await claim(
    datasets.map((dataset, i) => ({ dataset, extent: extents[i]! })),
    { signal, client: pool.client },
  );
  try {
    const computation = new Computation(plan);
    const runner = new ScanRunner(claims, pool, { signal, onProgress, memory });
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const pass = await runTurns(computation.next());
      if (!pass) break;
      const [spec, another] = pass.specs;
      // What a filter has left out is not in the name of a partial.
      const canKeep = spec && !another && claims.length === 1 && !pass.scan.rows;
      const kept = canKeep ? partials?.of(claims[0]!, spec, isFresh) : undefined;
      // oxlint-disable-next-line no-await-in-loop
      await memory?.reach(computation.heldBytes);
      // oxlint-disable-next-line no-await-in-loop
      await runner.scan(computation, pass, kept);
      for (const each of claims) each.check();
    }
    await memory?.reach(computation.heldBytes);
    for (const each of claims) each.check();
    return { computation, generations: claims.map(claim => claim.generation), ...runner.tally };
  } catch (error) {
    if (!(error instanceof GenerationLost)) {
      for (const { dataset } of claims) await dataset.learned(error).catch(() => undefined); // oxlint-disable-line no-await-in-loop
      throw error;
    }
    for (const each of claims) each.check();
    return undefined;
  } finally {
    for (const each of claims) each.close();
  }
}

/** Holds the locks of all files, for a moment at most. */
async function whileWritersWait(
  datasets: readonly Dataset[],
  plan: QueryPlan,
  pool: Scanning,
  options: StatisticsOptions,
): Promise<ReadStatistics> {
  const { lockMsMax = LIMITS.statisticLockMsMax } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  let running: Promise<ReadStatistics | undefined> | undefined;
  const states = new Set<FileState>();
  for (const dataset of datasets) {
    // oxlint-disable-next-line no-await-in-loop
    const { state } = await dataset.open();
    states.add(state);
  }
  const run = async (): Promise<ReadStatistics> => {
    const late = sleep(lockMsMax, undefined, { signal: ending.signal });
    // Ends by an abort when it is not needed.
    late.catch(() => undefined);
    running = attemptStatistics(datasets, plan, pool, { ...options, signal }, claimUnderLocks);
    return (await Promise.race([running, late])) ?? failBusy();
  };
  try {
    return await underLocks([...states], run, { signal: options.signal, client: pool.client });
  } finally {
    ending.abort();
    await running?.catch(() => undefined);
  }
}

/** In the order of the file ids: two who hold several must not wait for each other behind writers. */
function underLocks<T>(states: readonly FileState[], work: () => Promise<T>, waiting: Waiting): Promise<T> {
  return states
    .toSorted((a, b) => (a.fileId < b.fileId ? -1 : 1))
    .reduceRight<() => Promise<T>>(
      (inner, { lock }) =>
        () =>
          lock.withRead(inner, waiting),
      work,
    )();
}

function failBusy(): never {
  return fail(
    'busy_writing',
    'The selection is written faster than the statistic can be computed. Repeat the request later, or ask for less of it.',
  );
}

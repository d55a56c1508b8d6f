/**
 * Runs a planned statistic so that its answer is of one generation. Chunks are computed while writers go on; those that
 * a write touched are computed again; after two rounds the rest is done under the read lock, for a moment at most.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../errors.js';
import { sameIdentity, type OpenFile } from '../file/open-file.js';
import { LIMITS } from '../limits.js';
import { finish, type Plan, type StatisticsResult } from '../statistics/index.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Reducer } from './pool.js';
import { Scan } from './scan.js';

export interface StatisticsRun {
  readonly result: StatisticsResult;
  readonly generation: number;
  /** Useful bytes that were read, those of repeated chunks included. */
  readonly scannedBytes: number;
  readonly chunks: number;
}

/** Bounds that tests lower. */
export interface StatisticsBounds {
  readonly keptPartialBytesMax: number;
  readonly lockMsMax: number;
}

const BOUNDS: StatisticsBounds = {
  keptPartialBytesMax: LIMITS.keptPartialBytesMax,
  lockMsMax: LIMITS.statisticLockMsMax,
};

/** Rounds without the lock, in which a write may come between. */
const OPTIMISTIC_ROUNDS = 2;

/** @throws file_changed, bulk_load, busy_writing, and what the plan's finish throws */
export async function runStatistics(
  dataset: Dataset,
  plan: Plan,
  pool: Reducer,
  signal: AbortSignal,
  bounds: Partial<StatisticsBounds> = {},
): Promise<StatisticsRun> {
  const file = await dataset.open();
  const { changes, lock } = file.state;
  const release = file.lease();
  const { keptPartialBytesMax, lockMsMax } = { ...BOUNDS, ...bounds };
  const scan = new Scan(plan, file, pool, signal, keptPartialBytesMax);
  try {
    // Begun when no write is half noted.
    const unwatch = await lock.withRead(() => changes.watch(file.state.writesStarted));
    const generation = await settle(dataset, file, scan, lockMsMax).finally(unwatch);
    const accumulator = await scan.result();
    const isSmall = plan.cells <= LIMITS.cellsPerTurn;
    const result = isSmall ? finish(plan, accumulator) : await pool.finish(plan, accumulator);
    return { result, generation, scannedBytes: scan.scannedBytes, chunks: plan.chunkCount };
  } finally {
    scan.close();
    release();
  }
}

/** Reads until all chunks hold for one version of the file, and returns its generation. */
async function settle(dataset: Dataset, file: OpenFile, scan: Scan, lockMsMax: number): Promise<number> {
  const { state } = file;
  let stale = await scan.stale(state.writesStarted);
  for (let round = 0; round < OPTIMISTIC_ROUNDS; round++) {
    // oxlint-disable-next-line no-await-in-loop
    if (stale) await scan.read(stale);
    state.checkUsable();
    // oxlint-disable-next-line no-await-in-loop
    const { version, generation } = await state.lock.withRead(() => nowOf(dataset, file));
    // oxlint-disable-next-line no-await-in-loop
    stale = await scan.stale(version);
    if (!stale) return generation;
  }
  const ending = new AbortController();
  let reading: Promise<void> | undefined;
  try {
    return await state.lock.withRead(async () => {
      const late = sleep(lockMsMax, 'late', { signal: ending.signal });
      // Ends by an abort when it is not needed.
      late.catch(() => undefined);
      const { version, generation } = nowOf(dataset, file);
      stale = await scan.stale(version);
      reading = scan.read(stale ?? [], () => ending.signal.aborted);
      if ((await Promise.race([reading, late])) === 'late') failBusy();
      return generation;
    });
  } finally {
    ending.abort();
    await reading?.catch(() => undefined);
  }
}

function failBusy(): never {
  return fail(
    'busy_writing',
    'The selection is written faster than the statistic can be computed. Repeat the request later, or ask for less of it.',
  );
}

/** The caller keeps writers off. @throws file_changed when another file has taken the place of the one being read */
function nowOf(dataset: Dataset, file: OpenFile): { version: number; generation: number } {
  file.state.checkUsable();
  const current = dataset.files.get(dataset.reference);
  if (current && !sameIdentity(current.identity, file.identity)) {
    fail('file_changed', 'Another file took the place of this one. Repeat the request to read the new file.', {
      reason: 'replaced',
    });
  }
  return { version: file.state.writesStarted, generation: dataset.generation };
}

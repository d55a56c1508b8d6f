/** Statistics with the caches in front: never the same work twice. */
import type { Dataset } from '../dataset/dataset.js';
import type { Plan } from '../statistics/index.js';
import { PartialCache } from './partial-cache.js';
import type { Walking } from './pool.js';
import { ResultCache } from './result-cache.js';
import { runStatistics, type StatisticsOptions, type StatisticsRun } from './statistics.js';

/** How much of an answer had not to be read: all, some of its chunks, nothing. */
export type CacheUse = 'hit' | 'partial' | 'miss';

export interface CachedRun extends StatisticsRun {
  readonly cache: CacheUse;
}

/** Partials are what saves reading after a write; answers are small. */
const RESULTS_SHARE = 1 / 4;

export class StatisticsCache {
  readonly results: ResultCache;
  readonly partials: PartialCache;

  /** @param bytesMax 0 keeps nothing */
  constructor(bytesMax: number) {
    this.results = new ResultCache(bytesMax * RESULTS_SHARE);
    this.partials = new PartialCache(bytesMax * (1 - RESULTS_SHARE));
  }

  /** As runStatistics; `isFresh` computes everything anew and keeps it. */
  async run(
    datasets: readonly Dataset[],
    plan: Plan,
    pool: Walking,
    { isFresh, ...options }: StatisticsOptions & { readonly isFresh: boolean },
  ): Promise<CachedRun> {
    const known = isFresh ? undefined : await this.results.get(datasets, plan);
    if (known) return { ...known, scannedBytes: 0, cache: 'hit' };
    const run = await runStatistics(datasets, plan, pool, { ...options, partials: this.partials, isFresh });
    this.results.put(datasets, plan, run);
    return { ...run, cache: run.keptChunks === 0 ? 'miss' : run.scannedBytes === 0 ? 'hit' : 'partial' };
  }
}

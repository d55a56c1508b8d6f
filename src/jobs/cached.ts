/** Statistics with the caches in front: never the same work twice. */
import type { Dataset } from '../dataset/dataset.js';
import type { QueryPlan } from '../statistics/index.js';
import { traffic } from '../traffic.js';
import { PartialCache } from './partial-cache.js';
import type { Scanning } from './pool.js';
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
    const resultBytes = Math.floor(bytesMax * RESULTS_SHARE);
    this.results = new ResultCache(resultBytes);
    this.partials = new PartialCache(bytesMax - resultBytes);
  }

  /** The answer, if it is known for the present generations. @throws file_changed, bulk_load, durability_unknown */
  async known(datasets: readonly Dataset[], plan: QueryPlan): Promise<CachedRun | undefined> {
    const run = await this.results.get(datasets, plan);
    if (!run) return undefined;
    traffic.statistics.hit++;
    return { ...run, scannedBytes: 0, cache: 'hit' };
  }

  /** As runStatistics, with the partials that are known, unless it `isFresh`; the answer is kept. */
  async run(
    datasets: readonly Dataset[],
    plan: QueryPlan,
    pool: Scanning,
    options: StatisticsOptions,
  ): Promise<CachedRun> {
    const run = await runStatistics(datasets, plan, pool, { ...options, partials: this.partials });
    this.results.put(datasets, plan, run);
    const cache = run.keptChunks === 0 ? 'miss' : run.scannedBytes === 0 ? 'hit' : 'partial';
    traffic.statistics[cache]++;
    return { ...run, cache };
  }
}

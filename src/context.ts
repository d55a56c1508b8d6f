/**
 * What routes work with: made once in app.ts, passed to each. The registry is not part of it: a route reaches datasets
 * through `request.datasets`, which knows who asks.
 */
import type { Budget } from './budget.js';
import type { Config } from './config.js';
import type { Following } from './following/following.js';
import type { FileTable } from './file/file-table.js';
import type { Admission } from './jobs/admission.js';
import type { StatisticsCache } from './jobs/cached.js';
import type { Jobs } from './jobs/jobs.js';
import type { WorkerPool, Workers } from './jobs/pool.js';

export interface Context {
  readonly config: Config;
  readonly files: FileTable;
  readonly pool: WorkerPool;
  readonly cache: StatisticsCache;
  readonly admission: Admission;
  readonly jobs: Jobs;
  readonly following: Following;
  /** Memory that bodies of writes are held in. */
  readonly budget: Budget;
  /** The mappings in use, the preferred one first; empty means positional reads. */
  readonly mappings: readonly string[];
}

/** The same for the requests of one client: with the client's share of the memory, and its own line before the workers. */
export interface ClientContext extends Context {
  readonly workers: Workers;
}

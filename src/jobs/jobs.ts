/**
 * All jobs of the service: a bounded number runs, a bounded number waits, and those that ended are kept for a time with
 * their results. Everything is in memory: a restart forgets it.
 * Memory: the inputs of waiting jobs and the results of ended ones, each bounded in bytes.
 */
import { fail, HyperslabError } from '../errors.js';
import { shareOf } from '../fair-line.js';
import { LIMITS } from '../limits.js';
import { Job, JOB_STATES, type JobOrder, type JobState } from './job.js';

/** Who asks for a job: those who made it, and those who see all. */
export interface Viewer {
  /** Undefined: no job can be theirs. */
  readonly owner: string | undefined;
  readonly seesAll: boolean;
}

/** Bounds of the settings, and some that tests lower. */
export interface JobBounds {
  readonly jobsRunningMax: number;
  /** For each client. */
  readonly jobsQueuedMax: number;
  /** What one client may have of what all share, from 0 to 1, rounded up. */
  readonly clientShare: number;
  readonly jobResultSeconds: number;
  readonly queuedTotalMax: number;
  readonly inputBytesMax: number;
  readonly keptMax: number;
  readonly keptBytesMax: number;
}

export const JOB_BOUNDS = {
  queuedTotalMax: LIMITS.jobsQueuedTotalMax,
  inputBytesMax: LIMITS.jobInputBytesMax,
  keptMax: LIMITS.jobsKeptMax,
} as const;

/** What the results of jobs may hold beside all memory for requests: little where that is little. */
export function keptResultBytes(memoryBytes: number): number {
  return Math.min(LIMITS.jobResultBytesMax, Math.floor(memoryBytes / 8));
}

/** Where a page of the list goes on: after the job that was made at this time, with this id. */
export interface JobPlace {
  readonly createdMs: number;
  readonly id: string;
}

/** Told to those who find the line full, when nothing better is known. */
const RETRY_SECONDS = { least: 1, unknown: 10, most: 60 } as const;

export class Jobs {
  readonly #bounds: JobBounds;
  readonly #all = new Map<string, Job>();
  /** The first to come first. */
  readonly #queued: Job[] = [];
  readonly #running = new Set<Job>();
  /** The first to end first, with the time until which each is kept, on a clock that nobody sets. */
  readonly #ended = new Map<Job, number>();
  #inputBytes = 0;
  #resultBytes = 0;
  #expiry: NodeJS.Timeout | undefined;
  #isClosing = false;
  /** Jobs that have ended, since the start. */
  readonly endedCounts = { done: 0, failed: 0, cancelled: 0 };

  constructor(bounds: JobBounds) {
    this.#bounds = bounds;
  }

  /** Jobs that are known, by state. */
  get counts(): Record<JobState, number> {
    const counts = Object.fromEntries(JOB_STATES.map(state => [state, 0])) as Record<JobState, number>;
    for (const { state } of this.#all.values()) counts[state]++;
    return counts;
  }

  /** Puts a job in line; it runs when its turn comes. @throws too_many_jobs, shutting_down */
  start(order: JobOrder): Job {
    if (this.#isClosing) fail('shutting_down', 'The service is shutting down. Repeat the request in a moment.');
    const { jobsRunningMax } = this.#bounds;
    const own = countOf(this.#running, order.client);
    if (this.#running.size >= jobsRunningMax || own >= this.#shareOf(jobsRunningMax)) this.#checkLine(order);
    const job = new Job(order);
    this.#all.set(job.id, job);
    this.#inputBytes += job.inputBytes;
    void job.ended().then(() => this.#keep(job));
    this.#queued.push(job);
    this.#next();
    return job;
  }

  /** @throws unknown_job, also for the jobs of others */
  get(id: string, viewer: Viewer): Job {
    const job = this.#all.get(id);
    if (job && isSeenBy(job, viewer)) return job;
    return fail(
      'unknown_job',
      `No job has the id ${JSON.stringify(id.slice(0, 80))}; jobs that ended are kept for ${this.#bounds.jobResultSeconds} s. GET /v1/jobs lists them.`,
      {
        job: id.slice(0, 80),
        kept_seconds: this.#bounds.jobResultSeconds,
      },
    );
  }

  /** Jobs that a viewer sees, in the order in which they were made, from a place on. */
  list(viewer: Viewer, after: JobPlace | undefined, limit: number): Job[] {
    return [...this.#all.values()]
      .filter(job => isSeenBy(job, viewer) && (!after || comparePlaces(job, after) > 0))
      .sort(comparePlaces)
      .slice(0, limit);
  }

  cancel(job: Job): void {
    const index = this.#queued.indexOf(job);
    if (index >= 0) this.#queued.splice(index, 1);
    job.cancel();
  }

  /** Only a job that has ended. */
  forget(job: Job): void {
    this.#all.delete(job.id);
    if (!this.#ended.delete(job)) return;
    this.#resultBytes -= job.result?.byteLength ?? 0;
  }

  /** Cancels everything, takes nothing new, and says what was cut. */
  close(): { running: string[]; queued: string[] } {
    this.#isClosing = true;
    clearTimeout(this.#expiry);
    const cut = { running: [...this.#running].map(idOf), queued: this.#queued.splice(0).map(idOf) };
    const error = new HyperslabError(
      'shutting_down',
      'The service was shut down before the job had ended. Send it again.',
    );
    for (const job of this.#all.values()) job.cancel(error);
    return cut;
  }

  /** @throws too_many_jobs */
  #checkLine({ client, inputBytes }: JobOrder): void {
    const { jobsQueuedMax, queuedTotalMax, inputBytesMax } = this.#bounds;
    const queued = this.#queued.length;
    const waiting = [...this.#running, ...this.#queued].filter(job => job.client === client && !job.hasEnded);
    const ownBytes = waiting.reduce((sum, job) => sum + job.inputBytes, inputBytes);
    const own = countOf(this.#queued, client) + 1;
    const full = [
      { what: 'of your jobs', asked: own, limit: Math.min(jobsQueuedMax, this.#shareOf(queuedTotalMax)) },
      { what: 'jobs of all callers', asked: queued + 1, limit: queuedTotalMax },
      { what: 'bytes of queries', asked: this.#inputBytes + inputBytes, limit: inputBytesMax },
      { what: 'bytes of your queries', asked: ownBytes, limit: this.#shareOf(inputBytesMax) },
    ].find(({ asked, limit }) => asked > limit);
    if (!full) return;
    const seconds = this.#secondsToNext();
    const { what, asked, limit } = full;
    fail(
      'too_many_jobs',
      `With this one, ${asked} ${what} would wait in line; at most ${limit} may. Repeat the request in ${seconds} s, or cancel a job.`,
      { limit, asked, running: this.#running.size, queued, retry_after_seconds: seconds },
    );
  }

  /** When the next of the running jobs seems to end. */
  #secondsToNext(): number {
    const left = [...this.#running].map(({ pace }) => pace.secondsLeft ?? RETRY_SECONDS.unknown);
    return Math.ceil(Math.min(RETRY_SECONDS.most, Math.max(RETRY_SECONDS.least, Math.min(...left))));
  }

  #next(): void {
    const { jobsRunningMax } = this.#bounds;
    while (this.#running.size < jobsRunningMax) {
      const job = this.#choose(this.#shareOf(jobsRunningMax));
      if (!job) return;
      void this.#run(job);
    }
  }

  /**
   * The first in line of those who have the fewest jobs running, and fewer than their share: nobody waits behind all jobs
   * of somebody else, and jobs of one client alone leave a place for the next.
   */
  #choose(ownMax: number): Job | undefined {
    const running = new Map<string, number>();
    for (const { client } of this.#running) running.set(client, (running.get(client) ?? 0) + 1);
    const load = ({ client }: Job): number => running.get(client) ?? 0;
    const least = Math.min(...this.#queued.map(load));
    if (least >= ownMax) return undefined;
    const index = this.#queued.findIndex(job => load(job) === least);
    return this.#queued.splice(index, 1)[0];
  }

  /** What one client may have of so many. */
  #shareOf(all: number): number {
    return shareOf(this.#bounds.clientShare, all);
  }

  async #run(job: Job): Promise<void> {
    this.#running.add(job);
    await job.run();
    this.#running.delete(job);
    this.#next();
  }

  /** A job has ended: it is kept for a time, while there is room. */
  #keep(job: Job): void {
    this.#inputBytes -= job.inputBytes;
    const { state } = job;
    if (state === 'done' || state === 'failed' || state === 'cancelled') this.endedCounts[state]++;
    if (!this.#all.has(job.id)) return;
    this.#ended.set(job, performance.now() + this.#bounds.jobResultSeconds * 1000);
    this.#resultBytes += job.result?.byteLength ?? 0;
    const { keptMax, keptBytesMax } = this.#bounds;
    while (this.#ended.size > keptMax) this.forget(this.#oldestOfMost(() => 1));
    while (this.#resultBytes > keptBytesMax) this.forget(this.#oldestOfMost(({ result }) => result?.byteLength ?? 0));
    if (!this.#isClosing) this.#expireLater();
  }

  /** The first to have ended of the client whose ended jobs take the most. */
  #oldestOfMost(sizeOf: (job: Job) => number): Job {
    const sizes = new Map<string, number>();
    for (const job of this.#ended.keys()) sizes.set(job.client, (sizes.get(job.client) ?? 0) + sizeOf(job));
    const most = Math.max(...sizes.values());
    return [...this.#ended.keys()].find(({ client }) => sizes.get(client) === most)!;
  }

  /** One timer, for the job that ended first. */
  #expireLater(): void {
    const [untilMs] = this.#ended.values();
    if (this.#expiry || untilMs === undefined) return;
    const expire = (): void => {
      this.#expiry = undefined;
      const nowMs = performance.now();
      for (const [job, keptUntilMs] of this.#ended) {
        if (keptUntilMs > nowMs) break;
        this.forget(job);
      }
      this.#expireLater();
    };
    const waitMs = Math.ceil(Math.max(1, untilMs - performance.now()));
    this.#expiry = setTimeout(expire, Math.min(TIMER_MS_MAX, waitMs));
    this.#expiry.unref();
  }
}

/** Longer timers fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

function isSeenBy({ owner }: Job, viewer: Viewer): boolean {
  return viewer.seesAll || owner === viewer.owner;
}

function countOf(jobs: Iterable<Job>, client: string): number {
  return [...jobs].filter(job => job.client === client).length;
}

function comparePlaces(a: JobPlace, b: JobPlace): number {
  return a.createdMs - b.createdMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function idOf({ id }: Job): string {
  return id;
}

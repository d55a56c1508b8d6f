/**
 * One job: queued, running, then done, failed or cancelled, and never anything after that. Cancelling ends it at once
 * for its clients; the work notices within a chunk.
 */
import { randomBytes } from 'node:crypto';
import { Meter, type Pace, type Progress } from './progress.js';

export const JOB_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Computes the JSON text of a result. Must stop soon after `signal` fires. */
export type JobWork = (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<Uint8Array>;

/** What a client asks for. */
export interface JobOrder {
  /** Who sees it. */
  readonly owner: string;
  /** Whose share it counts for. */
  readonly client: string;
  /** Memory that the job's input takes while it waits. */
  readonly inputBytes: number;
  readonly chunksTotal: number;
  readonly bytesTotal: number;
  readonly work: JobWork;
}

export class Job {
  /** 128 random bits: nobody finds the job of somebody else. */
  readonly id = randomBytes(16).toString('hex');
  readonly createdMs = Date.now();
  readonly owner: string;
  readonly client: string;
  readonly inputBytes: number;
  #state: JobState = 'queued';
  #startedMs: number | undefined;
  #endedMs: number | undefined;
  #result: Uint8Array | undefined;
  #error: Error | undefined;
  #work: JobWork | undefined;
  readonly #meter: Meter;
  /** The pace of the whole, once it has ended. */
  #average: Pace | undefined;
  readonly #abort = new AbortController();
  readonly #watchers = new Set<() => void>();

  constructor({ owner, client, inputBytes, chunksTotal, bytesTotal, work }: JobOrder) {
    this.owner = owner;
    this.client = client;
    this.inputBytes = inputBytes;
    this.#work = work;
    this.#meter = new Meter({ chunks: 0, chunksTotal, bytes: 0, bytesTotal }, performance.now());
  }

  get state(): JobState {
    return this.#state;
  }

  get hasEnded(): boolean {
    return this.#state !== 'queued' && this.#state !== 'running';
  }

  get startedMs(): number | undefined {
    return this.#startedMs;
  }

  get endedMs(): number | undefined {
    return this.#endedMs;
  }

  /** JSON text, of a job that is done. */
  get result(): Uint8Array | undefined {
    return this.#result;
  }

  /** Of a job that failed, or was cut by a shutdown. */
  get error(): Error | undefined {
    return this.#error;
  }

  get progress(): Progress {
    return this.#meter.progress;
  }

  get pace(): Pace {
    if (this.#startedMs === undefined) return { bytesPerSecond: null, secondsLeft: null };
    return this.#average ?? this.#meter.pace(performance.now());
  }

  /** Calls back when anything about the job changes. Returns what stops that. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  /** Resolves when the job has ended, however it did. */
  async ended(): Promise<void> {
    if (this.hasEnded) return;
    await new Promise<void>(resolve => {
      const unwatch = this.watch(() => {
        if (!this.hasEnded) return;
        unwatch();
        resolve();
      });
    });
  }

  /** Runs a queued job. Resolves when its work has stopped, which is later than its end where it was cancelled. */
  async run(): Promise<void> {
    const work = this.#work!;
    this.#state = 'running';
    this.#startedMs = Date.now();
    this.#meter.restart(performance.now());
    this.#tell();
    try {
      const result = await work(this.#abort.signal, progress => this.#progressed(progress));
      this.end('done', { result });
    } catch (error) {
      this.end('failed', { error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  cancel(error?: Error): void {
    this.end('cancelled', { error });
    this.#abort.abort();
  }

  /** The first end counts. */
  end(
    state: 'done' | 'failed' | 'cancelled',
    { result, error }: { readonly result?: Uint8Array; readonly error?: Error | undefined },
  ): void {
    if (this.hasEnded) return;
    this.#average = this.#meter.average(performance.now());
    this.#state = state;
    this.#endedMs = Date.now();
    this.#result = result;
    this.#error = error;
    // What the work holds on to is let go of.
    this.#work = undefined;
    this.#tell();
    this.#watchers.clear();
  }

  #progressed(progress: Progress): void {
    if (this.hasEnded) return;
    this.#meter.update(progress, performance.now());
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

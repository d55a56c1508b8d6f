/**
 * The only door to the worker threads. Tasks are small (a piece, a chunk), so that none waits long behind another;
 * the queue is bounded by those who fill it: a response has one piece under way, a statistic two tasks per worker.
 */
import { Piscina } from 'piscina';
import type { SourceDescriptor } from '../descriptor.js';
import type { HoldTask, OffLoop, ScatterTask } from '../dataset/off-loop.js';
import type { View } from '../layout/view.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { valueOf, type Outcome } from './messages.js';
import type { GatherTask, WalkAnswer, WalkTask } from './tasks.js';

/** What a statistic asks of the pool. */
export interface Walking {
  readonly workers: number;
  walk(task: WalkTask): Promise<WalkAnswer>;
}

export class WorkerPool implements OffLoop, Walking {
  readonly workers: number;
  readonly #piscina: Piscina;

  constructor(workers: number) {
    this.workers = workers;
    this.#piscina = new Piscina({
      filename: new URL('worker.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      // Tasks take a millisecond and more: waking a thread through the event loop costs less than blocking it.
      atomics: 'async',
      recordTiming: false,
    });
  }

  get queued(): number {
    return this.#piscina.queueSize;
  }

  async gather(source: SourceDescriptor, view: View, itemsize: number, out: Uint8Array): Promise<void> {
    const task: GatherTask = { source, view, itemsize, out };
    valueOf((await this.#run(task, 'gather')) as Outcome<void>);
  }

  async scatter(task: ScatterTask): Promise<void> {
    // Never refused: part of a write may be in the file already, and one write has one task at a time.
    valueOf((await this.#piscina.run(task, { name: 'scatter' })) as Outcome<void>);
  }

  async hold({ fd, target, itemsize }: HoldTask): Promise<void> {
    valueOf((await this.#piscina.run({ fd, target, itemsize }, { name: 'hold' })) as Outcome<void>);
  }

  async walk(task: WalkTask): Promise<WalkAnswer> {
    return valueOf((await this.#run(task, 'walk')) as Outcome<WalkAnswer>);
  }

  /** @throws busy when too many tasks are in line */
  async #run(task: object, name: string): Promise<unknown> {
    if (this.#piscina.queueSize >= LIMITS.tasksQueuedMax) {
      fail('busy', 'Too many tasks wait for the workers. Repeat the request in a moment.');
    }
    return this.#piscina.run(task, { name });
  }

  /** Waits for what runs, refuses what is new. */
  async close(): Promise<void> {
    await this.#piscina.close();
  }
}

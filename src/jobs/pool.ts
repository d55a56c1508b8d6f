/**
 * The only door to the worker threads. Tasks are small (a piece) or end when others wait (turn.ts), so that none waits
 * long behind another; the queue is bounded by those who fill it: a response has one piece under way, a statistic one
 * task per worker.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BroadcastChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { cancelledError, checkWanted } from '../cancelled.js';
import type { OffLoop, Portion } from '../dataset/off-loop.js';
import type { SourceDescriptor } from '../descriptor.js';
import type { Client } from '../fair-line.js';
import { fail, HyperslabError } from '../errors.js';
import { Turnstile } from '../file/turnstile.js';
import type {
  Converted,
  ConvertStepTask,
  EncodeTask,
  FoundLayout,
  JsonTask,
  Kept,
  Looked,
  LookTask,
  PictureFound,
  PictureTask,
} from '../formats/index.js';
import type { View } from '../layout/view.js';
import { compileKernels } from '../kernels/index.js';
import { Lanes, withMark, type Mark } from './lanes.js';
import { retryWhenLost } from './lost-worker.js';
import { messageOf, valueOf, type Outcome, type ThreadReady } from './messages.js';
import { BufferPool } from './buffer-pool.js';
import { ThreadWatch } from './thread-watch.js';
import type { Lane } from './turn.js';
import type { ScanAnswer, ScanTask } from './scan-task.js';
import type { GatherTask, TrueTask } from './tasks.js';

/** What a statistic asks of the pool. */
export interface Scanning {
  readonly workers: number;
  /** Whose statistic it is. */
  readonly client?: Client | undefined;
  /** For the partials of its tasks. */
  readonly buffers: BufferPool;
  scan(task: ScanTask): Promise<ScanAnswer>;
  /** Tasks in line that bear this mark (ScanTask.cancel) are wanted no longer; those under way see it by themselves. */
  drop?(cancel: Int32Array): void;
}

/** The workers as one client has them: those of his tasks that wait do so in a line of his own. */
export interface Workers extends OffLoop {
  of(id: string): Workers;
  inLane(lane: Lane): Scanning;
  /** Writes elements in another format. @returns the bytes of it */
  encode(task: EncodeTask): Promise<number>;
  /** Writes a stretch of numbers as JSON. @returns the bytes of it */
  json(task: JsonTask): Promise<number>;
  /** Looks at the next part of a body in a format of tables. */
  look(task: LookTask): Promise<Looked<Kept>>;
  /** What it becomes, after the last look. */
  layout(task: LookTask): Promise<FoundLayout>;
  /** Converts its next elements. */
  decode(task: ConvertStepTask): Promise<Converted<Kept>>;
  /** Looks at a band of a picture, or paints it. */
  picture(task: PictureTask): Promise<PictureFound>;
  /** The numbers of the elements of a mask, in its C order, that are true. @throws cancelled */
  numbersOfTrue(source: SourceDescriptor, view: View, signal?: AbortSignal): Promise<Uint32Array>;
}

/** What every thread of a pool is made with. */
export interface WorkerOptions {
  /** Files may be mapped into the kernels' memory. */
  readonly keepsFiles: boolean;
  /** What one client may fill of the line of what somebody waits for, from 0 to 1. */
  readonly clientShare?: number;
}

/** What a thread gets of that. */
export interface WorkerData {
  /** The module, compiled once for all of them; undefined where it cannot be had. */
  readonly kernels: WebAssembly.Module | undefined;
  /** Files may be mapped into the kernels' memory. */
  readonly keepsFiles: boolean;
  /** Shared: tasks in line, by lane (WAITING). */
  readonly waiting: Int32Array;
}

/** How long the end of a pool waits for threads that are loading, and how often it looks. */
const LOADING_MS_MAX = 5000;
const LOADING_POLL_MS = 5;

/** Tells the threads of files that are gone. */
export const CLOSED_FILES_CHANNEL = 'hyperslab-closed-files';

export class WorkerPool {
  readonly workers: number;
  readonly #piscina: Piscina;
  readonly #clientShare: number;
  readonly #lanes = new Lanes();
  readonly #buffers = new BufferPool();
  /** Large writes have all workers but one, however many they are. */
  readonly #parts: Turnstile;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosing = false;
  /** Tasks that were done, by lane, and threads that ended by themselves. */
  readonly counts = { done: { interactive: 0, bulk: 0 }, lost: 0 };
  /** Told of threads that ended. */
  onLost: (error: Error) => void = () => {};
  /** Told when no thread can be started any more. */
  onDown: () => void = () => {};
  /** Told, once, why statistics cannot be computed. */
  onNoKernels: (because: string) => void = () => {};
  /** The same, for whoever asks later. */
  noKernelsBecause: string | undefined;
  readonly #kernels: WebAssembly.Module | undefined;
  readonly #watch: ThreadWatch;
  /** Threads that were ready once, by ids that are not used again. */
  readonly #readyIds = new Set<number>();

  readonly #closedFiles = new BroadcastChannel(CLOSED_FILES_CHANNEL);

  constructor(workers: number, { keepsFiles, clientShare = 1 }: WorkerOptions = { keepsFiles: false }) {
    this.workers = workers;
    this.#parts = new Turnstile(Math.max(1, workers - 1));
    this.#clientShare = clientShare;
    this.#kernels = this.#compiled();
    const workerData: WorkerData = { kernels: this.#kernels, keepsFiles, waiting: this.#lanes.waiting };
    this.#watch = new ThreadWatch({
      wanted: workers,
      count: () => this.threads,
      isAnyReady: () => this.#piscina.threads.some(({ threadId }) => this.#readyIds.has(threadId)),
      start: () => void this.#piscina.run({}, { name: 'nothing' }).catch(() => undefined),
      giveUp: isNew => this.#giveUp(isNew),
    });
    this.#piscina = new Piscina({
      filename: new URL('worker.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      // Tasks take a millisecond and more: waking a thread through the event loop costs less than blocking it.
      atomics: 'async',
      recordTiming: false,
      workerData,
      taskQueue: this.#lanes,
      // Else a task for which no worker is free goes to the end of the line.
      stricterFIFO: true,
    });
    // A thread that ended between two tasks.
    this.#piscina.on('error', (error: Error) => this.#lost(error));
    // It is among the threads until this turn is over.
    this.#piscina.on('workerDestroy', () => setImmediate(() => this.#watch.ended()));
    this.#piscina.on('message', ({ threadId, lacking }: ThreadReady) => {
      this.#readyIds.add(threadId);
      this.#watch.ready();
      if (lacking !== undefined) this.#tellLacking(lacking);
    });
  }

  /** Threads that are there, or are being started. */
  get threads(): number {
    return this.#piscina.threads.length;
  }

  get queued(): number {
    return this.#piscina.queueSize;
  }

  /** Threads that keep a file mapped let go of it: it was closed, maybe to be deleted. */
  letGoOf(keptAs: string): void {
    // At the end the threads go, and what they keep with them.
    if (this.#isClosing) return;
    // oxlint-disable-next-line require-post-message-target-origin -- Threads have no origin.
    this.#closedFiles.postMessage(keptAs);
  }

  /** @param id undefined for work that is nobody's */
  of(id?: string): Workers {
    const client = id === undefined ? undefined : { id, share: this.#clientShare };
    const interactive: Mark = { lane: 'interactive', client };
    // Part of a write may be in the file already, others wait for the file, and one write has one task at a time.
    const writing: Mark = { ...interactive, isUrgent: true };
    const write = (task: object, name: string, share: Portion): Promise<unknown> => {
      const give = (): Promise<unknown> => this.#give(task, name, writing);
      return share === 'a part' ? this.#parts.run(give, undefined, client) : give();
    };
    const ask = async <T>(name: string, task: object): Promise<T> => {
      this.#checkRoom(interactive);
      return valueOf((await this.#give(task, name, interactive)) as Outcome<T>);
    };
    return {
      client,
      of: other => this.of(other),
      gather: async (source, view, itemsize, out, signal) => {
        this.#checkRoom(interactive);
        for (let done: number | undefined = 0; done !== undefined;) {
          checkWanted(signal);
          const task: GatherTask = { source, view, itemsize, out, done };
          // oxlint-disable-next-line no-await-in-loop
          done = valueOf((await this.#give(task, 'gather', interactive)) as Outcome<number | undefined>);
        }
      },
      convert: task => ask('convert', task),
      encode: task => ask('encode', task),
      json: task => ask('json', task),
      look: task => ask('look', task),
      layout: task => ask('layout', task),
      decode: task => ask('decode', task),
      picture: task => ask('picture', task),
      numbersOfTrue: async (source, view, signal) => {
        checkWanted(signal);
        const task: TrueTask = { source, view };
        return ask('trues', task);
      },
      arrange: change => ask('arrange', change),
      scatter: async (task, share) => valueOf((await write(task, 'scatter', share)) as Outcome<void>),
      hold: async ({ fd, target, itemsize }, share) =>
        valueOf((await write({ fd, target, itemsize }, 'hold', share)) as Outcome<void>),
      inLane: lane => ({
        client,
        workers: this.workers,
        buffers: this.#buffers,
        scan: async task => {
          if (!this.#kernels) {
            fail('no_kernels', 'Statistics cannot be computed here; the log of the service says why.');
          }
          const mark = { lane, client };
          this.#checkRoom(mark);
          return valueOf((await this.#give({ ...task, lane }, 'scan', mark)) as Outcome<ScanAnswer>);
        },
        drop: cancel => this.#drop(cancel),
      }),
    };
  }

  /** Long scans are bounded in number where they are let in, and each has one task per worker. @throws busy */
  #checkRoom({ lane, client }: Mark): void {
    if (lane === 'bulk' || this.#lanes.hasRoomFor(client)) return;
    fail('busy', 'Too many tasks wait for the workers. Repeat the request in a moment.');
  }

  /** @throws worker_lost when two threads ended under the task, no_workers when none can be had for it */
  async #give(task: object, name: string, mark: Mark): Promise<unknown> {
    if (this.#watch.isDown) throw noWorkersError();
    const taken = this.#lanes.give(mark.client);
    const done = retryWhenLost(
      () => this.#piscina.run(withMark(task, mark), { name }),
      error => this.#lost(error),
    );
    this.#underWay.add(done);
    try {
      const outcome: unknown = await done;
      this.counts.done[mark.lane]++;
      return outcome;
    } finally {
      taken();
      this.#underWay.delete(done);
    }
  }

  #lost(error: Error): void {
    this.counts.lost++;
    this.onLost(error);
  }

  #compiled(): WebAssembly.Module | undefined {
    try {
      return compileKernels();
    } catch (error) {
      this.#tellLacking(messageOf(error));
      return undefined;
    }
  }

  #tellLacking(because: string): void {
    if (this.noKernelsBecause !== undefined) return;
    this.noKernelsBecause = because;
    this.onNoKernels(because);
  }

  #drop(cancel: Int32Array): void {
    const bearsMark = (waiting: object): boolean => Reflect.get((waiting as Waiting).task, 'cancel') === cancel;
    for (const task of this.#lanes.takeOut(bearsMark)) (task as unknown as Waiting).done(cancelledError(), null);
  }

  /** Ends the tasks in line, which no thread will ever take. */
  #giveUp(isNew: boolean): void {
    if (isNew) this.onDown();
    for (const task of this.#lanes.takeOut(() => true)) (task as unknown as Waiting).done(noWorkersError(), null);
  }

  /** Waits for what runs, then ends the threads. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#watch.close();
    this.#closedFiles.close();
    // piscina takes the end of one task for the end of them all, and would end the threads of the others.
    while (this.#underWay.size > 0) {
      // oxlint-disable-next-line no-await-in-loop
      await Promise.allSettled(this.#underWay);
    }
    await this.#loaded();
    await this.#piscina.close();
  }

  /** Waits for threads that load their modules: ended in the middle of that, Node 20 aborts the whole process. */
  async #loaded(): Promise<void> {
    const until = performance.now() + LOADING_MS_MAX;
    while (this.#piscina.threads.some(each => !this.#readyIds.has(each.threadId)) && performance.now() < until) {
      // oxlint-disable-next-line no-await-in-loop
      await sleep(LOADING_POLL_MS);
    }
  }
}

/** What is in line, as piscina knows it: its types show neither what was given, nor how to end it. */
interface Waiting {
  readonly task: object;
  done(error: Error, result: null): void;
}

function noWorkersError(): HyperslabError {
  return new HyperslabError(
    'no_workers',
    'No thread can be started: the machine is short of memory or of processes, or the service is not whole. Its log says more. Repeat the request later.',
  );
}

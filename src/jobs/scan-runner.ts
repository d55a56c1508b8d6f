/**
 * The chunks of a pass on the pool. Several chunks make a task, so that its way to a worker and back costs little;
 * partials are combined strictly in the order of their chunks, whatever order they finish in, so the result does not
 * depend on the number of workers. Memory: the partials of two tasks per worker, most of them in buffers of
 * LIMITS.partialBufferBytesMax, and the saved ranges that they are sent in the place of what was written since:
 * LIMITS.patchesPerTaskMax of them, or those of one chunk.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkWanted } from '../cancelled.js';
import type { Extent } from '../layout/runs.js';
import { extentOf, isContiguous } from '../layout/view.js';
import {
  chunkAt,
  hullOf,
  partialBytesOf,
  type ChunkTask,
  type Computation,
  type SinkPartial,
  type SharedPass,
  type Scan,
} from '../statistics/index.js';
import type { Claim } from './claim.js';
import type { GrowingMemory } from './growing-memory.js';
import type { KeptPartials } from './partial-cache.js';
import { LIMITS } from '../limits.js';
import { runTurns } from '../turns.js';
import { traffic } from '../traffic.js';
import type { Scanning } from './pool.js';
import type { ScanTask } from './tasks.js';

/** How long a task should take: long against its way to the worker, short for whoever waits behind it. */
const TASK_MS = 8;
/** What makes a task worth its way to a worker. */
const SHORT_MS = 0.15;
/** What the first tasks are taken to need, before any was measured. */
const FIRST_MS_PER_BYTE = 1 / (8 * 2 ** 20);
/** One under way, one that waits for its turn. */
const STEPS_PER_WORKER = 2;
const CHUNKS_PER_TASK_MAX = 32;
/** Looking up and merging go on so long before the event loop gets a turn. */
const TURN_MS = 4;

export interface Progress {
  readonly chunks: number;
  readonly bytes: number;
}

export interface ScanRunnerOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly memory?: Pick<GrowingMemory, 'reach'> | undefined;
  readonly chunksPerTaskMax?: number | undefined;
}

/** Numbers scans. */
let scans = 0;

/** A task, but for what may change while it is repeated. */
type Work = Omit<ScanTask, 'sources' | 'scanId' | 'cancel'>;

/** Consecutive chunks on their way to being merged. */
interface Step {
  readonly chunks: readonly ChunkTask[];
  /** Per chunk, the partial of each sink. */
  readonly answers: Promise<Answers>;
  /** They come from an earlier run. */
  readonly isKept: boolean;
  /** Where the partials are. */
  readonly buffers: readonly SharedArrayBuffer[];
}

type Answers = readonly (readonly (SinkPartial | undefined)[])[];

export class ScanRunner {
  readonly #claims: readonly Claim[];
  readonly #pool: Scanning;
  readonly #signal: AbortSignal;
  readonly #onProgress: (progress: Progress) => void;
  readonly #memory: ScanRunnerOptions['memory'];
  readonly #chunksPerTaskMax: number;
  /** Tells workers between two chunks: 1 to stop. */
  readonly #cancel = new Int32Array(new SharedArrayBuffer(4));
  #scanId = 0;
  #msPerByte = FIRST_MS_PER_BYTE;
  /** When the event loop last had a turn, as far as is known. */
  #turnedMs = performance.now();
  /** Useful bytes that were read, those of repeated chunks included. */
  scannedBytes = 0;
  /** Chunks that were merged, and how many of them had not to be read. */
  chunks = 0;
  keptChunks = 0;

  constructor(claims: readonly Claim[], pool: Scanning, options: ScanRunnerOptions) {
    const { signal, onProgress = () => {}, memory, chunksPerTaskMax = CHUNKS_PER_TASK_MAX } = options;
    this.#chunksPerTaskMax = chunksPerTaskMax;
    this.#claims = claims;
    this.#pool = pool;
    this.#signal = signal;
    this.#onProgress = onProgress;
    this.#memory = memory;
  }

  /**
   * Walks a pass and combines what its sinks found. `kept` are partials of earlier runs, for a pass of one sink.
   * @throws cancelled, too_large, busy, GenerationLost
   */
  async scan(computation: Computation, pass: SharedPass, kept?: KeptPartials): Promise<void> {
    const { chunkCount } = pass.scan;
    if (chunkCount === 0) await nextTurn();
    this.#scanId = ++scans;
    const cancel = (): void => {
      Atomics.store(this.#cancel, 0, 1);
      this.#pool.drop?.(this.#cancel);
    };
    this.#signal.addEventListener('abort', cancel, { once: true });
    const steps: Step[] = [];
    let next = 0;
    try {
      for (;;) {
        this.#checkGoingOn();
        while (next < chunkCount && steps.length < STEPS_PER_WORKER * this.#pool.workers) {
          const step = this.#step(pass, next, kept);
          next += step.chunks.length;
          steps.push(step);
          // Kept partials are there at once: a scan over a hundred thousand of them would be one turn.
          // oxlint-disable-next-line no-await-in-loop
          await this.#letOthersGo();
        }
        const step = steps.shift();
        if (!step) return;
        // oxlint-disable-next-line no-await-in-loop
        const answers = await step.answers;
        this.#checkGoingOn();
        // oxlint-disable-next-line no-await-in-loop
        await this.#combine(computation, pass, step.chunks, answers);
        if (kept && !step.isKept) for (const [i, chunk] of step.chunks.entries()) kept.put(chunk, answers[i]![0]!);
        this.#leave(step);
      }
    } catch (error) {
      cancel();
      throw error;
    } finally {
      await Promise.allSettled(steps.map(({ answers }) => answers));
      for (const step of steps) this.#leave(step);
      this.#signal.removeEventListener('abort', cancel);
    }
  }

  #checkGoingOn(): void {
    checkWanted(this.#signal);
    if (this.#isInVain()) throw new GenerationLost();
  }

  #isInVain(): boolean {
    return this.#signal.aborted || this.#claims.some(claim => claim.isCut);
  }

  /** Chunks from `first` on: those whose partials are kept, or a task of those that have to be read. */
  #step({ scan, specs }: SharedPass, first: number, kept: KeptPartials | undefined): Step {
    const chunks: ChunkTask[] = [];
    const answers: (readonly (SinkPartial | undefined)[])[] = [];
    const sizeMax = this.#chunksPerTask(scan, first);
    let bufferBytes = 0;
    for (let number = first; number < scan.chunkCount && chunks.length < sizeMax; number++) {
      const chunk = chunkAt(scan, number);
      const known = kept?.get(chunk);
      if (number > first && (known !== undefined) !== answers.length > 0) break;
      const ownBytes = known ? 0 : partialBytesOf(specs, chunk, number === first);
      if (number > first && bufferBytes + ownBytes > LIMITS.partialBufferBytesMax) break;
      bufferBytes += ownBytes;
      chunks.push(chunk);
      if (known) answers.push([known]);
    }
    if (answers.length > 0) {
      this.keptChunks += chunks.length;
      return { chunks, answers: Promise.resolve(answers), isKept: true, buffers: [] };
    }
    const buffer = bufferBytes > 0 ? this.#pool.buffers.take(bufferBytes) : undefined;
    const buffers = buffer ? [buffer] : [];
    const reading = this.#read({ scan, specs, first, count: chunks.length, buffer }, chunks, buffers);
    // Awaited in order; one that fails meanwhile must not be taken for unhandled.
    reading.catch(() => undefined);
    return { chunks, answers: reading, isKept: false, buffers };
  }

  #leave({ buffers }: Step): void {
    for (const buffer of buffers) this.#pool.buffers.giveBack(buffer);
  }

  /** As many as TASK_MS seem to allow, and few enough in the end for all workers to finish together. */
  #chunksPerTask({ bytes, chunkCount }: Scan, first: number): number {
    const { workers } = this.#pool;
    const chunkMs = (bytes / chunkCount) * this.#msPerByte;
    const share = Math.ceil((chunkCount - first) / (STEPS_PER_WORKER * workers));
    const worthy = Math.ceil(chunkCount / tasksFor(chunkCount * chunkMs, workers));
    return Math.max(1, Math.min(Math.max(share, worthy), Math.floor(TASK_MS / chunkMs), this.#chunksPerTaskMax));
  }

  /** BufferPool that it takes beside that of its work go to `buffers`. */
  async #read(work: Work, chunks: readonly ChunkTask[], buffers: SharedArrayBuffer[]): Promise<Answers> {
    const extents = extentsOf(chunks, this.#claims.length);
    const saved = (): number =>
      this.#claims.reduce((sum, claim, i) => sum + (extents[i] ? claim.savedIn(extents[i]) : 0), 0);
    for (;;) {
      const savedBefore = saved();
      if (savedBefore > LIMITS.patchesPerTaskMax && chunks.length > 1) {
        const half = Math.ceil(chunks.length / 2);
        const first = await this.#read({ ...work, count: half }, chunks.slice(0, half), buffers); // oxlint-disable-line no-await-in-loop
        return this.#readOn(work, chunks, buffers, first);
      }
      const sources = extents.map((extent, i) => extent && this.#claims[i]!.describe(extent));
      // oxlint-disable-next-line no-await-in-loop
      const { partials, ms } = await this.#pool.scan({ ...work, sources, cancel: this.#cancel, scanId: this.#scanId });
      const read = chunks.slice(0, partials.length);
      const bytes = read.reduce((sum, chunk) => sum + chunk.bytes, 0);
      this.scannedBytes += bytes;
      traffic.scannedBytes += bytes;
      if (saved() !== savedBefore && !this.#isInVain()) continue;
      if (bytes > 0) this.#msPerByte = (this.#msPerByte + ms / bytes) / 2;
      this.#giveBack(read);
      return this.#readOn(work, chunks, buffers, partials);
    }
  }

  /** The chunks that a task has left: it was sent some of them alone, or had taken long. */
  async #readOn(
    work: Work,
    chunks: readonly ChunkTask[],
    buffers: SharedArrayBuffer[],
    first: Answers,
  ): Promise<Answers> {
    const others = chunks.slice(first.length);
    // One that is cancelled has no answers to its last chunks.
    if (others.length === 0 || this.#isInVain() || Atomics.load(this.#cancel, 0) !== 0) return first;
    // What the first has answered stays in its buffer until it is merged.
    const bufferBytes = others.reduce((sum, chunk, i) => sum + partialBytesOf(work.specs, chunk, i === 0), 0);
    const buffer = work.buffer && this.#pool.buffers.take(bufferBytes);
    if (buffer) buffers.push(buffer);
    const rest = { ...work, first: work.first + first.length, count: others.length, buffer };
    return [...first, ...(await this.#read(rest, others, buffers))];
  }

  async #combine(
    computation: Computation,
    pass: SharedPass,
    chunks: readonly ChunkTask[],
    answers: Answers,
  ): Promise<void> {
    for (let i = 0; i < chunks.length; i++) {
      // oxlint-disable-next-line no-await-in-loop
      await runTurns(computation.combine(pass, answers[i]!));
      this.chunks++;
      const counted = this.#memory?.reach(computation.heldBytes);
      // oxlint-disable-next-line no-await-in-loop
      if (counted) await counted;
      // oxlint-disable-next-line no-await-in-loop
      await this.#letOthersGo();
    }
    this.#onProgress({ chunks: this.chunks, bytes: this.scannedBytes });
  }

  async #letOthersGo(): Promise<void> {
    if (performance.now() - this.#turnedMs < TURN_MS) return;
    await nextTurn();
    this.#turnedMs = performance.now();
  }

  /** The pages of chunks that nothing else is among, where a container needs them for something else. */
  #giveBack(chunks: readonly ChunkTask[]): void {
    for (const { source, view, dtype } of chunks) {
      if (!isContiguous(view, dtype.itemsize)) continue;
      const { start, end } = extentOf(view, dtype.itemsize);
      this.#claims[source]!.file.giveBack(start, end);
    }
  }
}

/** How many tasks a scan that takes so long is worth, at most. */
function tasksFor(ms: number, workers: number): number {
  if (ms < SHORT_MS) return 1;
  return ms < STEPS_PER_WORKER * workers * SHORT_MS ? workers : Number.POSITIVE_INFINITY;
}

/** The claimed generation was overwritten further than is kept: the computation has to begin anew. */
export class GenerationLost extends Error {}

/** What chunks read of each dataset, gaps included; undefined for those they do not read. */
function extentsOf(chunks: readonly ChunkTask[], sources: number): (Extent | undefined)[] {
  const extents = Array.from<Extent | undefined>({ length: sources });
  for (const chunk of chunks) {
    for (const { source, view, dtype } of [chunk, ...(chunk.columns ?? [])]) {
      const extent = extentOf(view, dtype.itemsize);
      extents[source] = hullOf(extents[source] ?? extent, extent);
    }
  }
  return extents;
}

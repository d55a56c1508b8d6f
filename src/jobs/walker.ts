/**
 * The chunks of a round on the pool. Several chunks make a task, so that its way to a worker and back costs little;
 * partials are merged strictly in the order of their chunks, whatever order they finish in, so the result does not
 * depend on the number of workers. Memory: the partials of two tasks per worker, most of them in rooms of
 * LIMITS.roomBytesMax, and the saved ranges that they are sent in the place of what was written since:
 * LIMITS.patchesPerTaskMax of them, or those of one chunk.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkWanted } from '../cancelled.js';
import type { Extent } from '../layout/runs.js';
import { extentOf, isContiguous } from '../layout/view.js';
import {
  chunkAt,
  hullOf,
  roomBytesOf,
  type ChunkTask,
  type Computation,
  type SinkPartial,
  type SharedRound,
  type Walk,
} from '../statistics/index.js';
import type { Claim } from './claim.js';
import type { GrowingMemory } from './growing-memory.js';
import type { KeptPartials } from './partial-cache.js';
import { LIMITS } from '../limits.js';
import { runTurns } from '../turns.js';
import { traffic } from '../traffic.js';
import type { Walking } from './pool.js';
import type { WalkTask } from './tasks.js';

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

export interface WalkerOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly memory?: Pick<GrowingMemory, 'reach'> | undefined;
  readonly chunksPerTaskMax?: number | undefined;
}

/** Numbers walks. */
let walks = 0;

/** A task, but for what may change while it is repeated. */
type Work = Omit<WalkTask, 'sources' | 'walkId' | 'cancel'>;

/** Consecutive chunks on their way to being merged. */
interface Step {
  readonly chunks: readonly ChunkTask[];
  /** Per chunk, the partial of each measure. */
  readonly answers: Promise<Answers>;
  /** They come from an earlier run. */
  readonly isKept: boolean;
  /** Where the partials are. */
  readonly rooms: readonly SharedArrayBuffer[];
}

type Answers = readonly (readonly (SinkPartial | undefined)[])[];

export class Walker {
  readonly #claims: readonly Claim[];
  readonly #pool: Walking;
  readonly #signal: AbortSignal;
  readonly #onProgress: (progress: Progress) => void;
  readonly #memory: WalkerOptions['memory'];
  readonly #chunksPerTaskMax: number;
  /** Tells workers between two chunks: 1 to stop. */
  readonly #cancel = new Int32Array(new SharedArrayBuffer(4));
  #walkId = 0;
  #msPerByte = FIRST_MS_PER_BYTE;
  /** When the event loop last had a turn, as far as is known. */
  #turnedMs = performance.now();
  /** Useful bytes that were read, those of repeated chunks included. */
  scannedBytes = 0;
  /** Chunks that were merged, and how many of them had not to be read. */
  chunks = 0;
  keptChunks = 0;

  constructor(claims: readonly Claim[], pool: Walking, options: WalkerOptions) {
    const { signal, onProgress = () => {}, memory, chunksPerTaskMax = CHUNKS_PER_TASK_MAX } = options;
    this.#chunksPerTaskMax = chunksPerTaskMax;
    this.#claims = claims;
    this.#pool = pool;
    this.#signal = signal;
    this.#onProgress = onProgress;
    this.#memory = memory;
  }

  /**
   * Walks a round and merges what it measured. `kept` are partials of earlier runs, for a round of one measure.
   * @throws cancelled, too_large, busy, GenerationLost
   */
  async walk(computation: Computation, round: SharedRound, kept?: KeptPartials): Promise<void> {
    const { chunkCount } = round.walk;
    if (chunkCount === 0) await nextTurn();
    this.#walkId = ++walks;
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
          const step = this.#step(round, next, kept);
          next += step.chunks.length;
          steps.push(step);
          // Kept partials are there at once: a walk over a hundred thousand of them would be one turn.
          // oxlint-disable-next-line no-await-in-loop
          await this.#letOthersGo();
        }
        const step = steps.shift();
        if (!step) return;
        // oxlint-disable-next-line no-await-in-loop
        const answers = await step.answers;
        this.#checkGoingOn();
        // oxlint-disable-next-line no-await-in-loop
        await this.#merge(computation, round, step.chunks, answers);
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
  #step({ walk, measures }: SharedRound, first: number, kept: KeptPartials | undefined): Step {
    const chunks: ChunkTask[] = [];
    const answers: (readonly (SinkPartial | undefined)[])[] = [];
    const sizeMax = this.#chunksPerTask(walk, first);
    let roomBytes = 0;
    for (let number = first; number < walk.chunkCount && chunks.length < sizeMax; number++) {
      const chunk = chunkAt(walk, number);
      const known = kept?.get(chunk);
      if (number > first && (known !== undefined) !== answers.length > 0) break;
      const ownBytes = known ? 0 : roomBytesOf(measures, chunk, number === first);
      if (number > first && roomBytes + ownBytes > LIMITS.roomBytesMax) break;
      roomBytes += ownBytes;
      chunks.push(chunk);
      if (known) answers.push([known]);
    }
    if (answers.length > 0) {
      this.keptChunks += chunks.length;
      return { chunks, answers: Promise.resolve(answers), isKept: true, rooms: [] };
    }
    const room = roomBytes > 0 ? this.#pool.rooms.take(roomBytes) : undefined;
    const rooms = room ? [room] : [];
    const reading = this.#read({ walk, measures, first, count: chunks.length, room }, chunks, rooms);
    // Awaited in order; one that fails meanwhile must not be taken for unhandled.
    reading.catch(() => undefined);
    return { chunks, answers: reading, isKept: false, rooms };
  }

  #leave({ rooms }: Step): void {
    for (const room of rooms) this.#pool.rooms.giveBack(room);
  }

  /** As many as TASK_MS seem to allow, and few enough in the end for all workers to finish together. */
  #chunksPerTask({ bytes, chunkCount }: Walk, first: number): number {
    const { workers } = this.#pool;
    const chunkMs = (bytes / chunkCount) * this.#msPerByte;
    const share = Math.ceil((chunkCount - first) / (STEPS_PER_WORKER * workers));
    const worthy = Math.ceil(chunkCount / tasksFor(chunkCount * chunkMs, workers));
    return Math.max(1, Math.min(Math.max(share, worthy), Math.floor(TASK_MS / chunkMs), this.#chunksPerTaskMax));
  }

  /** Rooms that it takes beside that of its work go to `rooms`. */
  async #read(work: Work, chunks: readonly ChunkTask[], rooms: SharedArrayBuffer[]): Promise<Answers> {
    const extents = extentsOf(chunks, this.#claims.length);
    const saved = (): number =>
      this.#claims.reduce((sum, claim, i) => sum + (extents[i] ? claim.savedIn(extents[i]) : 0), 0);
    for (;;) {
      const savedBefore = saved();
      if (savedBefore > LIMITS.patchesPerTaskMax && chunks.length > 1) {
        const half = Math.ceil(chunks.length / 2);
        const first = await this.#read({ ...work, count: half }, chunks.slice(0, half), rooms); // oxlint-disable-line no-await-in-loop
        return this.#readOn(work, chunks, rooms, first);
      }
      const sources = extents.map((extent, i) => extent && this.#claims[i]!.describe(extent));
      // oxlint-disable-next-line no-await-in-loop
      const { partials, ms } = await this.#pool.walk({ ...work, sources, cancel: this.#cancel, walkId: this.#walkId });
      const read = chunks.slice(0, partials.length);
      const bytes = read.reduce((sum, chunk) => sum + chunk.bytes, 0);
      this.scannedBytes += bytes;
      traffic.scannedBytes += bytes;
      if (saved() !== savedBefore && !this.#isInVain()) continue;
      if (bytes > 0) this.#msPerByte = (this.#msPerByte + ms / bytes) / 2;
      this.#giveBack(read);
      return this.#readOn(work, chunks, rooms, partials);
    }
  }

  /** The chunks that a task has left: it was sent some of them alone, or had taken long. */
  async #readOn(
    work: Work,
    chunks: readonly ChunkTask[],
    rooms: SharedArrayBuffer[],
    first: Answers,
  ): Promise<Answers> {
    const others = chunks.slice(first.length);
    // One that is cancelled has no answers to its last chunks.
    if (others.length === 0 || this.#isInVain() || Atomics.load(this.#cancel, 0) !== 0) return first;
    // What the first has answered stays in its room until it is merged.
    const roomBytes = others.reduce((sum, chunk, i) => sum + roomBytesOf(work.measures, chunk, i === 0), 0);
    const room = work.room && this.#pool.rooms.take(roomBytes);
    if (room) rooms.push(room);
    const rest = { ...work, first: work.first + first.length, count: others.length, room };
    return [...first, ...(await this.#read(rest, others, rooms))];
  }

  async #merge(
    computation: Computation,
    round: SharedRound,
    chunks: readonly ChunkTask[],
    answers: Answers,
  ): Promise<void> {
    for (let i = 0; i < chunks.length; i++) {
      // oxlint-disable-next-line no-await-in-loop
      await runTurns(computation.merge(round, answers[i]!));
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

/** How many tasks a walk that takes so long is worth, at most. */
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

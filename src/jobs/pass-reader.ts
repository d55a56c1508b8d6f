/**
 * The chunks of one pass as the workers read them, handed over in their order, whoever read them and when. Each worker is
 * told of the pass once and goes on by itself (scan-task.ts); it is told again when it had to make way for others. Chunks
 * that a write touched while they were read are read again, with the old bytes in place of the new.
 * Memory: the partials of two turns for each worker, most of them in buffers of LIMITS.partialBufferBytesMax, and the saved
 * ranges that they are sent: LIMITS.patchesPerTaskMax of them, or those of one chunk.
 */
import { LIMITS } from '../limits.js';
import { chunkAt, combinesPartials, partialBytesOf, type SharedPass, type SinkPartial } from '../statistics/index.js';
import { traffic } from '../traffic.js';
import type { ClaimedSources } from './claimed-sources.js';
import type { KeptPartials } from './partial-cache.js';
import type { Scanning } from './pool.js';
import type { ScanAnswer, ScanTask } from './scan-task.js';
import { Unread, type Stretch } from './unread.js';
import { unpackPartial } from './packed-partials.js';

/**
 * Chunks of a turn at most: their numbers are what a worker answers with. Counters that it adds up have 32 bits, so that the
 * chunks of a turn have fewer than 2 ** 32 elements: 1,000 of 4 MiB are 4.19e9 elements of one byte.
 */
const CHUNKS_PER_TURN_MAX = 1000;

type Partials = readonly (SinkPartial | undefined)[];

/** A chunk that is there to be combined. */
interface Found {
  readonly partials: () => Partials;
  /** What it came with; undefined for kept partials. */
  readonly batch?: Batch;
}

/** A turn of a worker, until all that it has found is combined. */
interface Batch {
  buffer: SharedArrayBuffer | undefined;
  chunksLeft: number;
}

/** What is counted over all passes. */
export interface Tally {
  /** Useful bytes that were read, those of repeated chunks included. */
  scannedBytes: number;
  /** Chunks that were combined, and how many of them had not to be read. */
  chunks: number;
  keptChunks: number;
}

export interface PassReaderOptions {
  readonly pool: Scanning;
  readonly scanId: number;
  /** Tells workers between two chunks: 1 to stop. */
  readonly cancel: Int32Array;
  /** Partials of earlier runs, for a pass of one sink. */
  readonly kept: KeptPartials | undefined;
  readonly tally: Tally;
}

export class PassReader {
  readonly #pass: SharedPass;
  readonly #sources: ClaimedSources;
  readonly #options: PassReaderOptions;
  readonly #unread: Unread;
  readonly #found = new Map<number, Found>();
  /** The chunk that is handed over next. */
  #next = 0;
  readonly #underWay = new Set<Promise<void>>();
  /** Those under way, and those with chunks that are not combined. */
  readonly #batches = new Set<Batch>();
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(pass: SharedPass, sources: ClaimedSources, options: PassReaderOptions) {
    this.#pass = pass;
    this.#sources = sources;
    this.#options = options;
    const { kept } = options;
    this.#unread = new Unread(pass.scan.chunkCount, kept && (chunk => this.#isKept(kept, chunk)));
  }

  /** Whether the next chunk is there. */
  get isReady(): boolean {
    return this.#found.has(this.#next);
  }

  /** Until the next chunk is there, or a worker has had its turn. @throws what a worker threw */
  async wait(): Promise<void> {
    this.#giveTurns();
    if (this.isReady) return;
    if (!this.#failure) await new Promise<void>(resolve => (this.#wake = resolve));
    if (this.#failure) throw this.#failure.error;
  }

  /** The partials of the next chunk, which is ready. */
  get partials(): Partials {
    return this.#found.get(this.#next)!.partials();
  }

  /** The next chunk has been combined: what it took is free. */
  advance(): void {
    const { kept, tally } = this.#options;
    const { batch, partials } = this.#found.get(this.#next)!;
    if (kept && batch) kept.put(chunkAt(this.#pass.scan, this.#next), partials()[0]!);
    this.#found.delete(this.#next++);
    tally.chunks++;
    if (!batch || --batch.chunksLeft > 0) return;
    this.#leave(batch);
    this.#giveTurns();
  }

  /** Waits for the workers to stop. */
  async close(): Promise<void> {
    this.#failure ??= { error: undefined };
    await Promise.allSettled(this.#underWay);
    for (const batch of this.#batches) this.#leave(batch);
  }

  #leave(batch: Batch): void {
    this.#batches.delete(batch);
    if (batch.buffer) this.#options.pool.buffers.giveBack(batch.buffer);
  }

  #isKept(kept: KeptPartials, chunk: number): boolean {
    if (chunk < this.#next || this.#found.has(chunk)) return true;
    const partial = kept.get(chunkAt(this.#pass.scan, chunk));
    if (!partial) return false;
    this.#found.set(chunk, { partials: () => [partial] });
    this.#options.tally.keptChunks++;
    return true;
  }

  #giveTurns(): void {
    const { pool, cancel } = this.#options;
    while (this.#underWay.size < pool.workers && !this.#failure && Atomics.load(cancel, 0) === 0) {
      // Where nothing is under way, what is to be combined first has still to be read.
      if (this.#batches.size >= 2 * pool.workers && this.#underWay.size > 0) return;
      const stretch = this.#unread.open(this.#next);
      if (!stretch) return;
      const turn = this.#turn(stretch).finally(() => {
        this.#underWay.delete(turn);
        this.#giveTurns();
        this.#wake();
      });
      this.#underWay.add(turn);
    }
  }

  /** A turn of a worker in a stretch. */
  async #turn(stretch: Stretch): Promise<void> {
    const batch: Batch = { buffer: undefined, chunksLeft: 0 };
    this.#batches.add(batch);
    stretch.turns++;
    try {
      const { pool, scanId, cancel } = this.#options;
      const { scan, specs } = this.#pass;
      const { first, claimed, next } = stretch;
      const described = this.#sources.describe(scan, next, stretch.end);
      const buffered = this.#bufferFor(next, described.end);
      batch.buffer = buffered.buffer;
      const task = { specs, scan, scanId, cancel, first, claimed, ...described, ...buffered };
      this.#take(batch, stretch, task, await this.#sources.during(() => pool.scan(task)));
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      if (batch.chunksLeft === 0) this.#leave(batch);
      this.#unread.leave(stretch);
    }
  }

  /** Memory for the partials of as many chunks as a turn may claim. */
  #bufferFor(next: number, end: number): Pick<ScanTask, 'buffer' | 'chunksMax'> {
    const { scan, specs } = this.#pass;
    const firstBytes = partialBytesOf(specs, chunkAt(scan, next), true);
    // The first chunk of a scan may be a small one.
    const eachBytes = partialBytesOf(specs, chunkAt(scan, Math.min(next + 1, end - 1)), false);
    const fit = 1 + Math.floor((LIMITS.partialBufferBytesMax - firstBytes) / Math.max(1, eachBytes));
    const chunksMax = Math.max(1, Math.min(end - next, CHUNKS_PER_TURN_MAX, eachBytes > 0 ? fit : Infinity));
    const bytes = Math.max(firstBytes, eachBytes) + eachBytes * (chunksMax - 1);
    return { chunksMax, buffer: bytes > 0 ? this.#options.pool.buffers.take(bytes) : undefined };
  }

  #take(batch: Batch, stretch: Stretch, task: ScanTask, { chunks, clean, bytes, found }: ScanAnswer): void {
    this.#options.tally.scannedBytes += bytes;
    traffic.scannedBytes += bytes;
    stretch.answered.push(...chunks);
    const { scan, specs, savesKnown } = task;
    let touched = chunks.slice(clean).filter(chunk => this.#sources.areTouched(chunkAt(scan, chunk), savesKnown));
    if (touched.length > 0 && combinesPartials(specs)) touched = [...chunks];
    this.#unread.add(touched);
    const again = new Set(touched);
    for (const [i, chunk] of chunks.entries()) {
      if (again.has(chunk)) continue;
      this.#found.set(chunk, { partials: () => found.map(packed => unpackPartial(packed, i)), batch });
      batch.chunksLeft++;
    }
    this.#sources.giveBack(scan, chunks);
  }
}

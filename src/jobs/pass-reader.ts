/**
 * The chunks of one pass as the workers read them, handed over in their order, whoever read them and when. Each worker is
 * told of the pass once and goes on by itself (scan-task.ts); it is told again when it had to make way for others. Chunks
 * that a write touched while they were read, or whose thread ended, are read again, with the old bytes in place of the new.
 * Memory: the partials of two turns for each worker, most of them in buffers of LIMITS.partialBufferBytesMax, and the saved
 * ranges that they are sent: LIMITS.patchesPerTaskMax of them, or those of one chunk.
 */
import { LIMITS } from '../limits.js';
import {
  chunkAt,
  combinesPartials,
  partialBytesOf,
  unpackPartial,
  type SharedPass,
  type SinkPartial,
} from '../statistics/index.js';
import { traffic } from '../traffic.js';
import type { KeptPartials } from './partial-cache.js';
import type { Scanning } from './pool.js';
import type { ScanAnswer, ScanTask } from './scan-task.js';
import type { ClaimedSources } from './claimed-sources.js';
import { Stretch, stretchesOf } from './stretch.js';

/** Kept partials are looked up for so many chunks at a time. */
const KEPT_CHUNKS = 256;
/** A counter of 32 bits has room for more. */
const STRETCH_CHUNKS_MAX = 2 ** 30;

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
  readonly chunksPerTurnMax: number;
  readonly tally: Tally;
}

export class PassReader {
  readonly #pass: SharedPass;
  readonly #sources: ClaimedSources;
  readonly #options: PassReaderOptions;
  /** Chunks from this one on stand in no stretch yet. */
  #unplanned = 0;
  /** Those with chunks to be read, or that are read, the first to be read first. */
  #stretches: Stretch[] = [];
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

  #giveTurns(): void {
    const { pool, cancel } = this.#options;
    while (this.#underWay.size < pool.workers && !this.#failure && Atomics.load(cancel, 0) === 0) {
      // Where nothing is under way, what is to be combined first has still to be read.
      if (this.#batches.size >= 2 * pool.workers && this.#underWay.size > 0) return;
      const stretch = this.#stretches.find(({ left, turns }) => left > turns) ?? this.#plan();
      if (!stretch) return;
      const turn = this.#turn(stretch).finally(() => {
        this.#underWay.delete(turn);
        this.#giveTurns();
        this.#wake();
      });
      this.#underWay.add(turn);
    }
  }

  /** The next chunks that have to be read; partials of those before them are kept. */
  #plan(): Stretch | undefined {
    const { scan } = this.#pass;
    const { kept, tally } = this.#options;
    if (kept && this.#unplanned - this.#next > KEPT_CHUNKS / 2) return undefined;
    const end = Math.min(scan.chunkCount, this.#unplanned + (kept ? KEPT_CHUNKS : STRETCH_CHUNKS_MAX));
    const known = (): SinkPartial | undefined => kept?.get(chunkAt(scan, this.#unplanned));
    for (let partial; this.#unplanned < end && (partial = known()); tally.keptChunks++) {
      const partials = [partial];
      this.#found.set(this.#unplanned++, { partials: () => partials });
    }
    const first = this.#unplanned;
    if (!kept) this.#unplanned = end;
    while (this.#unplanned < end && !known()) this.#unplanned++;
    if (first === this.#unplanned) return undefined;
    const stretch = new Stretch(first, this.#unplanned);
    this.#stretches.push(stretch);
    return stretch;
  }

  /** A turn of a worker in a stretch. */
  async #turn(stretch: Stretch): Promise<void> {
    const batch: Batch = { buffer: undefined, chunksLeft: 0 };
    this.#batches.add(batch);
    stretch.turns++;
    try {
      const { pool, scanId, cancel } = this.#options;
      const { scan, specs } = this.#pass;
      const { end, ...described } = this.#sources.describe(scan, stretch.next, stretch.end);
      const { buffer, chunksMax } = this.#bufferFor(stretch.next, end);
      batch.buffer = buffer;
      const { first, claimed } = stretch;
      const task = { specs, scan, scanId, cancel, first, end, claimed, chunksMax, buffer, ...described };
      this.#take(batch, stretch, task, await pool.scan(task));
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      if (batch.chunksLeft === 0) this.#leave(batch);
      stretch.turns--;
      if (stretch.turns === 0 && stretch.left === 0) this.#end(stretch);
    }
  }

  /** Memory for the partials of as many chunks as a turn may claim. */
  #bufferFor(next: number, end: number): Pick<ScanTask, 'buffer' | 'chunksMax'> {
    const { scan, specs } = this.#pass;
    const bytesOf = (number: number, isFirst: boolean): number => partialBytesOf(specs, chunkAt(scan, number), isFirst);
    const firstBytes = bytesOf(next, true);
    // The first chunk of a scan may be a small one.
    const eachBytes = bytesOf(Math.min(next + 1, end - 1), false);
    const fit =
      eachBytes === 0 ? Number.POSITIVE_INFINITY : 1 + (LIMITS.partialBufferBytesMax - firstBytes) / eachBytes;
    const chunksMax = Math.max(1, Math.min(end - next, this.#options.chunksPerTurnMax, Math.floor(fit)));
    const bytes = Math.max(firstBytes, eachBytes) + eachBytes * (chunksMax - 1);
    return { chunksMax, buffer: bytes > 0 ? this.#options.pool.buffers.take(bytes) : undefined };
  }

  #take(batch: Batch, stretch: Stretch, task: ScanTask, { chunks, clean, bytes, found }: ScanAnswer): void {
    this.#options.tally.scannedBytes += bytes;
    traffic.scannedBytes += bytes;
    stretch.answer(chunks);
    let touched = chunks
      .slice(clean)
      .filter(number => this.#sources.areTouched(chunkAt(task.scan, number), task.savesKnown));
    if (touched.length > 0 && combinesPartials(task.specs)) touched = [...chunks];
    this.#stretches.unshift(...stretchesOf(touched));
    const again = new Set(touched);
    for (const [i, number] of chunks.entries()) {
      if (again.has(number)) continue;
      this.#found.set(number, { partials: () => found.map(packed => unpackPartial(packed, i)), batch });
      batch.chunksLeft++;
    }
    this.#sources.giveBack(task.scan, chunks);
  }

  /** All of a stretch was claimed, and nobody reads in it any more. */
  #end(stretch: Stretch): void {
    this.#stretches = this.#stretches.filter(each => each !== stretch);
    this.#stretches.unshift(...stretchesOf(stretch.lost()));
  }
}

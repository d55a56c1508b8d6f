/**
 * The chunks of a plan on the pool. Partials are merged strictly in the order of their chunks, whatever order they
 * finish in, so the result does not depend on the number of workers. Memory: two partials per worker; all of them
 * where they are few enough to be kept, so that single chunks can be computed again after a write.
 */
import { fail } from '../errors.js';
import type { OpenFile } from '../file/open-file.js';
import { extentOf, isContiguous } from '../layout/view.js';
import {
  chunkAt,
  mergePartial,
  newAccumulator,
  type Accumulator,
  type Partial,
  type Plan,
} from '../statistics/index.js';
import { runTurns } from '../turns.js';
import { Freshness } from './freshness.js';
import type { Reducer } from './pool.js';

/** Cells merged between two turns of the event loop: a few milliseconds. */
const MERGED_CELLS_PER_TURN = 32 * 1024;
/** What an array of a partial takes beside its cells. */
const FIELD_BYTES = 200;

/** Bytes of the partials that all statistics keep now. */
let keptBytes = 0;

export class Scan {
  readonly #plan: Plan;
  readonly #file: OpenFile;
  readonly #pool: Reducer;
  readonly #signal: AbortSignal;
  /** Bytes that are counted for kept partials; undefined: none are kept, and a write makes everything stale. */
  readonly #keeps: number | undefined;
  readonly #partials: Partial[] = [];
  /** A region is a chunk where partials are kept, else everything that was read. */
  readonly #fresh: Freshness;
  #accumulator: Accumulator;
  /** Chunks that are in the accumulator; undefined when it holds one that was replaced later. */
  #merged: number | undefined = 0;
  #versionSeen = 0;
  scannedBytes = 0;

  constructor(plan: Plan, file: OpenFile, pool: Reducer, signal: AbortSignal, keptBytesMax: number) {
    this.#plan = plan;
    this.#file = file;
    this.#pool = pool;
    this.#signal = signal;
    const bytes = plan.chunkCount === 0 ? 0 : keptBytesOf(plan);
    if (file.writable && keptBytes + bytes <= keptBytesMax) keptBytes += this.#keeps = bytes;
    this.#fresh = new Freshness(file.state.changes, this.#keeps === undefined ? 1 : plan.chunkCount);
    this.#accumulator = newAccumulator(plan);
  }

  /** Must be called in the end. */
  close(): void {
    keptBytes -= this.#keeps ?? 0;
  }

  /** The chunks to read so that the result holds for a version; undefined where it does. */
  async stale(version: number): Promise<Iterable<number> | undefined> {
    const regions = this.#plan.chunkCount === 0 ? [] : await runTurns(this.#fresh.stale(version));
    if (regions.length === 0) return undefined;
    if (this.#keeps !== undefined) return regions;
    this.#startOver();
    return everyNumberBelow(this.#plan.chunkCount);
  }

  /** Computes chunks, in ascending order; ends early when that is in vain, or when it is told to. */
  async read(numbers: Iterable<number>, isStopped = (): boolean => false): Promise<void> {
    const asked = numbers[Symbol.iterator]();
    const inFlight: { number: number; partial: Promise<Partial> }[] = [];
    try {
      for (;;) {
        while (inFlight.length < 2 * this.#pool.workers) {
          const next = asked.next();
          if (next.done) break;
          inFlight.push({ number: next.value, partial: this.#dispatch(next.value) });
        }
        const first = inFlight.shift();
        if (!first) return;
        // oxlint-disable-next-line no-await-in-loop
        this.#take(first.number, await first.partial);
        this.#giveBack(first.number);
        if (this.#signal.aborted) fail('shutting_down', 'The request was cancelled.');
        if (isStopped()) return;
        if (this.#isInVain()) {
          this.#startOver();
          return;
        }
      }
    } finally {
      await Promise.allSettled(inFlight.map(({ partial }) => partial));
    }
  }

  /** All partials in one. Nothing may be stale. */
  async result(): Promise<Accumulator> {
    return this.#merged === this.#plan.chunkCount ? this.#accumulator : runTurns(this.#mergeAll());
  }

  /** Forgets what was read, where it cannot be repeated in parts. */
  #startOver(): void {
    this.#fresh.forget(0);
    this.#accumulator = newAccumulator(this.#plan);
    this.#merged = 0;
  }

  #dispatch(number: number): Promise<Partial> {
    const chunk = chunkAt(this.#plan, number);
    const extent = extentOf(chunk.view, chunk.dtype.itemsize);
    const version = this.#file.state.writesApplied;
    if (this.#keeps === undefined) this.#fresh.readMore(0, version, extent);
    else this.#fresh.read(number, version, extent);
    this.scannedBytes += chunk.bytes;
    const partial = this.#pool.reduce(this.#file.describe(extent.start, extent.end), chunk);
    // Awaited in order; one that fails meanwhile must not be taken for unhandled.
    partial.catch(() => undefined);
    return partial;
  }

  /** The pages of a chunk, where no other chunk is among them. */
  #giveBack(number: number): void {
    const { view, dtype } = chunkAt(this.#plan, number);
    if (!isContiguous(view, dtype.itemsize)) return;
    const { start, end } = extentOf(view, dtype.itemsize);
    this.#file.giveBack(start, end);
  }

  #take(number: number, partial: Partial): void {
    if (this.#keeps !== undefined) this.#partials[number] = partial;
    if (number !== this.#merged) {
      this.#merged = undefined;
      return;
    }
    try {
      mergePartial(this.#accumulator, partial);
      this.#merged++;
    } catch (error) {
      // Refused for a NaN, which may have been half of a number that was being written.
      const region = this.#keeps === undefined ? 0 : number;
      if (!this.#fresh.isStale(region, this.#file.state.writesStarted)) throw error;
      this.#merged = undefined;
    }
  }

  /** True where a write made everything stale that was computed so far. */
  #isInVain(): boolean {
    const version = this.#file.state.writesApplied;
    if (this.#keeps !== undefined || version === this.#versionSeen) return false;
    this.#versionSeen = version;
    return this.#fresh.isStale(0, version);
  }

  *#mergeAll(): Generator<void, Accumulator> {
    const accumulator = newAccumulator(this.#plan);
    let cells = 0;
    for (const partial of this.#partials) {
      mergePartial(accumulator, partial);
      cells += partial.cellCount;
      if (cells < MERGED_CELLS_PER_TURN) continue;
      cells = 0;
      yield;
    }
    return accumulator;
  }
}

function keptBytesOf(plan: Plan): number {
  // The first chunk is the largest.
  const { cellCount } = chunkAt(plan, 0);
  return plan.chunkCount * (plan.measure.fields.length + 1) * (FIELD_BYTES + 8 * cellCount);
}

function* everyNumberBelow(count: number): Generator<number, void> {
  for (let number = 0; number < count; number++) yield number;
}

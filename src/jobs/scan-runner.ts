/**
 * A pass over the data from its beginning to its end: the workers read it (pass-reader.ts), and partials are combined
 * strictly in the order of their chunks, whatever order they were found in, so that the answer does not depend on the number
 * of workers. The event loop gets a turn every few milliseconds.
 * The way of a chunk: PassReader gives a turn in a stretch (unread.ts), described as of now (claimed-sources.ts) → pool.ts →
 * worker.ts → runScan claims it and answers (scan-task.ts) → PassReader has it found, or reads it again → here.
 */
import { checkWanted } from '../cancelled.js';
import type { SharedPass, SinkPartial } from '../statistics/index.js';
import { nextTurn, runTurns } from '../turns.js';
import type { Claim } from './claim.js';
import { ClaimedSources, GenerationLost } from './claimed-sources.js';
import type { GrowingMemory } from './growing-memory.js';
import type { KeptPartials } from './partial-cache.js';
import { PassReader, type Tally } from './pass-reader.js';
import type { Scanning } from './pool.js';

/** Combining goes on so long before the event loop gets a turn. */
const TURN_MS = 4;

export { GenerationLost } from './claimed-sources.js';

export interface Progress {
  readonly chunks: number;
  readonly bytes: number;
}

export interface ScanRunnerOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly memory?: Pick<GrowingMemory, 'reach'> | undefined;
}

/** Numbers scans. */
let scans = 0;

/** Who combines what passes find: a computation, as a rule. */
export interface Combining {
  readonly heldBytes: number;
  combine(pass: SharedPass, partials: readonly (SinkPartial | undefined)[]): Generator<void, void>;
  /** True where nothing more has to be read. */
  readonly hasEnough?: boolean;
}

export class ScanRunner {
  readonly #sources: ClaimedSources;
  readonly #pool: Scanning;
  readonly #options: ScanRunnerOptions;
  /** When the event loop last had a turn, as far as is known. */
  #turnedMs = performance.now();
  readonly tally: Tally = { scannedBytes: 0, chunks: 0, keptChunks: 0 };

  constructor(claims: readonly Claim[], pool: Scanning, options: ScanRunnerOptions) {
    this.#sources = new ClaimedSources(claims);
    this.#pool = pool;
    this.#options = options;
  }

  /**
   * Reads what a pass needs and combines what its sinks found. `kept` are partials of earlier runs, for a pass of one sink.
   * @throws cancelled, too_large, busy, GenerationLost
   */
  async scan(computation: Combining, pass: SharedPass, kept?: KeptPartials): Promise<void> {
    const { chunkCount } = pass.scan;
    if (chunkCount === 0) await nextTurn();
    const { signal } = this.#options;
    const cancel = new Int32Array(new SharedArrayBuffer(4));
    const options = { pool: this.#pool, scanId: ++scans, cancel, kept, tally: this.tally };
    const reader = new PassReader(pass, this.#sources, options);
    const stop = (): void => {
      Atomics.store(cancel, 0, 1);
      this.#pool.drop?.(cancel);
    };
    signal.addEventListener('abort', stop, { once: true });
    const chunksBefore = this.tally.chunks;
    try {
      while (this.tally.chunks < chunksBefore + chunkCount) {
        this.#checkGoingOn();
        // oxlint-disable-next-line no-await-in-loop
        if (reader.isReady) await this.#combine(computation, pass, reader);
        // oxlint-disable-next-line no-await-in-loop
        else await reader.wait();
        if (!computation.hasEnough) continue;
        stop();
        return;
      }
      this.#checkGoingOn();
    } catch (error) {
      stop();
      throw error;
    } finally {
      await reader.close();
      signal.removeEventListener('abort', stop);
    }
  }

  #checkGoingOn(): void {
    checkWanted(this.#options.signal);
    if (this.#sources.areCut) throw new GenerationLost();
  }

  /** Combines what is there, for a few milliseconds at most. */
  async #combine(computation: Combining, pass: SharedPass, reader: PassReader): Promise<void> {
    const { memory, onProgress } = this.#options;
    const isTurnOver = (): boolean => performance.now() - this.#turnedMs >= TURN_MS;
    do {
      this.#checkGoingOn();
      const steps = computation.combine(pass, reader.partials);
      // Most are combined at once.
      // oxlint-disable-next-line no-await-in-loop
      if (!steps.next().done) await nextTurn().then(() => runTurns(steps));
      reader.advance();
      const counted = memory?.reach(computation.heldBytes);
      // oxlint-disable-next-line no-await-in-loop
      if (counted) await counted;
    } while (reader.isReady && !isTurnOver());
    const { chunks, scannedBytes } = this.tally;
    onProgress?.({ chunks, bytes: scannedBytes });
    // Kept partials are there at once: a scan over a hundred thousand of them would be one turn.
    if (!isTurnOver()) return;
    await nextTurn();
    this.#turnedMs = performance.now();
  }
}

/**
 * Memory that a computation turns out to need: nobody knows how many groups there are before they are found. It is taken
 * from the budget in steps, as it is needed; what one chunk adds is counted when it is there.
 * Hazard: whoever waits for more holds what it has, so nobody waits longer than the budget's line lets them.
 */
import type { Budget, Release } from '../budget.js';
import { checkWanted } from '../cancelled.js';
import { fail, HyperslabError, isErrorCode } from '../errors.js';

/** Small tables pay nothing. */
const FREE_BYTES = 256 * 1024;
const STEP_BYTES = 256 * 1024;

export class GrowingMemory {
  readonly #budget: Budget;
  /** What the same computation has taken already. */
  readonly #baseBytes: number;
  readonly #signal: AbortSignal;
  readonly #taken: { readonly bytes: number; readonly release: Release }[] = [];
  #bytes = 0;

  constructor(budget: Budget, baseBytes: number, signal: AbortSignal) {
    this.#budget = budget;
    this.#baseBytes = baseBytes;
    this.#signal = signal;
  }

  /** Returns when so many bytes are counted, which need not be waited for where they were before. @throws too_large, busy, cancelled */
  reach(bytes: number): Promise<void> | undefined {
    return bytes <= FREE_BYTES || bytes <= this.#bytes ? undefined : this.#take(bytes);
  }

  /** Gives everything back but so many bytes; those as well when it is called again. */
  release(keptBytes = 0): void {
    let kept = keptBytes;
    for (const { bytes, release } of this.#taken) {
      release(Math.min(bytes, kept));
      kept = Math.max(0, kept - bytes);
    }
  }

  async #take(bytes: number): Promise<void> {
    // What is taken after the client has gone, nobody would give back.
    checkWanted(this.#signal);
    const limit = this.#budget.limitBytes;
    const asked = this.#baseBytes + bytes;
    if (asked > limit) {
      fail(
        'too_large',
        `The groups that were found so far take ${asked} bytes with their answer; ${limit} are available to all requests. Group by fewer keys or by bins, or ask for fewer operations.`,
        { limit, asked },
      );
    }
    const step = Math.min(
      STEP_BYTES * Math.ceil((bytes - this.#bytes) / STEP_BYTES),
      limit - this.#baseBytes - this.#bytes,
    );
    const release = this.#budget.tryTake(step, this.#baseBytes + this.#bytes) ?? (await this.#wait(step, asked));
    this.#taken.push({ bytes: step, release });
    this.#bytes += step;
  }

  async #wait(step: number, asked: number): Promise<Release> {
    try {
      return await this.#budget.take(step, this.#signal, this.#baseBytes + this.#bytes);
    } catch (error) {
      if (!isErrorCode(error, 'busy')) throw error;
      const limit = this.#budget.limitBytes;
      throw new HyperslabError(
        'busy',
        `The groups that were found so far take ${asked} bytes with their answer, and other requests hold what they need of ${limit}. Repeat the request in a moment.`,
        { limit, asked },
      );
    }
  }
}

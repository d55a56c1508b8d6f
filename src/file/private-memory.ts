/** The memory that datasets of mode c write into: bounded for all of them together, and a part of that of all requests. */
import type { Budget, Release } from '../budget.js';
import { fail } from '../errors.js';

export class PrivateMemory {
  readonly limitBytes: number;
  readonly #budget: Pick<Budget, 'take'> | undefined;
  heldBytes = 0;
  /** Counters of datasets that were written or discarded since the start: the next one finds other bytes. */
  readonly moved = new Set<string>();

  /** @param budget undefined counts it nowhere else */
  constructor(limitBytes: number, budget?: Pick<Budget, 'take'>) {
    this.limitBytes = limitBytes;
    this.#budget = budget;
  }

  hasRoomFor(bytes: number): boolean {
    return this.heldBytes + bytes <= this.limitBytes;
  }

  /** Takes memory until it is given back. @throws too_large, private_memory_full, busy, cancelled */
  async take(bytes: number, signal?: AbortSignal): Promise<Release> {
    if (bytes > this.limitBytes) this.failTooLarge(bytes);
    if (!this.hasRoomFor(bytes)) this.#failFull(bytes);
    this.heldBytes += bytes;
    try {
      const release = await this.#budget?.take(bytes, signal);
      return () => {
        this.heldBytes -= bytes;
        release?.();
      };
    } catch (error) {
      this.heldBytes -= bytes;
      throw error;
    }
  }

  /** `asked` is what a write needs at least. */
  failTooLarge(asked: number): never {
    const limit = this.limitBytes;
    return fail(
      'too_large',
      `The pages of the write have ${asked} bytes or more; datasets of mode c may hold ${limit} together (HYPERSLAB_PRIVATE_BYTES). Write smaller slices, or to a dataset of mode r+.`,
      { limit, asked },
    );
  }

  #failFull(asked: number): never {
    const { limitBytes: limit, heldBytes: held } = this;
    return fail(
      'private_memory_full',
      `The write needs ${asked} bytes of new pages; datasets of mode c hold ${held} of the ${limit} that they may hold together (HYPERSLAB_PRIVATE_BYTES). Discard what is not needed any more, with POST …/discard.`,
      { limit, held, asked },
    );
  }
}

/** A bounded amount of memory that requests share: what does not fit now is refused with 503, not queued. */
import { fail } from './errors.js';

export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Runs `work` while `bytes` are counted as used. @throws too_large, busy */
  async with<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes > this.#limitBytes) {
      fail('too_large', `The request would hold ${bytes} bytes; ${this.#limitBytes} are available to all requests.`, {
        limit: this.#limitBytes,
        asked: bytes,
      });
    }
    if (this.#usedBytes + bytes > this.#limitBytes) {
      fail('busy', 'Other requests hold the memory that this one needs. Repeat it in a moment.', {
        limit: this.#limitBytes,
        asked: bytes,
      });
    }
    this.#usedBytes += bytes;
    try {
      return await work();
    } finally {
      this.#usedBytes -= bytes;
    }
  }
}

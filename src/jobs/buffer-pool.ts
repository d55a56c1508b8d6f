/**
 * Shared memory for the partials of tasks under way, used again and again: what is given to a task belongs to it until
 * its partials are combined. Memory: LIMITS.partialBuffersBytes that wait to be used, beside those in use.
 */
import { LIMITS } from '../limits.js';

export class BufferPool {
  /** Those that were used last come last. */
  readonly #free: SharedArrayBuffer[] = [];
  #freeBytes = 0;

  /** Of at least so many bytes, whatever is in them. */
  take(bytes: number): SharedArrayBuffer {
    const at = this.#free.findLastIndex(({ byteLength }) => byteLength >= bytes);
    if (at < 0) return new SharedArrayBuffer(2 ** Math.ceil(Math.log2(bytes)));
    const [buffer] = this.#free.splice(at, 1);
    this.#freeBytes -= buffer!.byteLength;
    return buffer!;
  }

  /** Nobody writes to it, or reads from it, any more. */
  giveBack(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
    while (this.#freeBytes > LIMITS.partialBuffersBytes) this.#freeBytes -= this.#free.shift()!.byteLength;
  }
}

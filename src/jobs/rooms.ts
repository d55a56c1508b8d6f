/**
 * Shared memory for the partials of tasks under way, used again and again: what is given to a task belongs to it until
 * its partials are merged. Memory: LIMITS.roomsBytes that wait to be used, beside those in use.
 */
import { LIMITS } from '../limits.js';

export class Rooms {
  /** Those that were used last come last. */
  readonly #free: SharedArrayBuffer[] = [];
  #freeBytes = 0;

  /** Of at least so many bytes, whatever is in them. */
  take(bytes: number): SharedArrayBuffer {
    const at = this.#free.findLastIndex(({ byteLength }) => byteLength >= bytes);
    if (at < 0) return new SharedArrayBuffer(2 ** Math.ceil(Math.log2(bytes)));
    const [room] = this.#free.splice(at, 1);
    this.#freeBytes -= room!.byteLength;
    return room!;
  }

  /** Nobody writes to it, or reads from it, any more. */
  giveBack(room: SharedArrayBuffer): void {
    this.#free.push(room);
    this.#freeBytes += room.byteLength;
    while (this.#freeBytes > LIMITS.roomsBytes) this.#freeBytes -= this.#free.shift()!.byteLength;
  }
}

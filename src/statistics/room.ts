/**
 * Memory that partials are put into, one behind the other, until it is full: memory of their own for the partials of
 * every chunk would have the threads collect garbage for as long as they compute.
 */
export class Room {
  readonly #buffer: ArrayBuffer | SharedArrayBuffer | undefined;
  #usedBytes = 0;

  constructor(buffer?: ArrayBuffer | SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  /** Numbers to be written: whatever was there before is still in them. */
  f64(length: number): Float64Array {
    const start = this.#usedBytes;
    const bytes = 8 * length;
    if (!this.#buffer || start + bytes > this.#buffer.byteLength) return new Float64Array(length);
    this.#usedBytes += bytes;
    return new Float64Array(this.#buffer, start, length);
  }
}

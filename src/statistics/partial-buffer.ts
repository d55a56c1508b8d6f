/**
 * Memory that partials are put into, one behind the other, until it is full: memory of their own for the partials of
 * every task would have the threads collect garbage for as long as they compute. What is taken from it is to be written
 * whole: whatever was there before is still in it.
 */
export class PartialBuffer {
  readonly #buffer: ArrayBuffer | SharedArrayBuffer | undefined;
  #usedBytes = 0;

  constructor(buffer?: ArrayBuffer | SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  f64(length: number): Float64Array {
    const start = this.#take(8 * length);
    return start === undefined ? new Float64Array(length) : new Float64Array(this.#buffer!, start, length);
  }

  u32(length: number): Uint32Array {
    const start = this.#take(4 * length);
    return start === undefined ? new Uint32Array(length) : new Uint32Array(this.#buffer!, start, length);
  }

  #take(bytes: number): number | undefined {
    const start = Math.ceil(this.#usedBytes / 8) * 8;
    if (!this.#buffer || start + bytes > this.#buffer.byteLength) return undefined;
    this.#usedBytes = start + bytes;
    return start;
  }
}

/** A stretch of a source that is read from the front on, a part at a time. */
import type { BodySource } from './decoder.js';

const PART_BYTES = 128 * 1024;

export class Window {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  readonly #source: BodySource;
  readonly #end: number;
  #start = 0;

  /** @param end of what will be asked for: no part goes beyond it but for what is asked */
  constructor(source: BodySource, end: number) {
    this.#source = source;
    this.#end = end;
  }

  /** Where so many bytes of the source stand in `bytes`. */
  place(start: number, length: number): number {
    const at = start - this.#start;
    if (at >= 0 && at + length <= this.bytes.byteLength) return at;
    const part = Math.max(length, Math.min(PART_BYTES, this.#end - start));
    this.bytes = this.#source.read(start, part).slice();
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.#start = start;
    return 0;
  }
}

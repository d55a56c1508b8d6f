/** Reading a journal from its start to its end. Memory: a megabyte, or one record. */
import { LIMITS } from '../../limits.js';
import { readFully } from '../io.js';

/** Reads ahead: a call for each of many small records takes longer than they do. */
export class JournalReader {
  readonly fd: number;
  readonly fileBytes: number;
  #bytes = Buffer.alloc(0);
  #start = 0;

  constructor(fd: number, fileBytes: number) {
    this.fd = fd;
    this.fileBytes = fileBytes;
  }

  /** Bytes that are all there, valid until the next call. */
  at(start: number, length: number): Buffer | Promise<Buffer> {
    const from = start - this.#start;
    return from >= 0 && from + length <= this.#bytes.byteLength
      ? this.#bytes.subarray(from, from + length)
      : this.#read(start, length);
  }

  async #read(start: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(length, LIMITS.pieceBytesMax), this.fileBytes - start));
    await readFully(this.fd, bytes, start);
    this.#bytes = bytes;
    this.#start = start;
    return bytes.subarray(0, length);
  }
}

/**
 * Piece buffers that go from answer to answer: allocating a megabyte costs about as much as filling it, and sets off
 * garbage collections. They are shared memory, so that a worker fills them in place.
 */
import { LIMITS } from '../limits.js';

const SIZES = [LIMITS.firstPieceBytes, LIMITS.pieceBytesMax];
const idle: readonly Buffer[][] = SIZES.map(() => []);
const IDLE_MAX = 16;

/** At least `bytes` bytes, which are not cleared. */
export function takeBuffer(bytes: number = LIMITS.pieceBytesMax): Buffer {
  const size = SIZES.findIndex(each => each >= bytes);
  return idle[size]?.pop() ?? Buffer.from(new SharedArrayBuffer(SIZES[size] ?? bytes));
}

/** Only when nothing reads or sends the memory any more. */
export function returnBuffer(buffer: Buffer): void {
  const kept = idle[SIZES.indexOf(buffer.byteLength)];
  if (kept && kept.length < IDLE_MAX) kept.push(buffer);
}

/**
 * Buffers of one answer that are filled in turn: the piece before may still be sent from the other. They, and what the
 * answer holds besides, are held until nothing is being read into them any more.
 */
export class PieceMemory {
  readonly #release: () => void;
  readonly #buffers: (Buffer | undefined)[];
  #turn = 0;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(release: () => void, count = 2) {
    this.#release = release;
    this.#buffers = Array.from({ length: count }, () => undefined);
  }

  next(length: number): Uint8Array {
    const turn = this.#turn++ % this.#buffers.length;
    let buffer = this.#buffers[turn];
    if (!buffer || buffer.byteLength < length) {
      // The piece in it has been sent.
      if (buffer) returnBuffer(buffer);
      this.#buffers[turn] = buffer = takeBuffer(length);
    }
    return buffer.subarray(0, length);
  }

  useUntil(reading: Promise<unknown>): void {
    this.#reading = reading.catch(() => undefined);
  }

  /** Later, where a worker is still filling a buffer of an answer that is given up. */
  async free(): Promise<void> {
    await this.#reading;
    for (const buffer of this.#buffers.splice(0)) if (buffer) returnBuffer(buffer);
    this.#release();
  }
}

/** Memory of its own that a worker can fill. */
export function sharedBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}

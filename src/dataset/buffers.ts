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

/** Bytes that are put together as they come, in buffers that are given back when they have been sent. */
export class KeptBytes {
  readonly #buffers: Buffer[] = [];
  #bytes = 0;

  get byteLength(): number {
    return this.#bytes;
  }

  /** Adds a copy. */
  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.byteLength;) {
      const at = this.#bytes % LIMITS.pieceBytesMax;
      if (at === 0) this.#buffers.push(takeBuffer());
      const taken = bytes.subarray(from, from + LIMITS.pieceBytesMax - at);
      this.#buffers.at(-1)!.set(taken, at);
      from += taken.byteLength;
      this.#bytes += taken.byteLength;
    }
  }

  /** All that was added, in order. */
  parts(): Uint8Array[] {
    const { pieceBytesMax } = LIMITS;
    return this.#buffers.map((buffer, i) =>
      buffer.subarray(0, Math.min(pieceBytesMax, this.#bytes - i * pieceBytesMax)),
    );
  }

  /** Only when nothing reads or sends the parts any more. */
  free(): void {
    for (const buffer of this.#buffers.splice(0)) returnBuffer(buffer);
    this.#bytes = 0;
  }
}

/** Memory of its own that a worker can fill. */
export function sharedBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}

/**
 * The same bytes where a worker can read them. Those of other memory are copied: sent to a worker, a part of it would take
 * all of it along.
 */
export function asShared(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const shared = sharedBytes(bytes.byteLength);
  shared.set(bytes);
  return shared;
}

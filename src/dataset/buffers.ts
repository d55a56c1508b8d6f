/**
 * Piece buffers that go from answer to answer: allocating a megabyte costs about as much as filling it, and sets off
 * garbage collections. They are shared memory, so that a worker fills them in place.
 */
import { LIMITS } from '../limits.js';

const idle: Buffer[] = [];
const IDLE_MAX = 16;

/** LIMITS.pieceBytesMax bytes, not cleared. */
export function takeBuffer(): Buffer {
  return idle.pop() ?? Buffer.from(new SharedArrayBuffer(LIMITS.pieceBytesMax));
}

/** Only when nothing reads or sends the memory any more. */
export function returnBuffer(buffer: Buffer): void {
  if (idle.length < IDLE_MAX) idle.push(buffer);
}

/** Memory of its own that a worker can fill. */
export function sharedBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}

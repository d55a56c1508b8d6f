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

/** Memory of its own that a worker can fill. */
export function sharedBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}

/**
 * Reading a selection. Small answers whose bytes are in memory are read on the event loop; larger ones whole under the
 * file's lock; what is larger than LIMITS.atomicReadBytesMax comes in pieces, and ends with an error when a write moves
 * the generation meanwhile. Memory per answer: its bytes up to that limit, beyond it two pieces.
 */
import { fail } from '../errors.js';
import { readFully } from '../file/io.js';
import type { OpenFile } from '../file/open-file.js';
import { gather } from '../layout/gather.js';
import { piecesOf } from '../layout/pieces.js';
import { coalesce, extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import type { Dataset } from './dataset.js';
import type { OffLoop } from './off-loop.js';

/** The packed bytes of a small view if they can be had without waiting; undefined otherwise. */
export function readNow(file: OpenFile, view: View, itemsize: number): Uint8Array | undefined {
  const bytes = sizeOf(view.shape) * itemsize;
  if (bytes > LIMITS.inlineReadBytesMax || !file.state.lock.isOpenToReaders) return undefined;
  if (bytes === 0) return new Uint8Array(0);
  if (isContiguous(view, itemsize)) return file.readNow(view.offset, bytes);
  const { start, end } = extentOf(view, itemsize);
  if (end - start > LIMITS.inlineSpanBytesMax) return undefined;
  const source = file.residentSource(start, end);
  if (!source) return undefined;
  const out = Buffer.allocUnsafeSlow(bytes);
  gather(source, view, itemsize, out);
  return out;
}

/** The packed bytes of a view, read while no writer is at work, and the generation that they are of. */
export async function readWhole(
  dataset: Dataset,
  file: OpenFile,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
): Promise<{ bytes: Uint8Array; generation: number }> {
  const release = file.lease();
  try {
    return await file.state.lock.withRead(async () => {
      file.state.checkUsable();
      const bytes = await readPiece(file, view, itemsize, offLoop);
      return { bytes, generation: dataset.generation };
    });
  } finally {
    release();
  }
}

/** The pieces of an answer, one after the other. */
export interface PieceReader {
  /**
   * The next piece, or undefined after the last. A piece may be reused memory: it must have been sent before `next` is
   * called for the second time after it. @throws busy_writing when a write moved the generation, file_changed
   */
  next(): Promise<Uint8Array | undefined>;
  /** Must be called, whatever happened. */
  close(): void;
}

/** Opens a view of any size for reading in pieces. Must be called while no writer is at work. */
export function openPieces(
  file: OpenFile,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
  { inPlace }: { inPlace: boolean },
): PieceReader {
  const release = file.lease();
  const started = file.state.writesStarted;
  const contiguous = isContiguous(view, itemsize);
  const mapped = contiguous && inPlace && file.sendsMapped;
  const { end } = extentOf(view, itemsize);
  const ring: Uint8Array[] = [];
  let turn = 0;

  const read = async (piece: View): Promise<Uint8Array> => {
    if (!contiguous) return readPiece(file, piece, itemsize, offLoop);
    const bytes = sizeOf(piece.shape) * itemsize;
    // Mapped bytes change under a queued send when the file is registered for writing meanwhile. The check after the
    // next piece finds that out, so the last piece, which has none after it, is a copy.
    const inMemory = mapped && piece.offset + bytes < end ? await file.populated(piece.offset, bytes) : undefined;
    if (inMemory) return inMemory;
    ring.push(...(ring.length === 0 ? [takeBuffer(), takeBuffer()] : []));
    const buffer = ring[turn++ % 2]!.subarray(0, bytes);
    await readFully(file.fd, buffer, piece.offset);
    return buffer;
  };

  const pieces = piecesOf(view, itemsize, LIMITS.pieceBytesMax);
  return {
    async next() {
      const piece = pieces.next();
      if (piece.done) return undefined;
      const bytes = await read(piece.value);
      if (file.state.writesStarted !== started) {
        fail('busy_writing', 'The dataset was written while the answer was being sent. Repeat the request.');
      }
      return bytes;
    },
    close() {
      for (const buffer of ring) returnBuffer(buffer);
      ring.length = 0;
      release();
    },
  };
}

async function readPiece(file: OpenFile, view: View, itemsize: number, offLoop: OffLoop): Promise<Uint8Array> {
  const bytes = sizeOf(view.shape) * itemsize;
  if (isContiguous(view, itemsize)) {
    const out = Buffer.allocUnsafeSlow(bytes);
    if (bytes > 0) await file.read(view.offset, out);
    return out;
  }
  const { start, end } = extentOf(view, itemsize);
  return offLoop.gather(file.describe(start, end), coalesce(view), itemsize);
}

/** Piece buffers between answers: allocating a megabyte costs about as much as filling it. */
const idleBuffers: Uint8Array[] = [];
const IDLE_BUFFERS_MAX = 16;

function takeBuffer(): Uint8Array {
  return idleBuffers.pop() ?? Buffer.allocUnsafeSlow(LIMITS.pieceBytesMax);
}

function returnBuffer(buffer: Uint8Array): void {
  if (idleBuffers.length < IDLE_BUFFERS_MAX) idleBuffers.push(buffer);
}

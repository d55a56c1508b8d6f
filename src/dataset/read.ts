/**
 * Reading a selection. Small answers whose bytes are in memory are read on the event loop; larger ones whole under the
 * file's lock; what is larger than LIMITS.atomicReadBytesMax comes in pieces, and ends with an error when a write moves
 * the generation meanwhile. Memory per answer: its bytes up to that limit, beyond it two pieces.
 */
import { fail } from '../errors.js';
import type { OpenFile } from '../file/open-file.js';
import { gather } from '../layout/gather.js';
import { piecesOf } from '../layout/pieces.js';
import { coalesce, extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { returnBuffer, sharedBytes, takeBuffer } from './buffers.js';
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
  offLoop: OffLoop,
): Promise<{ bytes: Uint8Array; generation: number }> {
  const { itemsize } = dataset.geometry.dtype;
  const release = file.lease();
  try {
    return await file.state.lock.withRead(async () => {
      file.state.checkUsable();
      const bytes = sharedBytes(sizeOf(view.shape) * itemsize);
      await fill(file, view, itemsize, bytes, offLoop);
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
  /** Says how to end the answer at once: called when bytes that are being sent in place are about to change. */
  onChange(cut: () => void): void;
  /** Must be called when the last piece has been sent, or is not sent after all. */
  close(): void;
}

/**
 * Opens a view for reading in pieces. The caller holds the file's lock for reading until this resolves. Small answers
 * of files that may be written are read now, so that no write can come between their pieces.
 */
export async function openPieces(
  file: OpenFile,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
  { inPlace }: { inPlace: boolean },
): Promise<PieceReader> {
  const release = file.lease();
  const pieces = piecesOf(view, itemsize, LIMITS.pieceBytesMax);
  const buffers: Buffer[] = [];
  const close = (): void => {
    for (const buffer of buffers) returnBuffer(buffer);
    buffers.length = 0;
    release();
  };
  const read = async (piece: View, buffer: Buffer): Promise<Uint8Array> => {
    const bytes = buffer.subarray(0, sizeOf(piece.shape) * itemsize);
    await fill(file, piece, itemsize, bytes, offLoop);
    return bytes;
  };
  try {
    if (file.writable && sizeOf(view.shape) * itemsize <= LIMITS.atomicReadBytesMax) {
      const filled: Uint8Array[] = [];
      for (const piece of pieces) {
        const buffer = takeBuffer();
        buffers.push(buffer);
        // oxlint-disable-next-line no-await-in-loop
        filled.push(await read(piece, buffer));
      }
      return { next: async () => filled.shift(), onChange: () => {}, close };
    }
  } catch (error) {
    close();
    throw error;
  }

  const started = file.state.writesStarted;
  const inPlaceHere = inPlace && file.sendsMapped && isContiguous(view, itemsize);
  let cutAnswer: (() => void) | undefined;
  let turn = 0;
  return {
    onChange(cut) {
      if (!inPlaceHere) return;
      file.state.inPlaceAnswers.add((cutAnswer = cut));
      // A write may have begun since the first piece was read.
      if (file.state.writesStarted !== started) cut();
    },
    close() {
      if (cutAnswer) file.state.inPlaceAnswers.delete(cutAnswer);
      close();
    },
    async next() {
      const piece = pieces.next();
      if (piece.done) return undefined;
      const { offset, shape } = piece.value;
      const mapped = inPlaceHere ? await file.populated(offset, sizeOf(shape) * itemsize) : undefined;
      if (!mapped && buffers.length === 0) buffers.push(takeBuffer(), takeBuffer());
      const bytes = mapped ?? (await read(piece.value, buffers[turn++ % 2]!));
      if (file.state.writesStarted !== started) {
        fail('busy_writing', 'The dataset was written while the answer was being sent. Repeat the request.');
      }
      return bytes;
    },
  };
}

async function fill(file: OpenFile, view: View, itemsize: number, out: Uint8Array, offLoop: OffLoop): Promise<void> {
  if (out.byteLength === 0) return;
  if (isContiguous(view, itemsize)) {
    await file.readPiece(view.offset, out);
    return;
  }
  const { start, end } = extentOf(view, itemsize);
  await offLoop.gather(file.describe(start, end), coalesce(view), itemsize, out);
}

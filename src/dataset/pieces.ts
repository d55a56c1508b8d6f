/**
 * Answers in pieces, each of one generation whatever is written while they are sent. Three ways: whole, for what fits
 * a small piece; as a snapshot, for which writers save what they overwrite; in place, from the mapping of a file that is
 * only read. Memory per answer: two pieces, of a megabyte each, or of four where the file has another order than the
 * answer.
 */
import { fail } from '../errors.js';
import type { OpenFile } from '../file/open-file.js';
import { Snapshot } from '../file/snapshot.js';
import { PieceCursor } from '../layout/pieces.js';
import { extentOf, isContiguous, isTransposed, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { PieceMemory, returnBuffer, takeBuffer } from './buffers.js';
import { fill } from './fill.js';
import type { OffLoop } from './off-loop.js';

/** The pieces of an answer, one after the other. */
export interface PieceReader {
  /** The largest piece that there is: LIMITS.pieceBytesMax where nothing is said. */
  readonly bytesMax?: number;
  /**
   * The next piece, of at most `bytesMax` bytes and those of the largest, but at least one element; undefined after the
   * last. A piece may be reused memory: it must have been sent before `next` is called for the second time after it.
   * @throws busy_writing when a write takes the answer's generation away, file_changed
   */
  next(bytesMax?: number): Promise<Uint8Array | undefined>;
  /** Says how to end the answer at once: called when what is left of it, or what is being sent in place, is lost. */
  onChange(cut: () => void): void;
  /** Must be called when the last piece has been sent, or is not sent after all. */
  close(): void;
}

/** Opens a view for reading in pieces. The caller holds the file's lock for reading until this resolves. */
export async function openPieces(
  file: OpenFile,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
  { inPlace, signal, recheck }: PieceOptions,
): Promise<PieceReader> {
  if (inPlace && file.sendsMapped && isContiguous(view, itemsize))
    return rechecked(mappedPieces(file, view, itemsize), recheck);
  const bytes = sizeOf(view.shape) * itemsize;
  if (bytes > LIMITS.firstPieceBytes) return rechecked(snapshotPieces(file, view, itemsize, offLoop, signal), recheck);
  const pieces = await wholePieces(file, view, itemsize, offLoop, signal);
  try {
    recheck?.();
  } catch (error) {
    pieces.close();
    throw error;
  }
  return pieces;
}

interface PieceOptions {
  readonly inPlace: boolean;
  readonly signal?: AbortSignal;
  /** Throws where the bytes that were taken may have another meaning by now. */
  readonly recheck?: () => void;
}

function rechecked(pieces: PieceReader, recheck: (() => void) | undefined): PieceReader {
  if (!recheck) return pieces;
  return {
    ...pieces,
    async next(bytesMax) {
      const piece = await pieces.next(bytesMax);
      recheck();
      return piece;
    },
  };
}

/** Read at once, so that nothing can come between. */
async function wholePieces(
  file: OpenFile,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
  signal: AbortSignal | undefined,
): Promise<PieceReader> {
  const length = sizeOf(view.shape) * itemsize;
  const buffer = takeBuffer(length);
  const bytes = buffer.subarray(0, length);
  const release = file.lease();
  const frozen = file.frozen();
  try {
    await fill(frozen.file, view, itemsize, bytes, offLoop, { signal });
  } catch (error) {
    returnBuffer(buffer);
    throw error;
  } finally {
    frozen.release();
    release();
  }
  return { ...heldPieces(bytes, itemsize), close: once(() => returnBuffer(buffer)) };
}

/** Elements that are held, in pieces. */
export function heldPieces(bytes: Uint8Array, itemsize: number): PieceReader {
  let sent = 0;
  return {
    async next(bytesMax = LIMITS.pieceBytesMax) {
      if (sent === bytes.byteLength) return undefined;
      const pieceBytes = Math.max(1, Math.floor(bytesMax / itemsize)) * itemsize;
      return bytes.subarray(sent, (sent = Math.min(sent + pieceBytes, bytes.byteLength)));
    },
    onChange() {},
    close() {},
  };
}

/** Every piece is read under the lock, and what was written since the opening is taken from what the writers saved. */
function snapshotPieces(
  file: OpenFile,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
  signal: AbortSignal | undefined,
): PieceReader {
  const cursor = new PieceCursor(view, itemsize);
  const largest = isTransposed(view) ? LIMITS.transposedPieceBytesMax : LIMITS.pieceBytesMax;
  const snapshot = file.state.preImages.open(file.identity, cursor.remaining());
  const frozen = file.frozen(() => snapshot.cut());
  const memory = new PieceMemory(file.lease());
  const passed = new PassedPages(file, view, itemsize);
  let isClosed = false;

  const read = async (bytesMax: number): Promise<Uint8Array | undefined> => {
    if (isClosed) return undefined;
    if (snapshot.isCut) throw Snapshot.cutError();
    const piece = cursor.next(Math.min(bytesMax, largest));
    if (!piece) return undefined;
    const bytes = memory.next(sizeOf(piece.shape) * itemsize);
    passed.reach(piece.offset);
    const patches = snapshot.patches(extentOf(piece, itemsize));
    await fill(frozen.file, piece, itemsize, bytes, offLoop, { patches, signal });
    snapshot.shrink(cursor.remaining());
    return bytes;
  };
  return {
    bytesMax: largest,
    next(bytesMax = LIMITS.pieceBytesMax) {
      const reading = file.state.lock.withRead(() => read(bytesMax), { signal, client: offLoop.client });
      memory.useUntil(reading);
      // Who waits for the lock behind a long write learns at once that it has been given up.
      return new Promise((resolve, reject) => {
        const forget = snapshot.onCut(() => reject(Snapshot.cutError()));
        reading.then(resolve, reject).finally(forget);
      });
    },
    onChange: cut => void snapshot.onCut(cut),
    close: once(() => {
      isClosed = true;
      snapshot.close();
      frozen.release();
      void memory.free();
    }),
  };
}

/**
 * From the mapping itself, which costs no copy. The first write to the file cuts the answer: a queued send would take up
 * what is written under it.
 */
function mappedPieces(file: OpenFile, view: View, itemsize: number): PieceReader {
  const { state } = file;
  const cursor = new PieceCursor(view, itemsize);
  const memory = new PieceMemory(file.lease());
  const passed = new PassedPages(file, view, itemsize);
  const started = state.ownWritesStarted;
  let cutAnswer: (() => void) | undefined;

  const read = async (bytesMax: number): Promise<Uint8Array | undefined> => {
    const piece = cursor.next(Math.min(bytesMax, LIMITS.pieceBytesMax));
    if (!piece) return undefined;
    const length = sizeOf(piece.shape) * itemsize;
    passed.reach(piece.offset);
    let bytes = await file.populated(piece.offset, length);
    if (!bytes) await file.readPiece(piece.offset, (bytes = memory.next(length)));
    if (state.ownWritesStarted !== started) {
      fail('busy_writing', 'The dataset was written while the answer was being sent. Repeat the request.');
    }
    return bytes;
  };
  return {
    next(bytesMax = LIMITS.pieceBytesMax) {
      const reading = read(bytesMax);
      memory.useUntil(reading);
      return reading;
    },
    onChange(cut) {
      state.inPlaceAnswers.add((cutAnswer = cut));
      // A write may have begun since the first piece was read.
      if (state.ownWritesStarted !== started) cut();
    },
    close: once(() => {
      if (cutAnswer) state.inPlaceAnswers.delete(cutAnswer);
      void memory.free();
    }),
  };
}

/** The pages behind a large contiguous answer, which a container needs for something else. */
class PassedPages {
  readonly #file: OpenFile;
  readonly #isContiguous: boolean;
  #from: number;

  constructor(file: OpenFile, view: View, itemsize: number) {
    this.#file = file;
    this.#isContiguous = isContiguous(view, itemsize);
    this.#from = view.offset;
  }

  /** The next piece begins here: all but the last two before it have been sent. */
  reach(offset: number): void {
    const end = offset - 2 * LIMITS.pieceBytesMax;
    if (!this.#isContiguous || end - this.#from < LIMITS.spanBytesMax) return;
    this.#file.giveBack(this.#from, end);
    this.#from = end;
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}

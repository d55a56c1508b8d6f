/**
 * The elements of a view in pieces, of the generation that a claim holds: what was chosen by reading the dataset, or
 * others, is answered with the bytes that stood there then. Memory: two pieces.
 */
import type { PieceReader } from '../dataset/pieces.js';
import type { OffLoop } from '../dataset/off-loop.js';
import { PieceMemory, sharedBytes } from '../dataset/buffers.js';
import { Snapshot } from '../file/snapshot.js';
import { PieceCursor } from '../layout/pieces.js';
import { coalesce, extentOf, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import type { Claim } from './claim.js';

/** The claim stays open until the last piece has been read; whoever made it closes it. */
export function claimedPieces(
  claim: Claim,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
  signal: AbortSignal,
): PieceReader {
  const cursor = new PieceCursor(view, itemsize);
  const memory = new PieceMemory(claim.file.lease());
  const read = async (bytesMax: number): Promise<Uint8Array | undefined> => {
    const piece = cursor.next(Math.min(bytesMax, LIMITS.pieceBytesMax));
    if (!piece) return undefined;
    const bytes = memory.next(sizeOf(piece.shape) * itemsize);
    await readClaimed(claim, piece, itemsize, bytes, offLoop, signal);
    return bytes;
  };
  return {
    next(bytesMax = LIMITS.pieceBytesMax) {
      const reading = read(bytesMax);
      memory.useUntil(reading);
      return reading;
    },
    onChange: cut => claim.onCut(cut),
    close: () => void memory.free(),
  };
}

/** All of a view at once. */
export async function claimedBytes(
  claim: Claim,
  view: View,
  itemsize: number,
  offLoop: OffLoop,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = sharedBytes(sizeOf(view.shape) * itemsize);
  await readClaimed(claim, view, itemsize, bytes, offLoop, signal);
  return bytes;
}

/** @throws busy_writing, file_changed, bulk_load, cancelled */
async function readClaimed(
  claim: Claim,
  view: View,
  itemsize: number,
  into: Uint8Array,
  offLoop: OffLoop,
  signal: AbortSignal,
): Promise<void> {
  if (into.byteLength === 0) return;
  const extent = extentOf(view, itemsize);
  await claim.file.state.lock.withRead(
    async () => {
      if (claim.isCut) throw Snapshot.cutError();
      await offLoop.gather(claim.describe(extent), coalesce(view), itemsize, into, signal);
    },
    { signal, client: offLoop.client },
  );
  claim.check();
}

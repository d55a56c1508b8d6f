/**
 * Pieces of an answer, converted as they come: large ones by a worker, while the piece before is being sent. Memory per
 * answer: two pieces more.
 */
import type { Conversion } from '../convert/index.js';
import { LIMITS } from '../limits.js';
import { returnBuffer, takeBuffer } from './buffers.js';
import { convertPiece, itemsOfPiece } from './convert.js';
import type { OffLoop } from './off-loop.js';
import type { PieceReader } from './pieces.js';

/** @param pieces of whole items, in shared memory */
export function convertedPieces(pieces: PieceReader, conversion: Conversion, offLoop: OffLoop): PieceReader {
  const { from, to } = conversion;
  const buffers: Buffer[] = [];
  let turn = 0;
  let first = 0;
  let working: Promise<unknown> = Promise.resolve();

  const room = (bytes: number): Uint8Array => {
    const at = turn++ % 2;
    const kept = buffers[at];
    if (kept && kept.byteLength >= bytes) return kept.subarray(0, bytes);
    // What is in it has been sent.
    if (kept) returnBuffer(kept);
    return (buffers[at] = takeBuffer(bytes)).subarray(0, bytes);
  };
  const read = async (bytesMax: number): Promise<Uint8Array | undefined> => {
    const source = await pieces.next(itemsOfPiece(conversion, bytesMax) * from.itemsize);
    if (!source) return undefined;
    const items = source.byteLength / from.itemsize;
    const target = room(items * to.itemsize);
    await convertPiece(conversion, { source, target, first }, offLoop);
    first += items;
    return target;
  };
  const { bytesMax: largest = LIMITS.pieceBytesMax } = pieces;
  return {
    bytesMax: largest,
    next(bytesMax = LIMITS.pieceBytesMax) {
      const reading = read(Math.min(bytesMax, largest));
      working = reading.catch(() => undefined);
      return reading;
    },
    onChange: cut => pieces.onChange(cut),
    // Later, where a worker is still at a piece of an answer that is given up.
    close: () => void free(),
  };

  async function free(): Promise<void> {
    await working;
    pieces.close();
    for (const buffer of buffers.splice(0)) returnBuffer(buffer);
  }
}

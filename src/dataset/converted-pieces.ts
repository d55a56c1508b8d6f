/**
 * Pieces of an answer, converted as they come: large ones by a worker, while the piece before is being sent. Memory per
 * answer: two pieces more.
 */
import type { Conversion } from '../convert/index.js';
import { LIMITS } from '../limits.js';
import { PieceMemory } from './buffers.js';
import { convertPiece, itemsOfPiece } from './convert.js';
import type { OffLoop } from './off-loop.js';
import type { PieceReader } from './pieces.js';

/** @param pieces of whole items, in shared memory */
export function convertedPieces(pieces: PieceReader, conversion: Conversion, offLoop: OffLoop): PieceReader {
  const { from, to } = conversion;
  const memory = new PieceMemory(() => pieces.close());
  let first = 0;
  const read = async (bytesMax: number): Promise<Uint8Array | undefined> => {
    const source = await pieces.next(itemsOfPiece(conversion, bytesMax) * from.itemsize);
    if (!source) return undefined;
    const items = source.byteLength / from.itemsize;
    const target = memory.next(items * to.itemsize);
    await convertPiece(conversion, { source, target, first }, offLoop);
    first += items;
    return target;
  };
  const { bytesMax: largest = LIMITS.pieceBytesMax } = pieces;
  return {
    bytesMax: largest,
    next(bytesMax = LIMITS.pieceBytesMax) {
      const reading = read(Math.min(bytesMax, largest));
      memory.useUntil(reading);
      return reading;
    },
    onChange: cut => pieces.onChange(cut),
    close: () => void memory.free(),
  };
}

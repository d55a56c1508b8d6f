/**
 * Chunks at the edge of an array: a block of its elements, filled up to the shape that all chunks have. What is added
 * stands behind each row, each plane and so on: `[[1, 2]]` in chunks of `[2, 3]` is `[[1, 2, f], [f, f, f]]`.
 */
import { PieceMemory } from '../dataset/buffers.js';
import type { PieceReader } from '../dataset/read.js';
import { arrangeLoops, copyStrided } from '../layout/copy.js';
import { BoxCursor } from '../layout/pieces.js';
import { sizeOf, stridesOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';

export interface Padding {
  /** Of the elements that there are. */
  readonly inner: readonly number[];
  /** Of the chunk. */
  readonly outer: readonly number[];
  /** What stands in the place of an element that there is not. */
  readonly fill: Uint8Array;
}

/** A chunk that is small enough to be made at once. */
export function padNow({ inner, outer, fill }: Padding, elements: Uint8Array): Uint8Array {
  const target = Buffer.allocUnsafeSlow(sizeOf(outer) * fill.byteLength);
  put(elements, inner, outer, fill, target);
  return target;
}

/**
 * A chunk in pieces, of the pieces of its elements. Memory: two pieces, and one that elements are gathered in.
 * @param pieces of whole elements
 */
export function paddedPieces(pieces: PieceReader, { inner, outer, fill }: Padding): PieceReader {
  const boxes = new BoxCursor(outer);
  const itemsize = fill.byteLength;
  const gathered = new PieceMemory(() => pieces.close(), 1);
  const memory = new PieceMemory(() => void gathered.free());

  const elementsOf = async (bytes: number): Promise<Uint8Array> => {
    const all = gathered.next(bytes);
    for (let got = 0; got < bytes;) {
      // oxlint-disable-next-line no-await-in-loop
      const piece = await pieces.next(bytes - got);
      if (!piece) throw new Error('invariant broken: a chunk has fewer elements than its shape says');
      if (piece.byteLength === bytes) return piece;
      all.set(piece, got);
      got += piece.byteLength;
    }
    return all;
  };
  const read = async (bytesMax: number): Promise<Uint8Array | undefined> => {
    const box = boxes.next(Math.floor(bytesMax / itemsize));
    if (!box) return undefined;
    const there = box.shape.map((length, axis) => Math.max(0, Math.min(length, inner[axis]! - box.start[axis]!)));
    const elements = await elementsOf(sizeOf(there) * itemsize);
    const target = memory.next(sizeOf(box.shape) * itemsize);
    put(elements, there, box.shape, fill, target);
    return target;
  };
  return {
    next(bytesMax = LIMITS.pieceBytesMax) {
      const reading = read(Math.min(bytesMax, LIMITS.pieceBytesMax));
      memory.useUntil(reading);
      return reading;
    },
    onChange: cut => pieces.onChange(cut),
    close: () => void memory.free(),
  };
}

/** Puts packed elements of one shape into the beginning of each axis of another, with `fill` in all other places. */
function put(
  elements: Uint8Array,
  inner: readonly number[],
  outer: readonly number[],
  fill: Uint8Array,
  target: Uint8Array,
): void {
  const itemsize = fill.byteLength;
  if (elements.byteLength < target.byteLength)
    Buffer.from(target.buffer, target.byteOffset, target.byteLength).fill(fill);
  if (elements.byteLength === 0) return;
  const from = stridesOf(inner, itemsize, 'C');
  const to = stridesOf(outer, itemsize, 'C');
  const loops = inner.map((length, axis) => ({ length, from: from[axis]!, to: to[axis]! }));
  copyStrided(elements, 0, target, 0, arrangeLoops(loops, 0, 0).loops, itemsize);
}

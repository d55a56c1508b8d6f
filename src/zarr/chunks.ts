/**
 * The regular grid of chunks that an array is cut into. Zarr wants every chunk of one shape: those at the edge reach
 * beyond the array, and are filled up. The shape does not depend on the length of the axis that can grow (the first of a
 * C-order array, the last of an F-order one), so that no chunk becomes another one while it does.
 */
import { LIMITS } from '../limits.js';
import { sizeOf, type Order, type View } from '../layout/view.js';

/** Runs of elements that lie side by side in the file are cut no shorter: shorter ones cost more than their bytes. */
const RUN_BYTES = 16 * 1024;

/**
 * A shape of about LIMITS.zarrChunkBytes. Rows that are short stay whole, so that a chunk is one stretch of the file; long
 * ones are cut evenly, so that a column is not all of the file. Example: `[1000000, 1000]` of `<f4` is cut into
 * `[262, 1000]`, and `[50000, 50000]` into `[68, 3847]`.
 * @param itemBytes of one element, or of the widest field of a structure
 */
export function regularChunks(shape: readonly number[], itemBytes: number, order: Order): number[] {
  const chunks = shape.map(() => 1);
  const inwards = [...shape.keys()];
  const outwards = order === 'C' ? inwards.toReversed() : inwards;
  const growing = outwards.at(-1);
  let room = Math.max(1, Math.floor(LIMITS.zarrChunkBytes / itemBytes));
  for (const [i, axis] of outwards.entries()) {
    if (axis === growing) {
      chunks[axis] = room;
      continue;
    }
    const length = Math.max(1, shape[axis]!);
    const isLong = i === 0 && length * itemBytes > RUN_BYTES;
    chunks[axis] = evenPart(length, isLong ? Math.min(room, Math.ceil(RUN_BYTES / itemBytes)) : room);
    room = Math.max(1, Math.floor(room / chunks[axis]));
  }
  return chunks;
}

/** The chunk of an axis that does not grow: as few as there have to be, of the same length. */
function evenPart(length: number, most: number): number {
  return Math.ceil(length / Math.ceil(length / most));
}

/** The shape of chunks that `attrs.chunks` asks for; undefined where it is none, or where they would be too large. */
export function askedChunks(asked: unknown, rank: number, itemBytes: number): readonly number[] | undefined {
  if (!Array.isArray(asked) || asked.length !== rank) return undefined;
  if (!asked.every((each): each is number => Number.isSafeInteger(each) && (each as number) >= 1)) return undefined;
  return sizeOf(asked) * itemBytes <= LIMITS.zarrChunkBytesMax ? asked : undefined;
}

/** The elements of a view that a chunk has; undefined where there is no such chunk. */
export function chunkView(view: View, chunks: readonly number[], index: readonly number[]): View | undefined {
  if (index.length !== chunks.length) return undefined;
  const shape: number[] = [];
  let { offset } = view;
  for (const [axis, length] of chunks.entries()) {
    const start = index[axis]! * length;
    const left = view.shape[axis]! - start;
    if (left <= 0) return undefined;
    shape.push(Math.min(length, left));
    offset += start * view.strides[axis]!;
  }
  // A chunk of rank 0 is there in any case; one of an array that has no elements is not.
  return { shape, strides: view.strides, offset };
}

const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

/** The numbers of a chunk from the parts of its key; undefined where these are none. */
export function chunkIndex(parts: readonly string[]): number[] | undefined {
  return parts.every(part => NUMBER.test(part)) ? parts.map(Number) : undefined;
}

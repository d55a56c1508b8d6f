/** The stupid model of a view: every element's byte offset, by nested loops over index tuples. */
import type { View } from '../../src/layout/view.js';
import type { Random } from '../helpers/random.js';

export function offsetsOf(view: View): number[] {
  let offsets = [view.offset];
  view.shape.forEach((length, axis) => {
    offsets = offsets.flatMap(start => Array.from({ length }, (_, i) => start + i * view.strides[axis]!));
  });
  return offsets;
}

/** The packed bytes of a view of `file`. */
export function packedBytes(file: Uint8Array, view: View, itemsize: number): Buffer {
  return Buffer.concat(offsetsOf(view).map(offset => file.subarray(offset, offset + itemsize)));
}

/** A view that a selection of some packed array could have, and the bytes its file must have. */
export function randomView(random: Random, itemsize: number): { view: View; fileBytes: number } {
  const rank = random.integer(0, 4);
  const order = Array.from({ length: rank }, (_, i) => i).sort(() => random.next() - 0.5);
  const shape = Array.from({ length: rank }, () => random.integer(random.next() < 0.05 ? 0 : 1, 6));
  const strides = Array<number>(rank).fill(0);
  let step = itemsize;
  let offset = random.integer(0, 9);
  for (const axis of order) {
    const spacing = random.integer(1, 3);
    strides[axis] = step * spacing;
    step *= spacing * Math.max(1, shape[axis]!);
    if (random.next() < 0.3) {
      offset += strides[axis] * Math.max(0, shape[axis]! - 1);
      strides[axis] = -strides[axis];
    }
  }
  return { view: { shape, strides, offset }, fileBytes: offset + step + itemsize };
}

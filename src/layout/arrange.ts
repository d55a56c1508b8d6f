/**
 * Elements that were chosen one by one, in the order of the file: what a write of them needs. Of two that are the same
 * element the later one, in C order, is written, as numpy assigns. Memory: the bytes twice, and 20 bytes for each run.
 */
import { gather } from './gather.js';
import { runsOf } from './listed.js';
import { listedPlaces, type ListedView } from './places.js';
import { ascendingOrder } from './sorted.js';
import { sizeOf, type View } from './view.js';

export interface Arranged {
  readonly target: ListedView;
  readonly itemsize: 1;
  readonly source: View;
  readonly bytes: Uint8Array;
}

/** @param source where the bytes for each element of `target` stand in `bytes`; strides may be zero */
export function arrange(target: View, itemsize: number, source: View, bytes: Uint8Array): Arranged {
  const { places, runBytes } = runsOf(target, itemsize);
  const packed = new Uint8Array(sizeOf(target.shape) * itemsize);
  const span = (start: number, length: number): Uint8Array => bytes.subarray(start, start + length);
  gather({ span, read: (start, into) => into.set(span(start, into.byteLength)) }, source, itemsize, packed);
  const order = ascendingOrder(places) ?? Uint32Array.from(places, (_, i) => i);
  const isLast = (i: number): boolean => i + 1 === order.length || places[order[i]!] !== places[order[i + 1]!];
  let count = 0;
  for (let i = 0; i < order.length; i++) if (isLast(i)) count++;
  const ascending = new Float64Array(new SharedArrayBuffer(8 * count));
  const arranged = new Uint8Array(new SharedArrayBuffer(count * runBytes));
  for (let i = 0, at = 0; i < order.length; i++) {
    if (!isLast(i)) continue;
    const number = order[i]!;
    ascending[at] = places[number]!;
    arranged.set(packed.subarray(number * runBytes, (number + 1) * runBytes), at * runBytes);
    at++;
  }
  const view = listedPlaces(ascending, runBytes);
  return {
    target: view,
    itemsize: 1,
    source: { shape: view.shape, strides: [runBytes, 1], offset: 0 },
    bytes: arranged,
  };
}

/** What a write does to a file, as plain data: it can be applied now, written to a journal, and applied again. */
import { scatter } from '../layout/scatter.js';
import { isContiguous, sizeOf, type View } from '../layout/view.js';

/** The elements of `target` get what `source`, a view of the same shape over `bytes`, holds for them. */
export interface Change {
  readonly target: View;
  readonly itemsize: number;
  /** Strides may be zero: one item fills a selection. */
  readonly source: View;
  readonly bytes: Uint8Array;
}

/** Bytes of the file that a change sets. */
export function changedBytes({ target, itemsize }: Change): number {
  return sizeOf(target.shape) * itemsize;
}

/** The bytes of a change where they are one run of the file already; undefined where they have to be laid out. */
export function singleRun(change: Change): Uint8Array | undefined {
  const { target, itemsize, source, bytes } = change;
  if (!isContiguous(target, itemsize) || !isContiguous(source, itemsize)) return undefined;
  return bytes.subarray(source.offset, source.offset + changedBytes(change));
}

/** Calls `write` for every run of the file that a change sets. The bytes passed are valid until `write` returns. */
export function eachRun(change: Change, write: (offset: number, bytes: Uint8Array) => void): void {
  const single = singleRun(change);
  if (!single) scatter(change.target, change.itemsize, change.bytes, change.source, write);
  else if (single.byteLength > 0) write(change.target.offset, single);
}

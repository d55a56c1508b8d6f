/** What a write does to a file, as plain data: it can be applied now, written to a journal, and applied again. */
import { scatter } from '../layout/scatter.js';
import { extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { failTruncated } from './refusals.js';

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

/** A file that was truncated must not grow again by a write, with zeros where the rest was. @throws file_changed */
export function checkFits(change: Change, fileBytes: number): void {
  const { end } = extentOf(change.target, change.itemsize);
  if (end > fileBytes && changedBytes(change) > 0) failTruncated(fileBytes, end);
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

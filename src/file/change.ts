/** What a write does to a file, as plain data: it can be applied now, written to a journal, and applied again. */
import fs from 'node:fs';
import { arranged, boxesOf, PAGE_BYTES, reachOf } from '../layout/boxes.js';
import { isListed, listedPlaces, placesIn, runBytesIn, type ListedView } from '../layout/places.js';
import { runBytesOf, scatter } from '../layout/scatter.js';
import { extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { withFile, type Gaps } from './alter.js';
import { writeFullySync } from './io.js';
import { failTruncated } from './refusals.js';

/** The elements of `target` get what `source`, a view of the same shape over `bytes`, holds for them. */
export interface Change {
  /** Elements that follow no step come as runs in the order of the file (layout/places.ts), and their bytes packed. */
  readonly target: View;
  readonly itemsize: number;
  /** Strides may be zero: one item fills a selection. */
  readonly source: View;
  readonly bytes: Uint8Array;
  /** What may be done about the bytes between the elements. */
  readonly gaps?: Gaps;
}

/** Where a file is to end: it is cut off there, or goes on to there, in zeros. */
export interface Ending {
  /** Where it ended until then. */
  readonly from: number;
  readonly end: number;
  /** What comes to stand behind the end is on its way, and counts for nothing unless a later step says so. */
  readonly isProvisional?: boolean;
}

/** One of the things that a commit does, in their order. */
export type Step = Change | Ending;

export function isEnding(step: Step): step is Ending {
  return 'end' in step;
}

/** Bytes of the file that a change sets. */
export function changedBytes({ target, itemsize }: Change): number {
  return sizeOf(target.shape) * itemsize;
}

/** What a call for one run costs, in bytes that are written in that time. */
const CALL_BYTES = 512;

/** What a change costs the file, in bytes: those that it sets, the pages that they lie in, and the calls that set them. */
export function costBytes(change: Step): number {
  if (isEnding(change)) return PAGE_BYTES + CALL_BYTES;
  // One run, as most writes are.
  const bytes = changedBytes(change);
  if (isContiguous(change.target, change.itemsize)) return bytes === 0 ? 0 : Math.max(bytes, PAGE_BYTES) + CALL_BYTES;
  if (isListed(change.target)) return listedCost(change.target);
  const { target } = arranged(change);
  const { costs, stretchAxis } = reachOf(target, change.itemsize);
  const size = sizeOf(target.shape);
  const elementsPerCall = change.gaps
    ? sizeOf(target.shape.slice(stretchAxis))
    : runBytesOf(target, change.itemsize) / change.itemsize;
  return Math.max(costs[0]!, PAGE_BYTES) + (size / elementsPerCall) * CALL_BYTES;
}

/** The same change in parts of at most so many bytes by their pages, in the order of the file. */
export function* partsOf(change: Change, bytesMax: number): Generator<Change, void> {
  if (isListed(change.target)) {
    yield* listedParts(change, change.target, bytesMax);
    return;
  }
  for (const box of boxesOf(arranged(change), change.itemsize, bytesMax)) yield { ...change, ...box };
}

/** As if each run were by itself, whether or not they share pages. */
function listedCost(target: ListedView): number {
  return placesIn(target).length * (Math.max(runBytesIn(target), PAGE_BYTES) + CALL_BYTES);
}

function* listedParts(change: Change, target: ListedView, bytesMax: number): Generator<Change, void> {
  const places = placesIn(target);
  const runBytes = runBytesIn(target);
  const runs = Math.max(1, Math.floor(bytesMax / (Math.max(runBytes, PAGE_BYTES) + CALL_BYTES)));
  if (runs >= places.length) {
    yield change;
    return;
  }
  for (let first = 0; first < places.length; first += runs) {
    const part = listedPlaces(places.subarray(first, first + runs), runBytes);
    const source = { shape: part.shape, strides: [runBytes, 1], offset: change.source.offset + first * runBytes };
    yield { ...change, target: part, source };
  }
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

/** Does a step to a file, for a thread that may wait. */
export function applyStep(fd: number, step: Step): void {
  if (isEnding(step)) fs.ftruncateSync(fd, step.end);
  else applyTo(fd, step);
}

/** Puts the bytes of a change into a file, for a thread that may wait. */
export function applyTo(fd: number, change: Change): void {
  const single = singleRun(change);
  if (single) writeFullySync(fd, single, change.target.offset);
  else withFile(fd, change.gaps, file => scatter(change, change.itemsize, change.bytes, file));
}

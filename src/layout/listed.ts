/**
 * Gathering a view with lists: whatever was asked for becomes runs of equal length, in the order of the file, before
 * anything is read; near ones are read together, and each is laid where the client wants it. Rows 7, 0 and 7 of `<f8`
 * rows of 10 are runs of 80 bytes at 560, 0 and 560, looked at as 0, 560, 560.
 * Memory beside the output: about 20 bytes for each run, and one span.
 */
import { LIMITS } from '../limits.js';
import { GAP_BYTES_MAX, type ByteSource } from './source.js';
import { ascendingOrder } from './sorted.js';
import { coalesce, listAlong, NO_LISTS, sizeOf, type View } from './view.js';

/** Runs of one length. */
export interface Runs {
  /** Where each begins, in the C order of the view. */
  readonly places: Float64Array;
  readonly runBytes: number;
}

/** The longest runs that follow each other in the C order of a view. O(runs). */
export function runsOf(view: View, itemsize: number): Runs {
  const { outer, runBytes } = splitRuns(view, itemsize);
  return { places: placesOf(outer), runBytes };
}

/** How many runs a view has. */
export function runCount(view: View, itemsize: number): number {
  return sizeOf(splitRuns(view, itemsize).outer.shape);
}

/** The axes over runs, and the bytes of a run: what the innermost axes cover without a gap and without choosing. */
function splitRuns(view: View, itemsize: number): { outer: View; runBytes: number } {
  const { shape, strides, offset, lists = NO_LISTS } = coalesce(view);
  const last = shape.length - 1;
  const isRun = last >= 0 && strides[last] === itemsize && lists.every(list => list.strides[last] === 0);
  if (!isRun) return { outer: { shape, strides, offset, lists }, runBytes: itemsize };
  return {
    outer: {
      shape: shape.slice(0, last),
      strides: strides.slice(0, last),
      offset,
      lists: lists.map(list => listAlong(list, list.strides.slice(0, last))),
    },
    runBytes: shape[last]! * itemsize,
  };
}

/** The place of every element of a view, in C order. */
export function placesOf({ shape, strides, offset, lists = NO_LISTS }: View): Float64Array {
  const places = new Float64Array(sizeOf(shape)).fill(offset);
  addSteps(places, shape, strides);
  for (const list of lists) addEntries(places, shape, list);
  return places;
}

function addSteps(places: Float64Array, shape: readonly number[], strides: readonly number[]): void {
  let at = 0;
  eachRow(shape, strides, 0, (from, length, stride) => {
    for (let i = 0; i < length; i++) places[at++]! += from + i * stride;
  });
}

function addEntries(
  places: Float64Array,
  shape: readonly number[],
  { offsets, strides, start }: { offsets: Float64Array; strides: readonly number[]; start: number },
): void {
  let at = 0;
  eachRow(shape, strides, start, (from, length, stride) => {
    for (let i = 0; i < length; i++) places[at++]! += offsets[from + i * stride]!;
  });
}

/** Calls back for each row of the last axis. */
function eachRow(
  shape: readonly number[],
  strides: readonly number[],
  start: number,
  visit: (from: number, length: number, stride: number) => void,
): void {
  const last = shape.length - 1;
  if (last < 0) return visit(start, 1, 0);
  const walk = (axis: number, from: number): void => {
    if (axis === last) return visit(from, shape[axis]!, strides[axis]!);
    for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, from + i * strides[axis]!);
  };
  return walk(0, start);
}

/** So many runs, or bytes, are read between two looks at the clock. */
const PART_RUNS = 256;

/**
 * Writes the elements of a view, packed in C order, to the start of `out`; yields between parts, the first `skip` of
 * which are left out.
 */
export function* gatherListed(
  source: ByteSource,
  view: View,
  itemsize: number,
  out: Uint8Array,
  skip = 0,
): Generator<void, void> {
  const { places, runBytes } = runsOf(view, itemsize);
  const order = ascendingOrder(places);
  const placeAt = (i: number): number => places[order ? order[i]! : i]!;
  let number = 0;
  let partRuns = 0;
  let partBytes = 0;
  for (let i = 0, end = 0; i < places.length; i = end) {
    const start = placeAt(i);
    let reach = start + runBytes;
    for (end = i + 1; end < places.length; end++) {
      const place = placeAt(end);
      if (place - reach > GAP_BYTES_MAX || place + runBytes - start > LIMITS.spanBytesMax) break;
      reach = place + runBytes;
    }
    if (number >= skip) {
      if (end === i + 1) source.read(start, runAt(out, order ? order[i]! : i, runBytes));
      else {
        const span = source.span(start, reach - start, Math.min(reach - start, (end - i) * runBytes));
        layOut(span, start, { places, order, from: i, to: end }, runBytes, out);
      }
    }
    partRuns += end === i + 1 ? 1 : 0;
    partBytes += reach - start;
    if (partRuns < PART_RUNS && partBytes < LIMITS.gatherPartBytesMax) continue;
    partRuns = partBytes = 0;
    if (number++ >= skip) yield;
  }
}

function runAt(out: Uint8Array, number: number, runBytes: number): Uint8Array {
  return out.subarray(number * runBytes, (number + 1) * runBytes);
}

/** Runs `from` to `to` of a list, in its order. */
interface Stretch {
  readonly places: Float64Array;
  readonly order: Uint32Array | undefined;
  readonly from: number;
  readonly to: number;
}

/** Runs shorter than this are copied by a loop; a call to set() costs about as much. */
const SET_BYTES_MIN = 64;

/** Copies runs from a span that begins at `start` of the file to their places in the output. */
function layOut(span: Uint8Array, start: number, stretch: Stretch, runBytes: number, out: Uint8Array): void {
  if (runBytes >= SET_BYTES_MIN) {
    eachRun(stretch, start, (at, number) => out.set(span.subarray(at, at + runBytes), number * runBytes));
    return;
  }
  const unit = unitOf(span.byteOffset - start, stretch, runBytes, out.byteOffset);
  if (unit === 4) copyUnits32(span, start, stretch, runBytes, out);
  else copyBytes(span, start, stretch, runBytes, out);
}

function eachRun(
  { places, order, from, to }: Stretch,
  start: number,
  visit: (at: number, number: number) => void,
): void {
  for (let i = from; i < to; i++) {
    const number = order ? order[i]! : i;
    visit(places[number]! - start, number);
  }
}

/** 4 where every run begins, in the file as in memory, at a multiple of 4 bytes. */
function unitOf(shift: number, { places, order, from, to }: Stretch, runBytes: number, outStart: number): 1 | 4 {
  if (runBytes % 4 !== 0 || outStart % 4 !== 0) return 1;
  for (let i = from; i < to; i++) if ((places[order ? order[i]! : i]! + shift) % 4 !== 0) return 1;
  return 4;
}

function copyUnits32(span: Uint8Array, start: number, stretch: Stretch, runBytes: number, out: Uint8Array): void {
  const { places, order, from, to } = stretch;
  const skew = span.byteOffset % 4;
  const source = new Uint32Array(span.buffer, span.byteOffset - skew, Math.floor((span.byteLength + skew) / 4));
  const target = new Uint32Array(out.buffer, out.byteOffset, Math.floor(out.byteLength / 4));
  const units = runBytes / 4;
  for (let i = from; i < to; i++) {
    const number = order ? order[i]! : i;
    const a = (places[number]! - start + skew) / 4;
    const b = number * units;
    for (let unit = 0; unit < units; unit++) target[b + unit] = source[a + unit]!;
  }
}

function copyBytes(span: Uint8Array, start: number, stretch: Stretch, runBytes: number, out: Uint8Array): void {
  const { places, order, from, to } = stretch;
  for (let i = from; i < to; i++) {
    const number = order ? order[i]! : i;
    const a = places[number]! - start;
    const b = number * runBytes;
    for (let byte = 0; byte < runBytes; byte++) out[b + byte] = span[a + byte]!;
  }
}

/**
 * Bytes of a file → packed block. The plan is made from geometry alone: which stretches to look at in place, and which
 * lone runs to read by position. Memory: the output, and at most one span of LIMITS.spanBytesMax inside the source.
 */
import { LIMITS } from '../limits.js';
import { atOnce } from '../turns.js';
import { arranged, boxesOf } from './boxes.js';
import { arrangeLoops, copyStrided, type Loop } from './copy.js';
import { gatherListed } from './listed.js';
import { GAP_BYTES_MAX, type ByteSource } from './source.js';
import { isContiguous, sizeOf, stridesOf, type View } from './view.js';

export type { ByteSource } from './source.js';

/** Writes the elements of `view`, packed in C order, to the start of `out`. */
export function gather(source: ByteSource, view: View, itemsize: number, out: Uint8Array): void {
  if (sizeOf(view.shape) === 0) return;
  if (isContiguous(view, itemsize)) {
    source.read(view.offset, out.subarray(0, sizeOf(view.shape) * itemsize));
    return;
  }
  if (view.lists) return atOnce(gatherListed(source, view, itemsize, out));
  const packed = stridesOf(view.shape, itemsize, 'C');
  const { loops, fromStart, toStart } = arrangeLoops(loopsOf(view, { ...view, strides: packed }), view.offset, 0);
  gatherLoops(source, loops, itemsize, fromStart, out, toStart);
}

function loopsOf({ shape, strides }: View, { strides: to }: View): Loop[] {
  return shape.map((length, axis) => ({ length, from: strides[axis]!, to: to[axis]! }));
}

/**
 * The same in parts of at most so many bytes by the pages that they cost (boxes.ts), the first `skip` of them left out; in
 * the order of the file. For whoever may have to stop between two of them.
 */
export function* gatherParts(
  source: ByteSource,
  view: View,
  itemsize: number,
  out: Uint8Array,
  costMax: number,
  skip: number,
): Generator<void, void> {
  if (view.lists) return yield* gatherListed(source, view, itemsize, out, skip);
  const packed: View = { shape: view.shape, strides: stridesOf(view.shape, itemsize, 'C'), offset: 0 };
  let number = 0;
  for (const { target: from, source: to } of boxesOf(arranged({ target: view, source: packed }), itemsize, costMax)) {
    if (number++ < skip) continue;
    const { loops, fromStart, toStart } = arrangeLoops(loopsOf(from, to), from.offset, to.offset);
    gatherLoops(source, loops, itemsize, fromStart, out, toStart);
    yield;
  }
}

/** Bytes from the first to the last element of forward loops. */
function reachOf(loops: readonly Loop[], itemsize: number): number {
  return loops.reduce((reach, loop) => reach + loop.from * (loop.length - 1), itemsize);
}

function gatherLoops(
  source: ByteSource,
  loops: readonly Loop[],
  itemsize: number,
  from: number,
  out: Uint8Array,
  to: number,
): void {
  const outer = loops[0];
  const innerLoops = loops.slice(1);
  const inner = reachOf(innerLoops, itemsize);
  if (!outer || inner > LIMITS.spanBytesMax || outer.from - inner > GAP_BYTES_MAX) {
    if (!outer) gatherRun(source, from, itemsize, out, to, itemsize, itemsize);
    else if (innerLoops.length === 1 && innerLoops[0]!.from === itemsize && inner <= LIMITS.spanBytesMax) {
      gatherLoneRuns(source, outer, innerLoops[0]!, itemsize, from, out, to);
    } else {
      for (let i = 0; i < outer.length; i++) {
        gatherLoops(source, innerLoops, itemsize, from + i * outer.from, out, to + i * outer.to);
      }
    }
    return;
  }
  // As many steps of the outer loop at a time as one span can hold.
  const stepsMax = Math.floor((LIMITS.spanBytesMax - inner) / Math.max(outer.from, 1)) + 1;
  for (let done = 0; done < outer.length; done += stepsMax) {
    const steps = Math.min(stepsMax, outer.length - done);
    const start = from + done * outer.from;
    const useful = innerLoops.reduce((bytes, loop) => bytes * loop.length, steps * itemsize);
    const span = source.span(start, (steps - 1) * outer.from + inner, useful);
    copyStrided(span, 0, out, to + done * outer.to, [{ ...outer, length: steps }, ...innerLoops], itemsize);
  }
}

/** Runs far apart: each is read by position and laid out where it belongs. */
function gatherLoneRuns(
  source: ByteSource,
  outer: Loop,
  run: Loop,
  itemsize: number,
  from: number,
  out: Uint8Array,
  to: number,
): void {
  for (let i = 0; i < outer.length; i++) {
    gatherRun(source, from + i * outer.from, run.length * itemsize, out, to + i * outer.to, run.to, itemsize);
  }
}

function gatherRun(
  source: ByteSource,
  from: number,
  bytes: number,
  out: Uint8Array,
  to: number,
  toStep: number,
  itemsize: number,
): void {
  if (toStep === itemsize) source.read(from, out.subarray(to, to + bytes));
  else {
    const span = source.span(from, bytes, bytes);
    copyStrided(span, 0, out, to, [{ length: bytes / itemsize, from: itemsize, to: toStep }], itemsize);
  }
}

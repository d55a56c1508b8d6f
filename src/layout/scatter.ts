/**
 * Packed (or broadcast) bytes → the places of a view in a file. Elements with gaps between them are changed in memory, a
 * megabyte at a time: a call for each element of `[:, ::2]` would take a hundred times as long. How the gaps keep what
 * another program may write there is the file's concern. Memory: one piece.
 */
import { LIMITS } from '../limits.js';
import { arranged, boxesOf, reachOf, type Pair } from './boxes.js';
import { arrangeLoops, copyStrided } from './copy.js';
import { piecesOf } from './pieces.js';
import { eachStretch, isListed, runBytesIn, type ListedView } from './places.js';
import { sizeOf, stridesOf, type View } from './view.js';

/** A file, as whoever writes to it sees it. The bytes that are passed are valid until a call returns. */
export interface ScatterFile {
  readonly write: (offset: number, bytes: Uint8Array) => void;
  /**
   * Calls back with a stretch of the file, of at most a megabyte, in which some bytes are to be changed. False where that
   * cannot be, and nothing was changed; undefined where it never can.
   */
  readonly alter?: (offset: number, length: number, change: (span: Uint8Array) => void) => boolean;
}

/** Writes the elements of `target`, in the order of the file, from what `source`, a view over `bytes`, holds for them. */
export function scatter(pair: Pair, itemsize: number, bytes: Uint8Array, file: ScatterFile): void {
  if (isListed(pair.target)) return scatterListed(pair.target, pair.source, bytes, file);
  const inOrder = arranged(pair);
  const { shape } = inOrder.target;
  if (sizeOf(shape) === 0) return;
  const { costs, stretchAxis } = reachOf(inOrder.target, itemsize);
  const stretchBytes = sizeOf(shape.slice(stretchAxis)) * itemsize;
  // Without gaps a stretch is a run.
  if (!file.alter || costs[stretchAxis]! === stretchBytes) return scatterRuns(inOrder, itemsize, bytes, file);
  for (const box of boxesOf(inOrder, itemsize, LIMITS.pieceBytesMax, stretchAxis)) {
    const { strides, offset } = box.target;
    const isDone = file.alter(offset, reachOf(box.target, itemsize).costs[0]!, span =>
      copyBox(bytes, box.source, span, strides, itemsize),
    );
    if (!isDone) scatterRuns(box, itemsize, bytes, file);
  }
}

/** Runs that stand packed in the same order; those that follow each other are written together. */
function scatterListed(target: ListedView, { offset }: View, bytes: Uint8Array, file: ScatterFile): void {
  const runBytes = runBytesIn(target);
  eachStretch(target, 0, (start, _end, first, runs) => {
    const from = offset + first * runBytes;
    file.write(start, bytes.subarray(from, from + runs * runBytes));
  });
}

/** Of this thread, which writes one box at a time: memory of its own for each of many small steps is much to collect. */
let kept = new Uint8Array(0);

function scratchOf(bytes: number): Uint8Array {
  if (kept.byteLength < bytes) kept = new Uint8Array(bytes);
  return kept;
}

function scatterRuns(pair: Pair, itemsize: number, bytes: Uint8Array, file: ScatterFile): void {
  const scratch = scratchOf(Math.min(sizeOf(pair.target.shape) * itemsize, LIMITS.pieceBytesMax));
  for (const box of boxesOf(pair, itemsize, LIMITS.pieceBytesMax)) {
    copyBox(bytes, box.source, scratch, stridesOf(box.target.shape, itemsize, 'C'), itemsize);
    writeRuns(box.target, itemsize, scratch, file);
  }
}

/** Copies what a view over `bytes` holds to the start of `into`, where its elements stand `strides` apart. */
function copyBox(
  bytes: Uint8Array,
  source: View,
  into: Uint8Array,
  strides: readonly number[],
  itemsize: number,
): void {
  const steps = source.shape.map((length, axis) => ({ length, from: source.strides[axis]!, to: strides[axis]! }));
  const { loops, fromStart, toStart } = arrangeLoops(steps, source.offset, 0);
  copyStrided(bytes, fromStart, into, toStart, loops, itemsize);
}

/** Writes the runs of a view from its packed bytes. */
function writeRuns(view: View, itemsize: number, packed: Uint8Array, file: ScatterFile): void {
  let done = 0;
  for (const run of piecesOf(view, itemsize, runBytesOf(view, itemsize))) {
    const bytes = sizeOf(run.shape) * itemsize;
    file.write(run.offset, packed.subarray(done, done + bytes));
    done += bytes;
  }
}

/** Bytes of the longest run that every row of the view has. */
export function runBytesOf(view: View, itemsize: number): number {
  let bytes = itemsize;
  for (let axis = view.shape.length - 1; axis >= 0 && view.strides[axis] === bytes; axis--) bytes *= view.shape[axis]!;
  return bytes;
}

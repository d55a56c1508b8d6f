/**
 * Packed (or broadcast) bytes → the places of a view in a file, as positional writes of exactly the bytes that belong
 * to the view: neighbours that another program owns are never rewritten. Memory: one piece.
 */
import { LIMITS } from '../limits.js';
import { arrangeLoops, copyStrided } from './copy.js';
import { piecesOf } from './pieces.js';
import { sizeOf, stridesOf, type View } from './view.js';

export type WriteRun = (fileOffset: number, bytes: Uint8Array) => void;

/**
 * Calls `write` for every run of `target`, in the order of the file where its axes allow, with the bytes that
 * `source`, a view over `bytes` of the same shape, holds for it. The bytes passed are valid until `write` returns.
 */
export function scatter(target: View, itemsize: number, bytes: Uint8Array, source: View, write: WriteRun): void {
  if (sizeOf(target.shape) === 0) return;
  const arranged = arrangeTarget(target, source);
  const scratch = new Uint8Array(Math.min(sizeOf(target.shape) * itemsize, LIMITS.pieceBytesMax));
  // Pieces of target and source in step: both have the same shape, so the cuts are the same too.
  const pairs = piecesOfPair(arranged.target, arranged.source, itemsize);
  for (const { targetPiece, sourcePiece } of pairs) {
    const packed = stridesOf(targetPiece.shape, itemsize, 'C');
    const loops = arrangeLoops(
      targetPiece.shape.map((length, axis) => ({ length, from: sourcePiece.strides[axis]!, to: packed[axis]! })),
      sourcePiece.offset,
      0,
    );
    copyStrided(bytes, loops.fromStart, scratch, loops.toStart, loops.loops, itemsize);
    writeRuns(targetPiece, itemsize, scratch, write);
  }
}

/** Axes in file order (largest stride outermost), all forward, so that runs are as long as the layout allows. */
function arrangeTarget(target: View, source: View): { target: View; source: View } {
  const axes = target.shape
    .map((length, axis) => ({ length, target: target.strides[axis]!, source: source.strides[axis]! }))
    .filter(axis => axis.length !== 1);
  let targetOffset = target.offset;
  let sourceOffset = source.offset;
  const forward = axes.map(axis => {
    if (axis.target >= 0) return axis;
    targetOffset += axis.target * (axis.length - 1);
    sourceOffset += axis.source * (axis.length - 1);
    return { length: axis.length, target: -axis.target, source: -axis.source };
  });
  forward.sort((a, b) => b.target - a.target);
  const shape = forward.map(axis => axis.length);
  return {
    target: { shape, strides: forward.map(axis => axis.target), offset: targetOffset },
    source: { shape, strides: forward.map(axis => axis.source), offset: sourceOffset },
  };
}

function* piecesOfPair(
  target: View,
  source: View,
  itemsize: number,
): Generator<{ targetPiece: View; sourcePiece: View }, void> {
  // Cut by index, not by bytes: axes that merge on one side need not merge on the other.
  const { shape } = target;
  let axis = shape.length - 1;
  let innerSize = 1;
  while (axis > 0 && innerSize * shape[axis]! * itemsize <= LIMITS.pieceBytesMax) innerSize *= shape[axis--]!;
  if (axis < 0) {
    yield { targetPiece: target, sourcePiece: source };
    return;
  }
  const perPiece = Math.max(1, Math.floor(LIMITS.pieceBytesMax / (innerSize * itemsize)));
  const index = shape.slice(0, axis).map(() => 0);
  const offsetIn = (view: View, start: number): number =>
    index.reduce((sum, i, outer) => sum + i * view.strides[outer]!, view.offset) + start * view.strides[axis]!;
  for (;;) {
    for (let start = 0; start < shape[axis]!; start += perPiece) {
      const pieceShape = [Math.min(perPiece, shape[axis]! - start), ...shape.slice(axis + 1)];
      yield {
        targetPiece: { shape: pieceShape, strides: target.strides.slice(axis), offset: offsetIn(target, start) },
        sourcePiece: { shape: pieceShape, strides: source.strides.slice(axis), offset: offsetIn(source, start) },
      };
    }
    let outer = index.length - 1;
    while (outer >= 0 && ++index[outer]! >= shape[outer]!) index[outer--] = 0;
    if (outer < 0) return;
  }
}

/** Writes the runs of a view from its packed bytes. */
function writeRuns(view: View, itemsize: number, packed: Uint8Array, write: WriteRun): void {
  let done = 0;
  for (const run of piecesOf(view, itemsize, runBytesOf(view, itemsize))) {
    const bytes = sizeOf(run.shape) * itemsize;
    write(run.offset, packed.subarray(done, done + bytes));
    done += bytes;
  }
}

/** Bytes of the longest run that every row of the view has. */
export function runBytesOf(view: View, itemsize: number): number {
  let bytes = itemsize;
  for (let axis = view.shape.length - 1; axis >= 0 && view.strides[axis] === bytes; axis--) bytes *= view.shape[axis]!;
  return bytes;
}

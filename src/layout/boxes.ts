/**
 * Cutting what is copied between memory and a file into boxes, by what a box costs the file. Its elements lie in
 * stretches: axes whose steps leave gaps of at most a page belong to the stretch, as those of `[:, ::2]`; others step from
 * stretch to stretch, each of which costs a page at least. Example: float32 (1000, 10) of a file whose rows are 8 KiB
 * apart has 1000 stretches of 40 bytes, and costs 1000 pages.
 */
import { sizeOf, type View } from './view.js';

/** Two views of the same shape: elements of the file, and where the bytes for each stand. */
export interface Pair {
  readonly target: View;
  readonly source: View;
}

/** What is read and written at least, however few of its bytes are wanted. */
export const PAGE_BYTES = 4096;

export interface Reach {
  /** For each axis, the bytes of the file that it costs together with the axes inside it; then one element. */
  readonly costs: readonly number[];
  /** Axes from this one on make a stretch. */
  readonly stretchAxis: number;
}

/** Of a view that `arranged` has put in the order of the file. O(rank). */
export function reachOf({ shape, strides }: View, itemsize: number): Reach {
  const costs = Array.from<number>({ length: shape.length + 1 });
  let stretchAxis = shape.length;
  costs[stretchAxis] = itemsize;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const inner = costs[axis + 1]!;
    if (stretchAxis === axis + 1 && strides[axis]! - inner <= PAGE_BYTES) {
      costs[axis] = strides[axis]! * (shape[axis]! - 1) + inner;
      stretchAxis = axis;
    } else costs[axis] = shape[axis]! * Math.max(inner, PAGE_BYTES);
  }
  return { costs, stretchAxis };
}

/** Axes in file order (largest stride outermost), all forward, so that runs are as long as the layout allows. */
export function arranged({ target, source }: Pair): Pair {
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

/**
 * The boxes of an arranged pair, in the order of the file, each of at most `bytesMax` by cost (but at least one element).
 * No box spans more than one step of the axes before `firstAxis`. Lazy, O(rank) per box.
 */
export function* boxesOf(
  { target, source }: Pair,
  itemsize: number,
  bytesMax: number,
  firstAxis = 0,
): Generator<Pair, void> {
  const { shape } = target;
  if (sizeOf(shape) === 0) return;
  const { costs, stretchAxis } = reachOf(target, itemsize);
  let axis = firstAxis;
  while (axis < shape.length - 1 && costs[axis + 1]! > bytesMax) axis++;
  const isCut = axis < shape.length;
  const inner = shape.slice(axis + 1);
  const length = isCut ? shape[axis]! : 1;
  const fitting = isCut ? stepsWithin(bytesMax, costs[axis + 1]!, target.strides[axis]!, axis >= stretchAxis) : 1;
  const index = shape.slice(0, axis).map(() => 0);
  const boxOf = ({ offset, strides }: View, start: number, steps: number): View => ({
    shape: isCut ? [steps, ...inner] : [],
    strides: strides.slice(axis),
    offset: index.reduce((sum, i, outer) => sum + i * strides[outer]!, offset) + (isCut ? start * strides[axis]! : 0),
  });
  for (;;) {
    for (let start = 0; start < length; start += fitting) {
      const steps = Math.min(fitting, length - start);
      yield { target: boxOf(target, start, steps), source: boxOf(source, start, steps) };
    }
    let outer = axis - 1;
    while (outer >= 0 && ++index[outer]! >= shape[outer]!) index[outer--] = 0;
    if (outer < 0) return;
  }
}

/** How many steps of an axis cost so many bytes; one costs `bytes`. */
function stepsWithin(bytesMax: number, bytes: number, stride: number, isStretch: boolean): number {
  // A stride of 0 costs nothing more, whatever its steps; bounded all the same.
  const steps = isStretch ? (bytesMax - bytes) / Math.max(stride, 1) + 1 : bytesMax / Math.max(bytes, PAGE_BYTES);
  return Math.max(1, Math.floor(steps));
}

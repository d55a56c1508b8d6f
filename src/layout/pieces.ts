/** Cutting a view into consecutive boxes of bounded size, in C order, each again a view. */
import type { Extent } from './runs.js';
import { coalesce, extentOf, listAlong, sizeOf, type View } from './view.js';

/**
 * Yields views whose concatenated C-order elements are those of `view`, each of at most `bytesMax` bytes
 * (but at least one element). Lazy: a view of 10^15 bytes costs nothing until its pieces are asked for.
 */
export function* piecesOf(view: View, itemsize: number, bytesMax: number): Generator<View, void> {
  const cursor = new PieceCursor(view, itemsize);
  for (let piece = cursor.next(bytesMax); piece; piece = cursor.next(bytesMax)) yield piece;
}

/** The same where every piece may have another bound. O(rank) per piece. */
export class PieceCursor {
  readonly #view: View;
  readonly #itemsize: number;
  /** Elements in one step of each axis. */
  readonly #inner: readonly number[];
  /** The first element that no piece had yet, and its place in the file. */
  readonly #index: number[];
  #offset: number;
  #isDone: boolean;

  constructor(view: View, itemsize: number) {
    this.#view = coalesce(view);
    this.#itemsize = itemsize;
    const { shape, offset } = this.#view;
    this.#inner = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
    this.#index = shape.map(() => 0);
    this.#offset = offset;
    this.#isDone = shape[0] === 0;
  }

  /** The next piece: the largest box of at most `bytesMax` bytes (but at least one element); undefined at the end. */
  next(bytesMax: number): View | undefined {
    if (this.#isDone) return undefined;
    const { shape, strides } = this.#view;
    const elementsMax = bytesMax / this.#itemsize;
    // The axis that is cut: the outermost of which a whole step begins here and fits.
    let axis = shape.length - 1;
    while (axis > 0 && this.#index[axis] === 0 && this.#inner[axis - 1]! <= elementsMax) axis--;
    const offset = this.#offset;
    if (axis < 0) {
      this.#isDone = true;
      return this.#view;
    }
    const fitting = Math.max(1, Math.floor(elementsMax / this.#inner[axis]!));
    const steps = Math.min(fitting, shape[axis]! - this.#index[axis]!);
    const piece = { shape: [steps, ...shape.slice(axis + 1)], strides: strides.slice(axis), offset };
    const lists = this.#view.lists?.map(list => {
      const start = list.strides.reduce((entry, stride, i) => entry + stride * this.#index[i]!, list.start);
      return listAlong(list, list.strides.slice(axis), start);
    });
    this.#advance(axis, steps);
    return lists ? { ...piece, lists } : piece;
  }

  /** The bytes of the file that the pieces to come touch: from the first to the last; empty at the end. */
  remaining(): Extent {
    if (this.#isDone) return { start: 0, end: 0 };
    // Lists may go back to anything.
    if (this.#view.lists) return extentOf(this.#view, this.#itemsize);
    const { shape, strides } = this.#view;
    let first = this.#offset;
    let last = this.#offset;
    let origin = this.#offset;
    // What is left is, for each axis, the steps behind the one that is under way, with the axes inside it whole.
    let [low, high] = [0, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis]!;
      const behind = shape[axis]! - 1 - this.#index[axis]!;
      if (behind > 0) {
        first = Math.min(first, origin + low + stride * (stride < 0 ? behind : 1));
        last = Math.max(last, origin + high + stride * (stride < 0 ? 1 : behind));
      }
      origin -= this.#index[axis]! * stride;
      const reach = stride * (shape[axis]! - 1);
      if (reach < 0) low += reach;
      else high += reach;
    }
    return { start: first, end: last + this.#itemsize };
  }

  #advance(axis: number, steps: number): void {
    const { shape, strides } = this.#view;
    this.#index[axis]! += steps;
    this.#offset += steps * strides[axis]!;
    while (this.#index[axis] === shape[axis]) {
      this.#offset -= shape[axis]! * strides[axis]!;
      this.#index[axis] = 0;
      axis--;
      if (axis < 0) {
        this.#isDone = true;
        return;
      }
      this.#index[axis]!++;
      this.#offset += strides[axis]!;
    }
  }
}

/** Cutting a view into consecutive boxes of bounded size, in C order, each again a view. */
import type { Extent } from './runs.js';
import { coalesce, extentOf, listAlong, sizeOf, type View } from './view.js';

/**
 * Yields views whose concatenated C-order elements are those of `view`, each of at most `bytesMax` bytes
 * (but at least one element). Lazy: a view of 10^15 bytes costs nothing until its pieces are asked for.
 */
export function* piecesOf(view: View, itemsize: number, bytesMax: number, merges = true): Generator<View, void> {
  const cursor = new PieceCursor(view, itemsize, merges);
  for (let piece = cursor.next(bytesMax); piece; piece = cursor.next(bytesMax)) yield piece;
}

/** A part of a shape, of the same rank. */
export interface Box {
  readonly start: readonly number[];
  readonly shape: readonly number[];
  /** The axis that is cut: those before it have one step each, those behind it all of theirs. */
  readonly axis: number;
}

/**
 * Cuts a shape into consecutive boxes in C order, of which each may have another bound: shape `[3, 4]` by at most 5 elements
 * is three boxes of `[1, 4]`. What lies inside a smaller shape is consecutive there, too. O(rank) per box.
 */
export class BoxCursor {
  readonly #shape: readonly number[];
  /** Elements in one step of each axis. */
  readonly #inner: readonly number[];
  /** The first element that no box had yet. */
  readonly #index: number[];
  #isDone: boolean;

  constructor(shape: readonly number[]) {
    this.#shape = shape;
    this.#inner = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
    this.#index = shape.map(() => 0);
    this.#isDone = shape.includes(0);
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Where the next box begins. */
  get index(): readonly number[] {
    return this.#index;
  }

  /** The next box, the largest of at most so many elements (but at least one); undefined at the end. */
  next(elementsMax: number): Box | undefined {
    if (this.#isDone) return undefined;
    const start = [...this.#index];
    // The outermost axis of which a whole step begins here and fits.
    let axis = start.length - 1;
    while (axis > 0 && start[axis] === 0 && this.#inner[axis - 1]! <= elementsMax) axis--;
    if (axis < 0) {
      this.#isDone = true;
      return { start, shape: [], axis: 0 };
    }
    const fitting = Math.max(1, Math.floor(elementsMax / this.#inner[axis]!));
    const steps = Math.min(fitting, this.#shape[axis]! - start[axis]!);
    const shape = this.#shape.map((length, each) => (each < axis ? 1 : each === axis ? steps : length));
    this.#advance(axis, steps);
    return { start, shape, axis };
  }

  #advance(axis: number, steps: number): void {
    this.#index[axis]! += steps;
    while (this.#index[axis] === this.#shape[axis]) {
      this.#index[axis] = 0;
      axis--;
      if (axis < 0) {
        this.#isDone = true;
        return;
      }
      this.#index[axis]!++;
    }
  }
}

/** The boxes of a view, each again a view. */
export class PieceCursor {
  readonly #view: View;
  readonly #itemsize: number;
  readonly #boxes: BoxCursor;

  /** @param merges axes are merged where they can be, so that a piece has few of them */
  constructor(view: View, itemsize: number, merges = true) {
    this.#view = merges ? coalesce(view) : view;
    this.#itemsize = itemsize;
    this.#boxes = new BoxCursor(this.#view.shape);
  }

  /** The next piece: the largest box of at most `bytesMax` bytes (but at least one element); undefined at the end. */
  next(bytesMax: number): View | undefined {
    const box = this.#boxes.next(bytesMax / this.#itemsize);
    if (!box) return undefined;
    const { start, axis } = box;
    const strides = this.#view.strides.slice(axis);
    const piece = { shape: box.shape.slice(axis), strides, offset: this.#placeOf(start) };
    const lists = this.#view.lists?.map(list =>
      listAlong(list, list.strides.slice(axis), list.start + dot(list.strides, start)),
    );
    return lists ? { ...piece, lists } : piece;
  }

  #placeOf(index: readonly number[]): number {
    return this.#view.offset + dot(this.#view.strides, index);
  }

  /** The bytes of the file that the pieces to come touch: from the first to the last; empty at the end. */
  remaining(): Extent {
    if (this.#boxes.isDone) return { start: 0, end: 0 };
    // Lists may go back to anything.
    if (this.#view.lists) return extentOf(this.#view, this.#itemsize);
    const { shape, strides } = this.#view;
    const { index } = this.#boxes;
    let origin = this.#placeOf(index);
    let [first, last] = [origin, origin];
    // What is left is, for each axis, the steps behind the one that is under way, with the axes inside it whole.
    let [low, high] = [0, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis]!;
      const behind = shape[axis]! - 1 - index[axis]!;
      if (behind > 0) {
        first = Math.min(first, origin + low + stride * (stride < 0 ? behind : 1));
        last = Math.max(last, origin + high + stride * (stride < 0 ? 1 : behind));
      }
      origin -= index[axis]! * stride;
      const reach = stride * (shape[axis]! - 1);
      if (reach < 0) low += reach;
      else high += reach;
    }
    return { start: first, end: last + this.#itemsize };
  }
}

function dot(strides: readonly number[], index: readonly number[]): number {
  return strides.reduce((sum, stride, axis) => sum + stride * index[axis]!, 0);
}

/**
 * A view is arithmetic: where in a file the elements of an array, or of a selection of one, stand.
 * Strides and offset are bytes; strides may be zero (broadcast) or negative. Where elements follow no step, lists say how
 * far they stand from there: rows 7, 0 and 7 of `<f8` rows of 10 are shape [3, 10], strides [0, 8] and one list
 * [560, 0, 560] with strides [1, 0]. Nothing here touches data.
 */
import { LIMITS } from '../limits.js';
import { fail } from '../errors.js';

/** Memory order of an array: `C` has the last axis contiguous, `F` the first. Never a byte order. */
export type Order = 'C' | 'F';

export interface View {
  readonly shape: readonly number[];
  /** Bytes from one element to the next along each axis. */
  readonly strides: readonly number[];
  /** Bytes from the start of the file to element [0, …, 0], without what lists add. */
  readonly offset: number;
  /** Each adds an offset of its own to that of an element. Absent in what only steps. */
  readonly lists?: readonly OffsetList[];
}

/** Offsets in bytes that were chosen one by one. */
export interface OffsetList {
  /** In shared memory, so that it goes to other threads as it is. */
  readonly offsets: Float64Array;
  /** Entries of `offsets` from one element to the next along each axis of the view; 0 along those that it does not choose from. */
  readonly strides: readonly number[];
  /** The entry of element [0, …, 0]. */
  readonly start: number;
  /** The least and the greatest of all entries. */
  readonly min: number;
  readonly max: number;
}

/** The same entries, stepped through in another way. */
export function listAlong(
  { offsets, start: first, min, max }: OffsetList,
  strides: readonly number[],
  start: number = first,
): OffsetList {
  return { offsets, strides, start, min, max };
}

export const NO_LISTS: readonly OffsetList[] = [];

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** Elements in a shape; 1 for rank 0. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/**
 * Checks that a shape can be addressed exactly: rank, lengths, and the bytes of the whole, counted as numpy does with
 * zero-length axes left out, so that strides stay exact too.
 * @throws bad_shape, too_large
 */
export function checkShape(shape: readonly number[], itemsize: number): void {
  if (shape.length > LIMITS.rankMax) {
    fail(
      'bad_shape',
      `The shape has ${shape.length} axes; at most ${LIMITS.rankMax} are possible. Join some of them.`,
      {
        rank: shape.length,
        limit: LIMITS.rankMax,
      },
    );
  }
  let bytes = BigInt(itemsize);
  for (const [axis, length] of shape.entries()) {
    if (!Number.isSafeInteger(length) || length < 0) {
      fail('bad_shape', `shape[${axis}] is ${length}; a length is an integer from 0 to ${Number.MAX_SAFE_INTEGER}.`, {
        shape,
      });
    }
    if (length > 0) bytes *= BigInt(length);
  }
  if (bytes > BigInt(LIMITS.arrayBytesMax)) {
    fail(
      'too_large',
      `The array would have ${bytes} bytes; at most ${LIMITS.arrayBytesMax} can be addressed. Choose a smaller shape.`,
      {
        limit: LIMITS.arrayBytesMax,
        asked: bytes.toString(),
      },
    );
  }
}

/** Strides in bytes of a packed array, as numpy computes them (zero-length axes count as one). */
export function stridesOf(shape: readonly number[], itemsize: number, order: Order): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let step = itemsize;
  for (let i = 0; i < shape.length; i++) {
    const axis = order === 'C' ? shape.length - 1 - i : i;
    strides[axis] = step;
    step *= Math.max(shape[axis]!, 1);
  }
  return strides;
}

/** The view of a whole packed array that starts `offset` bytes into its file. */
export function packedView(shape: readonly number[], itemsize: number, order: Order, offset: number): View {
  return { shape, strides: stridesOf(shape, itemsize, order), offset };
}

/** The bytes that a view touches lie in `[start, end)`. Empty views touch none. */
export function extentOf(view: View, itemsize: number): { start: number; end: number } {
  let start = view.offset;
  let end = view.offset + itemsize;
  for (let axis = 0; axis < view.shape.length; axis++) {
    if (view.shape[axis] === 0) return { start: view.offset, end: view.offset };
    const reach = view.strides[axis]! * (view.shape[axis]! - 1);
    if (reach < 0) start += reach;
    else end += reach;
  }
  for (const { min, max } of view.lists ?? NO_LISTS) {
    start += min;
    end += max;
  }
  return { start, end };
}

/** True where the view's elements, in C order, are one run of bytes. */
export function isContiguous(view: View, itemsize: number): boolean {
  if (view.shape.includes(0)) return true;
  if (view.lists) return false;
  let expected = itemsize;
  for (let axis = view.shape.length - 1; axis >= 0; axis--) {
    const length = view.shape[axis]!;
    if (length !== 1 && view.strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

/** True where neighbours of C order are further apart in the file than others are: F order read as C order. */
export function isTransposed({ shape, strides, lists }: View): boolean {
  if (lists) return false;
  const steps = strides.filter((_, axis) => shape[axis] !== 1).map(Math.abs);
  const last = steps.at(-1) ?? 0;
  return steps.some(step => step !== 0 && step < last);
}

/**
 * The same elements in the same C order with as few axes as possible: axes of length one are dropped and neighbours
 * that continue each other are merged. Empty views become one axis of length zero.
 */
export function coalesce(view: View): View {
  const shape: number[] = [];
  const strides: number[] = [];
  const lists = view.lists ?? NO_LISTS;
  const listStrides: number[][] = lists.map(() => []);
  for (let axis = 0; axis < view.shape.length; axis++) {
    const length = view.shape[axis]!;
    const stride = view.strides[axis]!;
    if (length === 0) return { shape: [0], strides: [0], offset: view.offset };
    if (length === 1) continue;
    const last = shape.length - 1;
    const continues =
      last >= 0 &&
      strides[last] === stride * length &&
      lists.every((list, i) => listStrides[i]![last] === list.strides[axis]! * length);
    if (continues) {
      shape[last]! *= length;
      strides[last] = stride;
      for (const [i, list] of lists.entries()) listStrides[i]![last] = list.strides[axis]!;
    } else {
      shape.push(length);
      strides.push(stride);
      for (const [i, list] of lists.entries()) listStrides[i]!.push(list.strides[axis]!);
    }
  }
  const merged = { shape, strides, offset: view.offset };
  return view.lists ? { ...merged, lists: lists.map((list, i) => listAlong(list, listStrides[i]!)) } : merged;
}

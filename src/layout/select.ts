/** Views of views: what a selection, a transposition or a broadcast of an array looks like in bytes. */
import type { Selection } from '../selection.js';
import { listAlong, type View } from './view.js';

/** The view that a selection of `view` has. New axes get stride 0: they have length one. */
export function selectFrom(view: View, selection: Selection): View {
  const { start, strides } = stepsOf(view.offset, view.strides, selection);
  const selected = { shape: selection.shape, strides, offset: start };
  if (!view.lists) return selected;
  const lists = view.lists.map(list => {
    const { start: entry, strides: along } = stepsOf(list.start, list.strides, selection);
    return listAlong(list, along, entry);
  });
  return { ...selected, lists };
}

/** Where the first element of a selection stands, and how far its axes step: in bytes, or in entries of a list. */
function stepsOf(
  first: number,
  of: readonly number[],
  { picks }: Selection,
): { start: number; strides: readonly number[] } {
  const strides: number[] = [];
  let start = first;
  let axis = 0;
  for (const pick of picks) {
    if (pick.kind === 'newaxis') {
      strides.push(0);
      continue;
    }
    const stride = of[axis++]!;
    if (pick.kind === 'index') start += pick.index * stride;
    else {
      if (pick.length > 0) start += pick.start * stride;
      strides.push(pick.length > 1 ? stride * pick.step : stride);
    }
  }
  return { start, strides };
}

/** The same elements with axes in reverse: a C-order view of an F-order array. */
export function transpose(view: View): View {
  const { shape, strides, offset, lists } = view;
  const turned = { shape: shape.toReversed(), strides: strides.toReversed(), offset };
  if (!lists) return turned;
  return { ...turned, lists: lists.map(list => listAlong(list, list.strides.toReversed())) };
}

/**
 * Repeats a source over a target shape as numpy assignment does: axes align at the right, length one repeats, and
 * leading axes of length one in excess are dropped. Undefined where the shapes do not fit.
 */
export function broadcastTo(source: View, shape: readonly number[]): View | undefined {
  let sourceShape = source.shape;
  let sourceStrides = source.strides;
  while (sourceShape.length > shape.length && sourceShape[0] === 1) {
    sourceShape = sourceShape.slice(1);
    sourceStrides = sourceStrides.slice(1);
  }
  if (sourceShape.length > shape.length) return undefined;
  const lead = shape.length - sourceShape.length;
  const strides: number[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const length = axis < lead ? 1 : sourceShape[axis - lead]!;
    if (length !== shape[axis] && length !== 1) return undefined;
    strides.push(axis < lead || length === 1 ? 0 : sourceStrides[axis - lead]!);
  }
  return { shape, strides, offset: source.offset };
}

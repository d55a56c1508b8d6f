/** Views of views: what a selection, a transposition or a broadcast of an array looks like in bytes. */
import type { Selection } from '../selection.js';
import type { View } from './view.js';

/** The view that a selection of `view` has. New axes get stride 0: they have length one. */
export function selectFrom(view: View, selection: Selection): View {
  const strides: number[] = [];
  let offset = view.offset;
  let axis = 0;
  for (const pick of selection.picks) {
    if (pick.kind === 'newaxis') {
      strides.push(0);
      continue;
    }
    const stride = view.strides[axis++]!;
    if (pick.kind === 'index') offset += pick.index * stride;
    else {
      if (pick.length > 0) offset += pick.start * stride;
      strides.push(pick.length > 1 ? stride * pick.step : stride);
    }
  }
  return { shape: selection.shape, strides, offset };
}

/** The same elements with axes in reverse: a C-order view of an F-order array. */
export function transpose(view: View): View {
  return { shape: view.shape.toReversed(), strides: view.strides.toReversed(), offset: view.offset };
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

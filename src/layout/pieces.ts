/** Cutting a view into consecutive boxes of bounded size, in C order, each again a view. */
import { coalesce, sizeOf, type View } from './view.js';

/**
 * Yields views whose concatenated C-order elements are those of `view`, each of at most `bytesMax` bytes
 * (but at least one element). Lazy: a view of 10^15 bytes costs nothing until its pieces are asked for.
 */
export function* piecesOf(view: View, itemsize: number, bytesMax: number): Generator<View, void> {
  const { shape, strides, offset } = coalesce(view);
  const size = sizeOf(shape);
  if (size === 0) return;
  if (shape.length === 0 || size * itemsize <= bytesMax) {
    yield { shape, strides, offset };
    return;
  }
  // The axis that is cut: everything inside it fits into one piece.
  let axis = shape.length - 1;
  let innerSize = 1;
  while (axis > 0 && innerSize * shape[axis]! * itemsize <= bytesMax) innerSize *= shape[axis--]!;
  const perPiece = Math.max(1, Math.floor(bytesMax / (innerSize * itemsize)));
  const innerShape = shape.slice(axis + 1);
  const innerStrides = strides.slice(axis);
  for (const outerOffset of offsetsOf(shape.slice(0, axis), strides.slice(0, axis), offset)) {
    for (let start = 0; start < shape[axis]!; start += perPiece) {
      yield {
        shape: [Math.min(perPiece, shape[axis]! - start), ...innerShape],
        strides: innerStrides,
        offset: outerOffset + start * strides[axis]!,
      };
    }
  }
}

/** The byte offsets of all elements, in C order. */
function* offsetsOf(shape: readonly number[], strides: readonly number[], offset: number): Generator<number, void> {
  const index = shape.map(() => 0);
  let position = offset;
  for (;;) {
    yield position;
    let axis = shape.length - 1;
    for (; axis >= 0; axis--) {
      position += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      position -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

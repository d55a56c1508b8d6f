/**
 * What happens to an item, as a list: which elements inside it become which of another dtype. Structures are paired by
 * position, as numpy does; of sub-arrays of other shapes lengths of 1 are repeated, and what is missing stays zero.
 *
 * Example: `[["a", "<f4", [3]], ["b", "<i2"]]` → `[["x", "<f8", [3]], ["y", "<i8"]]` is two moves: three elements from byte 0,
 * 4 bytes apart, to byte 0, 8 bytes apart; and one from byte 12 to byte 24.
 */
import { isStructure, subArrayOf, type DType, type Field, type LeafDType } from '../dtype/index.js';

export interface Move {
  readonly from: LeafDType;
  readonly to: LeafDType;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** The elements of one item, outermost first. */
  readonly axes: readonly Axis[];
  /** Names of the fields that lead to the target. */
  readonly path: readonly string[];
}

export interface Axis {
  readonly length: number;
  /** Bytes from one element to the next. */
  readonly fromStride: number;
  readonly toStride: number;
}

type Place = Omit<Move, 'from' | 'to'>;

/** The caller has made sure that the fields can be paired (castingOf). */
export function movesOf(from: DType, to: DType): Move[] {
  return moves(from, to, { fromOffset: 0, toOffset: 0, axes: [], path: [] });
}

function moves(from: DType, to: DType, place: Place): Move[] {
  if (isStructure(to)) {
    return to.fields.flatMap((field, i) => {
      const source = isStructure(from) ? from.fields[i]! : { name: '', dtype: from, shape: [], offset: 0 };
      return ofFields(source, field, { ...place, path: [...place.path, field.name] });
    });
  }
  if (isStructure(from)) return ofFields(from.fields[0]!, { name: '', dtype: to, shape: [], offset: 0 }, place);
  return [{ from, to, ...place }];
}

function ofFields(from: Field, to: Field, place: Place): Move[] {
  const [source, target] = [subArrayOf(from), subArrayOf(to)];
  // Axes that the target does not have are taken at 0; those that the source does not have are repeated.
  const shift = target.shape.length - source.shape.length;
  const axes = target.shape.map((length, axis) => {
    const own = source.shape[axis - shift];
    const isRepeated = own === undefined || own === 1;
    return {
      length: isRepeated ? length : Math.min(length, own),
      fromStride: isRepeated ? 0 : source.strides[axis - shift]!,
      toStride: target.strides[axis]!,
    };
  });
  return moves(from.dtype, to.dtype, {
    fromOffset: place.fromOffset + from.offset,
    toOffset: place.toOffset + to.offset,
    axes: [...place.axes, ...axes],
    path: place.path,
  });
}

/** Axes that run on in one another, as one. */
export function joined(axes: readonly Axis[]): Axis[] {
  const found: Axis[] = [];
  for (const axis of axes) {
    const outer = found.at(-1);
    if (axis.length === 1) continue;
    const { length, fromStride, toStride } = axis;
    if (outer && outer.fromStride === fromStride * length && outer.toStride === toStride * length) {
      found[found.length - 1] = { length: outer.length * length, fromStride, toStride };
    } else found.push(axis);
  }
  return found;
}

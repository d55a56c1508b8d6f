/**
 * Structures seen from inside. A leaf is all that one innermost field has in an item: like a view of an array, with the
 * axes of the sub-arrays around it. Of `[["p", [["x", "<f4"], ["y", "<f4"]], [3]]]` the leaf y has path `p.y`, shape [3],
 * strides [8] and offset 4.
 */
import { bytesOf } from './structure.js';
import { isStructure, type DType, type Field, type StructureDType } from './types.js';

export type LeafDType = Exclude<DType, StructureDType>;

export interface Leaf {
  /** Names from the outermost field inwards; none for a dtype that is no structure. */
  readonly path: readonly string[];
  readonly dtype: LeafDType;
  readonly shape: readonly number[];
  /** Bytes from one element to the next, inside the item. */
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Every leaf of a dtype, in the order of the fields. */
export function leavesOf(dtype: DType): Leaf[] {
  if (!isStructure(dtype)) return [{ path: [], dtype, shape: [], strides: [], offset: 0 }];
  return dtype.fields.flatMap(field => {
    const { shape, strides } = subArrayOf(field);
    return leavesOf(field.dtype).map(leaf => ({
      path: [field.name, ...leaf.path],
      dtype: leaf.dtype,
      shape: [...shape, ...leaf.shape],
      strides: [...strides, ...leaf.strides],
      offset: field.offset + leaf.offset,
    }));
  });
}

/** The axes that a field adds to those of its array: elements of a sub-array stand one behind the other, in C order. */
export function subArrayOf({ dtype, shape }: Field): { shape: readonly number[]; strides: readonly number[] } {
  let stride = dtype.itemsize;
  const strides: number[] = [];
  for (const length of shape.toReversed()) {
    strides.unshift(stride);
    stride *= length;
  }
  return { shape, strides };
}

/** Whether fields take every byte of an item, none of them twice: no padding, at any depth. */
export function isFull(dtype: DType): boolean {
  if (!isStructure(dtype)) return true;
  let end = 0;
  for (const field of dtype.fields.toSorted((a, b) => a.offset - b.offset)) {
    if (field.offset !== end || !isFull(field.dtype)) return false;
    end += bytesOf(field);
  }
  return end === dtype.itemsize;
}

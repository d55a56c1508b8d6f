/**
 * Where a write goes: packed elements of one dtype into the places of a part of a dataset. Of structures only fields are
 * written, unless the bytes come raw: padding belongs to whoever made the file.
 */
import { bytesOf, isFull, isStructure, subArrayOf, type DType, type Field } from '../dtype/index.js';
import type { Change } from '../file/change.js';
import { selectFrom } from '../layout/select.js';
import { listAlong, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import type { Selection } from '../selection.js';
import type { ArrayPart, FieldsPart } from './array-part.js';

export interface Target {
  /** Of the elements as they come, packed. */
  readonly dtype: DType;
  /** Where their items stand in the file. */
  readonly view: View;
  readonly stretches: readonly Stretch[];
}

/**
 * Bytes of each item that are written, as a view inside it: of `[["a", "|u1"], ["", "|V3"], ["b", "<f4", [2]]]` these are
 * a byte at 0 and eight at 4.
 */
interface Stretch {
  readonly itemsize: number;
  readonly shape: readonly number[];
  /** In an element as it comes, and in an item of the file. */
  readonly from: Place;
  readonly to: Place;
}

interface Place {
  readonly strides: readonly number[];
  readonly offset: number;
}

/** @param isRaw The bytes of whole items or fields come as they are to stand in the file, padding included. */
export function targetOf(part: ArrayPart | FieldsPart, isRaw: boolean): Target {
  const { dtype, view } = part;
  if ('fields' in part) {
    const packed = part.fields.dtype;
    const stretches = packed.fields.flatMap((field, i) => moved(field, part.fields.from[i]!, isRaw));
    return { dtype: packed, view, stretches };
  }
  return { dtype, view, stretches: isRaw ? [wholeOf(dtype.itemsize)] : stretchesOf(dtype) };
}

/** The stretches of a field that stands elsewhere in the packed element than in the item. */
function moved(packed: Field, own: Field, isRaw: boolean): Stretch[] {
  const distance = own.offset - packed.offset;
  return fieldStretches(packed, isRaw).map(({ itemsize, shape, from, to }) => {
    return { itemsize, shape, from, to: { strides: to.strides, offset: to.offset + distance } };
  });
}

function stretchesOf(dtype: DType): Stretch[] {
  if (isFull(dtype) || !isStructure(dtype)) return [wholeOf(dtype.itemsize)];
  return dtype.fields.flatMap(field => fieldStretches(field, false));
}

function fieldStretches(field: Field, isRaw: boolean): Stretch[] {
  if (isRaw || isFull(field.dtype)) return [wholeOf(bytesOf(field), field.offset)];
  const { shape, strides } = subArrayOf(field);
  return stretchesOf(field.dtype).map(inner => {
    const place: Place = { strides: [...strides, ...inner.to.strides], offset: field.offset + inner.to.offset };
    return { itemsize: inner.itemsize, shape: [...shape, ...inner.shape], from: place, to: place };
  });
}

/** Of large items each byte counts as an element, so that they can be cut anywhere. */
function wholeOf(itemsize: number, offset = 0): Stretch {
  const isLarge = itemsize > LIMITS.itemBytesMax;
  const place: Place = { strides: isLarge ? [1] : [], offset };
  return { itemsize: isLarge ? 1 : itemsize, shape: isLarge ? [itemsize] : [], from: place, to: place };
}

/** What writing a selection changes in the file: one change for each stretch of an item. */
export function changesOf(target: Target, selection: Selection, payload: Pick<Change, 'bytes' | 'source'>): Change[] {
  return changesAt(target, selectFrom(target.view, selection), payload);
}

/** The same for items that stand in `items`, each of which comes from the same place of `source`. */
export function changesAt(
  { stretches }: Target,
  items: View,
  { bytes, source }: Pick<Change, 'bytes' | 'source'>,
): Change[] {
  return stretches.map(({ itemsize, shape, from, to }) => ({
    itemsize,
    target: within(items, shape, to),
    source: within(source, shape, from),
    bytes,
  }));
}

function within(view: View, shape: readonly number[], { strides, offset }: Place): View {
  const inside = {
    shape: [...view.shape, ...shape],
    strides: [...view.strides, ...strides],
    offset: view.offset + offset,
  };
  if (!view.lists) return inside;
  const none = shape.map(() => 0);
  return { ...inside, lists: view.lists.map(list => listAlong(list, [...list.strides, ...none])) };
}

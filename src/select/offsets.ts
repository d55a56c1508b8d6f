/** What one list of an index chooses, as offsets in bytes along the axes that it takes. Checked here, and only here. */
import { fail } from '../errors.js';
import { NO_LISTS, type OffsetList, type View } from '../layout/view.js';
import { isTurnOver } from '../turns.js';
import { sharedNumbers, type BooleansItem, type IntegersItem, type ListItem } from './items.js';

/** Entries that are looked at in one turn: under a millisecond. */
const ENTRIES_PER_TURN = 64 * 1024;

/** Offsets of a shape of their own. */
export interface Offsets {
  readonly shape: readonly number[];
  readonly offsets: Float64Array;
  /** The least and the greatest of them; 0 where there are none. */
  readonly min: number;
  readonly max: number;
}

/** In turns. `axis` is the first axis of the view that the item takes; `named` is its number in messages. */
export function* offsetsOf(item: ListItem, view: View, axis: number, named: number): Generator<void, Offsets> {
  return item.kind === 'integers'
    ? yield* offsetsOfIntegers(item, view, axis, named)
    : yield* offsetsOfBooleans(item, view, axis, named);
}

/** @throws index_out_of_bounds, also where nothing is taken in the end */
function* offsetsOfIntegers(
  { shape, values }: IntegersItem,
  view: View,
  axis: number,
  named: number,
): Generator<void, Offsets> {
  const length = view.shape[axis]!;
  const stride = view.strides[axis]!;
  const lists = listsAlong(view, axis);
  const offsets = sharedNumbers(values.length);
  let [min, max] = ENDS_OF_NONE;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const index = value < 0 ? value + length : value;
    if (index < 0 || index >= length) failBounds(value, named, length);
    const offset = lists === NO_LISTS ? index * stride : index * stride + entriesAt(lists, axis, index);
    offsets[i] = offset;
    if (offset < min) min = offset;
    if (offset > max) max = offset;
    if (isTurnOver(i, ENTRIES_PER_TURN)) yield;
  }
  return { shape, offsets, ...ends(min, max) };
}

/** Lists of the view itself choose along one axis each: columns that were named. */
function listsAlong({ lists = NO_LISTS }: View, axis: number): readonly OffsetList[] {
  return lists.some(({ strides }) => strides[axis] !== 0) ? lists : NO_LISTS;
}

function entriesAt(lists: readonly OffsetList[], axis: number, index: number): number {
  let sum = 0;
  for (const { offsets, strides, start } of lists) {
    if (strides[axis] !== 0) sum += offsets[start + index * strides[axis]!]!;
  }
  return sum;
}

/** @throws bad_index where the booleans have other lengths than the axes */
function* offsetsOfBooleans(
  { shape, kept }: BooleansItem,
  view: View,
  axis: number,
  named: number,
): Generator<void, Offsets> {
  for (const [i, length] of shape.entries()) {
    // Booleans of no length choose nothing, along whichever axis: so does numpy.
    if (length === 0 || view.shape[axis + i] === length) continue;
    fail(
      'bad_index',
      `The booleans have the shape [${shape.join(', ')}]; axis ${named + i} of the array has the length ${view.shape[axis + i]}, not ${length}. Give one for each element of the axes that they choose from.`,
      { shape, axis: named + i, length: view.shape[axis + i]! },
    );
  }
  const offsets = sharedNumbers(kept.length);
  // The innermost axis changes fastest.
  const axes = shape.map((length, i) => ({ length, axis: axis + i })).toReversed();
  const lists = axes.map(each => listsAlong(view, each.axis));
  let [min, max] = ENDS_OF_NONE;
  for (let i = 0; i < kept.length; i++) {
    let rest = kept[i]!;
    let offset = 0;
    for (let k = 0; k < axes.length; k++) {
      const { length, axis: at } = axes[k]!;
      const index = rest % length;
      rest = (rest - index) / length;
      offset += index * view.strides[at]!;
      if (lists[k] !== NO_LISTS) offset += entriesAt(lists[k]!, at, index);
    }
    offsets[i] = offset;
    if (offset < min) min = offset;
    if (offset > max) max = offset;
    if (isTurnOver(i, ENTRIES_PER_TURN)) yield;
  }
  return { shape: [kept.length], offsets, ...ends(min, max) };
}

const ENDS_OF_NONE: readonly [number, number] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

function ends(min: number, max: number): { min: number; max: number } {
  return min <= max ? { min, max } : { min: 0, max: 0 };
}

function failBounds(index: number, axis: number, length: number): never {
  const remedy = length === 0 ? 'It has no elements.' : `Use ${-length} to ${length - 1}.`;
  // Those that are not exact have become the nearest that is.
  const shown = Math.abs(index) < Number.MAX_SAFE_INTEGER ? `Index ${index}` : `An index of ${index} or beyond`;
  return fail('index_out_of_bounds', `${shown} is out of bounds for axis ${axis} with length ${length}. ${remedy}`, {
    index,
    axis,
    length,
  });
}

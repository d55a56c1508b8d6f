/**
 * An index meets a view: the view of what numpy would take. Nothing is read; what lists choose becomes offsets, and
 * where numpy would make a table of all places, lists are combined by their steps: `[[0], [5]]` and `[1, 2, 3]` stay two
 * lists of two and three offsets, with strides [1, 0] and [0, 1].
 *
 * Of a shape (9, 8, 7, 6), `[":", [0, 1], 2, ":"]` takes (9, 2, 6): lists and integers beside each other are answered
 * where they stand. `[[0, 1], ":", 2, ":"]` takes (2, 8, 6) since something stands between them: their axes come first.
 */
import { fail } from '../errors.js';
import { broadcastShape } from '../layout/broadcast.js';
import { selectFrom } from '../layout/select.js';
import { listAlong, NO_LISTS, type OffsetList, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { normalise, WHOLE, type SlicePart } from '../selection.js';
import { isTurnOver } from '../turns.js';
import { axesOf, isList, type IndexItem, type IndexMode, type ListItem } from './items.js';
import { offsetsOf, type Offsets } from './offsets.js';

/**
 * What an index takes of a view, in turns.
 * @throws bad_index, too_many_indices, index_out_of_bounds, result_rank
 */
export function* indexView(view: View, items: readonly IndexItem[], mode: IndexMode): Generator<void, View> {
  const taken = items.reduce((sum, item) => sum + (axesOf(item) ?? 0), 0);
  checkItems(items, mode);
  if (taken > view.shape.length) {
    fail(
      'too_many_indices',
      `The index takes ${taken} axes; the array has ${view.shape.length}. Leave the others out.`,
      {
        asked: taken,
        rank: view.shape.length,
      },
    );
  }
  // First all that only steps, with whole axes in the place of lists.
  const parts: SlicePart[] = items.flatMap(item =>
    isList(item) ? Array.from<SlicePart>({ length: axesOf(item)! }).fill(WHOLE) : [item],
  );
  const stepped = selectFrom(view, normalise(parts, view.shape));
  const placed = places(items, view.shape.length - taken);
  const chosen: Chosen[] = [];
  for (const { item, axis, named } of placed) {
    chosen.push({ ...(yield* offsetsOf(item, stepped, axis, named)), axis, axes: axesOf(item)! });
  }
  if (chosen.length === 0) return stepped;
  return checked(mode === 'orthogonal' ? crossed(stepped, chosen) : together(stepped, chosen, items));
}

/** What a list chooses, and the axes of the stepped view that it takes. */
interface Chosen extends Offsets {
  readonly axis: number;
  readonly axes: number;
}

interface Placed {
  readonly item: ListItem;
  /** The first axis of the stepped view that it takes. */
  readonly axis: number;
  /** The first axis of the array that it takes, as the client counts them. */
  readonly named: number;
}

/** Where the lists of an index stand. `rest` axes are those of an ellipsis. */
function places(items: readonly IndexItem[], rest: number): Placed[] {
  const placed: Placed[] = [];
  let axis = 0;
  let named = 0;
  for (const item of items) {
    if (isList(item)) placed.push({ item, axis, named });
    const axes = axesOf(item) ?? rest;
    named += axes;
    if (item.kind === 'newaxis') axis++;
    else if (item.kind !== 'index') axis += axes;
  }
  return placed;
}

/** @throws bad_index */
function checkItems(items: readonly IndexItem[], mode: IndexMode): void {
  if (items.filter(({ kind }) => kind === 'ellipsis').length > 1) {
    fail('bad_index', 'The index has more than one "..."; numpy takes one at most. Leave the others out.');
  }
  if (mode === 'vectorized') return;
  for (const [at, item] of items.entries()) {
    const isHigh = isList(item) && item.shape.length !== 1;
    if (!isHigh && item.kind !== 'newaxis') continue;
    const what = isHigh ? `has ${item.shape.length} axes` : 'is newaxis';
    fail(
      'bad_index',
      `Item ${at} of the index ${what}; orthogonal takes integers, slices, and lists and masks of one axis. Leave mode out for numpy's own rule.`,
      { item: at },
    );
  }
}

/** Every list along its own axis, in its place. */
function crossed(stepped: View, chosen: readonly Chosen[]): View {
  const shape = [...stepped.shape];
  for (const { axis, offsets } of chosen) shape[axis] = offsets.length;
  const strides = stepped.strides.map((stride, axis) => (chosen.some(each => each.axis === axis) ? 0 : stride));
  const own = chosen.map(({ axis, offsets, min, max }) => ({
    offsets,
    min,
    max,
    strides: shape.map((_, i) => (i === axis ? 1 : 0)),
  }));
  return withLists({ shape, strides, offset: stepped.offset, lists: keptLists(stepped, chosen, each => each) }, own);
}

/** All lists broadcast against each other, their axes in the place that numpy gives them. */
function together(stepped: View, chosen: readonly Chosen[], items: readonly IndexItem[]): View {
  const joint = broadcastShape(chosen.map(({ shape }) => shape));
  if (!joint) {
    fail(
      'bad_index',
      `The lists of the index have the shapes ${chosen.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')}, which cannot be broadcast together. Give them the same shape, or take mode orthogonal, in which each has an axis of its own.`,
      { shapes: chosen.map(({ shape }) => shape) },
    );
  }
  const isTaken = (axis: number): boolean => chosen.some(each => axis >= each.axis && axis < each.axis + each.axes);
  const left = stepped.shape.map((_, axis) => axis).filter(axis => !isTaken(axis));
  const before = areBeside(items) ? left.filter(axis => axis < chosenStart(items, chosen)).length : 0;
  /** The same for each axis of the answer: what stays, with `middle` where the lists' own axes come. */
  const arrange = (each: readonly number[], middle: readonly number[]): number[] => {
    const stays = left.map(axis => each[axis]!);
    return [...stays.slice(0, before), ...middle, ...stays.slice(before)];
  };
  const none = joint.map(() => 0);
  const view: View = {
    shape: arrange(stepped.shape, joint),
    strides: arrange(stepped.strides, none),
    offset: stepped.offset,
    lists: keptLists(stepped, chosen, strides => arrange(strides, none)),
  };
  const zeros = stepped.shape.map(() => 0);
  const own = chosen.map(({ shape, offsets, min, max }) => ({
    offsets,
    min,
    max,
    strides: arrange(zeros, alignedStrides(shape, joint)),
  }));
  return withLists(view, own);
}

/** True where nothing stands between lists and integers, which go with them; an ellipsis of no axes does, too. */
function areBeside(items: readonly IndexItem[]): boolean {
  const goesAlong = items.map(item => isList(item) || item.kind === 'index');
  const first = goesAlong.indexOf(true);
  const last = goesAlong.lastIndexOf(true);
  return goesAlong.slice(first, last).every(Boolean);
}

/** The axis of the stepped view at which lists and integers, which stand together, begin. */
function chosenStart(items: readonly IndexItem[], [first]: readonly Chosen[]): number {
  // Integers before the first list have no axis of their own any more.
  return items.some(isList) ? first!.axis : 0;
}

/** Entries from one element to the next of a C-order list, repeated along the axes of `joint` in which it has one alone. */
function alignedStrides(shape: readonly number[], joint: readonly number[]): number[] {
  const strides: number[] = joint.map(() => 0);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]!;
    if (length !== 1) strides[joint.length - shape.length + axis] = step;
    step *= length;
  }
  return strides;
}

/** The view's own lists that choose along axes which stay. */
function keptLists(
  { lists = NO_LISTS }: View,
  chosen: readonly Chosen[],
  arrange: (strides: readonly number[]) => readonly number[],
): OffsetList[] {
  const isTaken = ({ strides }: OffsetList): boolean =>
    chosen.some(({ axis, axes }) => strides.slice(axis, axis + axes).some(stride => stride !== 0));
  return lists.filter(list => !isTaken(list)).map(list => listAlong(list, arrange(list.strides)));
}

/** Adds lists; one of a single entry only moves the view. */
function withLists(view: View, more: readonly Omit<OffsetList, 'start'>[]): View {
  let { offset } = view;
  const lists = [...(view.lists ?? NO_LISTS)];
  for (const list of more) {
    if (list.offsets.length === 1) offset += list.offsets[0]!;
    else if (list.offsets.length > 0) lists.push({ ...list, start: 0 });
  }
  const { shape, strides } = view;
  return lists.length > 0 ? { shape, strides, offset, lists } : { shape, strides, offset };
}

/** @throws result_rank */
function checked(view: View): View {
  const { length } = view.shape;
  if (length > LIMITS.rankMax) {
    fail(
      'result_rank',
      `The result would have ${length} axes; at most ${LIMITS.rankMax} are possible. Nest lists less.`,
      {
        asked: length,
        limit: LIMITS.rankMax,
      },
    );
  }
  return view;
}

/** Rows of axis 0, in turns: what a filter has kept. */
export function* rowsView(view: View, rows: Float64Array): Generator<void, View> {
  return yield* indexView(view, [{ kind: 'integers', shape: [rows.length], values: rows }], 'vectorized');
}

/** Points with a coordinate for each axis, one after the other, in turns. @throws bad_index, index_out_of_bounds */
export function* pointsView(
  view: View,
  { shape, values }: { readonly shape: readonly number[]; readonly values: Float64Array },
): Generator<void, View> {
  const rank = view.shape.length;
  const [count = 0, coordinates = rank] = shape;
  if (shape.length > 2 || coordinates !== rank || (shape.length === 1 && count > 0)) {
    fail(
      'bad_index',
      `The points have the shape [${shape.join(', ')}]; the array has ${rank} axes. Give a list of points, each a list of ${rank} integers.`,
      { shape, rank },
    );
  }
  if (rank === 0) return { shape: [count], strides: [0], offset: view.offset };
  const columns = Array.from({ length: rank }, () => new Float64Array(count));
  for (let point = 0; point < count; point++) {
    for (let axis = 0; axis < rank; axis++) columns[axis]![point] = values[point * rank + axis]!;
    if (isTurnOver(point)) yield;
  }
  const items = columns.map(column => ({ kind: 'integers', shape: [count], values: column }) as const);
  return yield* indexView(view, items, 'vectorized');
}

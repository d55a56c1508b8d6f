/**
 * Places of a file that a write goes to, where they follow no step: runs of one length in ascending order, none of them
 * twice. As a view of single bytes it is `[runs, bytes of a run]` with one list, of where each begins.
 */
import { type OffsetList, type View } from './view.js';

/** A view that `listedPlaces` made. */
export interface ListedView extends View {
  readonly lists: readonly [OffsetList];
}

/** @param places ascending, in shared memory */
export function listedPlaces(places: Float64Array, runBytes: number): ListedView {
  const list = { offsets: places, strides: [1, 0], start: 0, min: places[0] ?? 0, max: places.at(-1) ?? 0 };
  return { shape: [places.length, runBytes], strides: [0, 1], offset: 0, lists: [list] };
}

export function isListed(view: View): view is ListedView {
  return view.lists !== undefined;
}

export function placesIn({ lists: [{ offsets }] }: ListedView): Float64Array {
  return offsets;
}

export function runBytesIn({ shape }: ListedView): number {
  return shape[1]!;
}

/** Calls back for stretches of runs that follow each other without a gap wider than `gapBytes`. */
export function eachStretch(
  view: ListedView,
  gapBytes: number,
  visit: (start: number, end: number, firstRun: number, runs: number) => void,
): void {
  const places = placesIn(view);
  const runBytes = runBytesIn(view);
  for (let first = 0, next = 0; first < places.length; first = next) {
    let end = places[first]! + runBytes;
    for (next = first + 1; next < places.length && places[next]! - end <= gapBytes; next++)
      end = places[next]! + runBytes;
    visit(places[first]!, end, first, next - first);
  }
}

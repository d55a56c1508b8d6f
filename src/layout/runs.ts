/** Which stretches of a file a view touches, coarsely: few ranges that hold every byte of it and not much else. */
import { arrangeLoops, type Loop } from './copy.js';
import { eachStretch, isListed, type ListedView } from './places.js';
import type { View } from './view.js';

/** Bytes of a file, `[start, end)`. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** What is asked for where no byte is wanted. */
export const NO_BYTES: Extent = { start: 0, end: 0 };

export interface RunBounds {
  /** Runs that are no further apart than this become one. */
  readonly gapBytesMax: number;
  /** Where there would be more, runs of the innermost axes are joined across any gap. */
  readonly runsMax: number;
}

/**
 * Ranges in ascending order that hold all bytes of `view` that lie inside `within`, and none outside it. A range may
 * also hold bytes that are not the view's. O(rank) plus O(runsMax).
 */
export function coveringRuns(
  view: View,
  itemsize: number,
  within: Extent,
  { gapBytesMax, runsMax }: RunBounds,
): Extent[] {
  if (view.shape.includes(0)) return [];
  if (isListed(view)) return runsOfPlaces(view, within, gapBytesMax, runsMax);
  const { loops, fromStart } = arrangeLoops(
    view.shape.map((length, axis) => ({ length, from: view.strides[axis]!, to: 0 })),
    view.offset,
    0,
  );
  const outer = [...loops];
  let runBytes = itemsize;
  for (let inner = outer.at(-1); inner && inner.from - runBytes <= gapBytesMax; inner = outer.at(-1)) {
    runBytes = joined(outer, runBytes);
  }
  for (;;) {
    const runs: Extent[] = [];
    if (collect(outer, fromStart, runBytes, within, runs, runsMax)) return runs;
    runBytes = joined(outer, runBytes);
  }
}

/** Of places one by one: where there are too many runs, wider gaps are covered with them. */
function runsOfPlaces(view: ListedView, within: Extent, gapBytesMax: number, runsMax: number): Extent[] {
  for (let gapBytes = gapBytesMax; ; gapBytes = 4 * Math.max(1, gapBytes)) {
    const runs: Extent[] = [];
    eachStretch(view, gapBytes, (from, to) => {
      const start = Math.max(from, within.start);
      const end = Math.min(to, within.end);
      if (start < end) runs.push({ start, end });
    });
    if (runs.length <= Math.max(1, runsMax)) return runs;
  }
}

/** Takes the innermost loop away; returns the bytes of a run that covers all its steps. */
function joined(loops: Loop[], runBytes: number): number {
  const { from, length } = loops.pop()!;
  return runBytes + from * (length - 1);
}

/** False when there are too many. */
function collect(
  loops: readonly Loop[],
  from: number,
  runBytes: number,
  within: Extent,
  runs: Extent[],
  runsMax: number,
): boolean {
  const [outer, ...inner] = loops;
  if (!outer) {
    const start = Math.max(from, within.start);
    const end = Math.min(from + runBytes, within.end);
    if (start < end) runs.push({ start, end });
    return runs.length <= Math.max(1, runsMax);
  }
  const reach = inner.reduce((bytes, loop) => bytes + loop.from * (loop.length - 1), runBytes);
  const first = Math.max(0, Math.floor((within.start - from - reach) / outer.from) + 1);
  const last = Math.min(outer.length - 1, Math.ceil((within.end - from) / outer.from) - 1);
  for (let i = first; i <= last; i++) {
    if (!collect(inner, from + i * outer.from, runBytes, within, runs, runsMax)) return false;
  }
  return true;
}

/** The same bytes as ascending ranges that do not touch each other. */
export function unionOf(extents: readonly Extent[]): Extent[] {
  const union: { start: number; end: number }[] = [];
  for (const { start, end } of extents.toSorted((a, b) => a.start - b.start)) {
    const last = union.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else union.push({ start, end });
  }
  return union;
}

/** Axes in blocks as axes that kernels know: those of whole blocks, and those inside one. */
import { type Axis, stretchOf } from './blocks.js';
import type { Box } from './box.js';

/**
 * The same elements without axes in blocks: each becomes an axis of whole blocks and one along them, with what is left in
 * front and behind in boxes of their own. 10 elements in blocks of 4: two blocks of 4, and 2 elements.
 */
export function* withoutBlocks(box: Box, from = 0): Generator<Box, void> {
  const at = box.axes.findIndex(({ blocks }, i) => i >= from && blocks !== undefined);
  if (at < 0) {
    yield box;
    return;
  }
  const axis = box.axes[at]!;
  for (const [start, end] of stretchesOf(axis)) {
    const { axis: stretch, cells } = stretchOf(axis, start, end);
    const axes = stretch.blocks ? splitAxis(stretch) : [stretch];
    const part: Box = {
      axes: box.axes.toSpliced(at, 1, ...axes),
      offset: box.offset + start * axis.stride,
      cell: box.cell + cells * axis.cellStep,
      index: box.index + start * axis.indexStep,
    };
    yield* withoutBlocks(part, at + axes.length);
  }
}

/** What an axis has in front of its whole blocks, these, and what is behind. */
function stretchesOf({ length, blocks }: Axis): [start: number, end: number][] {
  const { length: block, phase } = blocks!;
  const first = phase === 0 ? 0 : Math.min(length, block - phase);
  const last = first + Math.floor((length - first) / block) * block;
  const ends: [number, number][] = [
    [0, first],
    [first, last],
    [last, length],
  ];
  return ends.filter(([start, end]) => end > start);
}

/** Whole blocks, and the elements of each. */
function splitAxis({ blocks, ...axis }: Axis): [Axis, Axis] {
  const { length } = blocks!;
  const { stride, indexStep } = axis;
  return [
    { ...axis, length: axis.length / length, stride: stride * length, indexStep: indexStep * length },
    { ...axis, length, kept: false, cellStep: 0 },
  ];
}

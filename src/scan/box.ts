/**
 * Boxes: the geometry of plans, chunks and tiles. A box is a view whose axes also say where each element's cell is in
 * the answer and which index a position has, so that axes may be reordered, flipped, merged and cut freely.
 * Pure arithmetic, O(rank); nothing here depends on the number of elements.
 */
import type { View } from '../layout/view.js';
import {
  type Axis,
  type CellAxis,
  cellsAlong,
  lengthOfPiece,
  piecesAlong,
  type RowsAxis,
  spanOfPiece,
  stretchOf,
} from './blocks.js';

export type { Axis } from './blocks.js';

/** Axes outermost first, and where element [0, …, 0] stands. */
export interface Box {
  readonly axes: readonly Axis[];
  readonly offset: number;
  readonly cell: number;
  readonly index: number;
}

/** How a cell's number, row-major over these axes, becomes a position in the answer (C order of the kept axes as asked). */
export interface CellOrder {
  readonly axes: readonly CellAxis[];
  readonly start: number;
}

/**
 * The elements of a view in the order of memory: largest stride outermost, all strides forwards, as few axes as
 * possible. Cells are numbered row-major in that order. The view must not be empty. The first axis stays by itself
 * where it is one of `rows`. `blockOf` is how many neighbours along an axis that is kept share a cell; 1 where it is absent.
 */
export function memoryOrder(
  view: View,
  isKept: (axis: number) => boolean,
  indexed: boolean,
  {
    rows,
    blockOf,
  }: { readonly rows?: RowsAxis | undefined; readonly blockOf?: ((axis: number) => number) | undefined } = {},
): { box: Box; cellOrder: CellOrder } {
  let { offset } = view;
  let index = 0;
  let start = 0;
  let indexSize = indexed ? 1 : 0;
  let answerSize = 1;
  const loops: (Omit<Axis, 'cellStep'> & { answerStep: number })[] = [];
  for (let axis = view.shape.length - 1; axis >= 0; axis--) {
    const length = view.shape[axis]!;
    const kept = isKept(axis);
    const block = kept && blockOf ? blockOf(axis) : 1;
    const cells = kept ? Math.ceil(length / block) : 1;
    let stride = view.strides[axis]!;
    let indexStep = kept && block === 1 ? 0 : indexSize;
    let answerStep = kept ? answerSize : 0;
    let phase = 0;
    answerSize *= cells;
    if (indexStep > 0) indexSize *= length;
    const isRows = rows !== undefined && axis === 0;
    if (length === 1 && !isRows) continue;
    if (stride < 0) {
      offset += stride * (length - 1);
      index += indexStep * (length - 1);
      start += answerStep * (cells - 1);
      phase = cells * block - length;
      [stride, indexStep, answerStep] = [-stride, -indexStep, -answerStep];
    }
    const blocks = block > 1 && { blocks: { length: block, phase } };
    loops.unshift({ length, stride, kept, indexStep, answerStep, ...blocks, ...(isRows && { rows }) });
  }
  loops.sort((a, b) => b.stride - a.stride);
  const axes: Axis[] = [];
  let cells = 1;
  for (const { answerStep: _, ...loop } of loops.toReversed()) {
    axes.unshift({ ...loop, cellStep: loop.kept ? cells : 0 });
    cells *= cellsAlong(loop);
  }
  const cellAxes: CellAxis[] = [];
  for (const loop of loops) {
    const { length: elements, kept, answerStep: step, blocks } = loop;
    if (kept) cellAxes.push({ length: cellsAlong(loop), step, ...(blocks && { blocks: { ...blocks, elements } }) });
  }
  return { box: { axes: mergeAxes(axes), offset, cell: 0, index }, cellOrder: { axes: cellAxes, start } };
}

/** Drops axes of length one and joins neighbours that continue each other in memory, cells and index. */
export function mergeAxes(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    if (axis.length === 1 && !axis.rows) continue;
    const outer = merged.at(-1);
    if (outer && continues(outer, axis)) merged[merged.length - 1] = { ...axis, length: outer.length * axis.length };
    else merged.push(axis);
  }
  return merged;
}

function continues(outer: Axis, inner: Axis): boolean {
  return (
    !outer.rows &&
    !inner.rows &&
    !outer.blocks &&
    !inner.blocks &&
    outer.kept === inner.kept &&
    outer.stride === inner.stride * inner.length &&
    outer.cellStep === inner.cellStep * inner.length &&
    outer.indexStep === inner.indexStep * inner.length
  );
}

/** A box cut into equal boxes (the first and the last along an axis may be smaller), numbered row-major. */
export interface Grid {
  /** Length of a piece along each axis. */
  readonly lengths: readonly number[];
  readonly boxes: number;
  /** What the first piece of the outermost axis lacks of its length. */
  readonly phase: number;
}

interface GridBounds {
  readonly cellsMax: number;
  /** From the first to the last element of a piece, in the unit of the strides. */
  readonly reachMax: number;
  /** Rows of a piece, where rows are chosen. */
  readonly rowsMax?: number;
  /** Where on the outermost axis the box starts, in steps: pieces are cut at multiples of their length from there. */
  readonly phase?: number;
}

export const UNBOUNDED: GridBounds = { cellsMax: Number.POSITIVE_INFINITY, reachMax: Number.POSITIVE_INFINITY };

/**
 * Cuts so that a piece has at most `elementsMax` elements (at least one) and `cellsMax` cells, reaches no further than
 * `reachMax`, and so that the cells of a piece are consecutive: of the kept axes at most one is cut, those outside it
 * have length one, those inside it are whole. Reduced axes outside a cut kept axis still grow, which keeps partials
 * small against the data they cover. Axes in blocks are cut between blocks, or into parts of one.
 */
export function gridOf(
  axes: readonly Axis[],
  elementsMax: number,
  { cellsMax, reachMax, rowsMax, phase }: GridBounds,
): Grid {
  const lengths: number[] = [];
  let elements = axes.reduce((product, { isWhole, length }) => (isWhole ? product * length : product), 1);
  let cells = 1;
  let boxes = 1;
  let cellsCut = false;
  let missing = 0;
  for (let i = axes.length - 1; i >= 0; i--) {
    const { length, kept, stride, rows, blocks, isWhole } = axes[i]!;
    if (isWhole) {
      lengths.unshift(length);
      continue;
    }
    let limit = Math.min(elementsMax / elements, reachMax / stride);
    if (blocks) {
      const axis = axes[i]!;
      const piece = lengthOfPiece(axis, limit, cellsCut ? 1 : cellsMax / cells);
      const pieces = piecesAlong(axis, piece);
      lengths.unshift(piece);
      boxes *= pieces;
      elements *= Math.min(piece, length);
      cells *= Math.ceil(Math.min(piece, length) / blocks.length);
      if (pieces > 1) cellsCut = true;
      continue;
    }
    if (kept) limit = cellsCut ? 1 : Math.min(limit, cellsMax / cells);
    if (rows && rowsMax !== undefined) limit = Math.min(limit, rowsMax);
    limit = Math.max(1, Math.floor(limit));
    const pieces = Math.ceil(length / limit);
    const isAligned = i === 0 && phase !== undefined;
    // Kept axes are cut evenly: a thin last strip would cost as many reads as a whole one.
    let piece = isAligned ? limit : pieces === 1 ? length : kept ? Math.ceil(length / pieces) : limit;
    if (rows && piece < length) piece = rowsOfPiece(rows, length, limit);
    if (isAligned) missing = phase % piece;
    lengths.unshift(piece);
    boxes *= Math.ceil((length + (i === 0 ? missing : 0)) / piece);
    elements *= piece;
    if (kept) cells *= piece;
    if (kept && (piece < length || missing > 0)) cellsCut = true;
  }
  return { lengths, boxes, phase: missing };
}

/** Rows are cut evenly at multiples: their pieces are few, and workers should finish together. */
function rowsOfPiece({ multiple }: RowsAxis, length: number, limit: number): number {
  const most = multiple * Math.max(1, Math.floor(limit / multiple));
  const pieces = Math.ceil(length / most);
  return multiple * Math.ceil(length / (pieces * multiple));
}

/** Where piece `number` of a grid begins on an axis, in steps from the start of the box. */
export function startOf({ axes }: Box, grid: Grid, number: number, axis: number): number {
  const piecesOf = (i: number): number => Math.ceil((axes[i]!.length + (i === 0 ? grid.phase : 0)) / grid.lengths[i]!);
  for (let i = axes.length - 1; i > axis; i--) number = Math.floor(number / piecesOf(i));
  const first = (number % piecesOf(axis)) * grid.lengths[axis]! - (axis === 0 ? grid.phase : 0);
  return Math.max(0, first);
}

/** Piece `number` of a grid over a box. */
export function boxAt(box: Box, grid: Grid, number: number): Box {
  let { offset, cell, index } = box;
  const axes: Axis[] = [];
  for (let i = box.axes.length - 1; i >= 0; i--) {
    const axis = box.axes[i]!;
    const piece = grid.lengths[i]!;
    if (axis.blocks) {
      const pieces = piecesAlong(axis, piece);
      const { start, end } = spanOfPiece(axis, piece, number % pieces);
      number = Math.floor(number / pieces);
      const { axis: stretch, cells } = stretchOf(axis, start, end);
      offset += start * axis.stride;
      cell += cells * axis.cellStep;
      index += start * axis.indexStep;
      axes.unshift(stretch);
      continue;
    }
    const missing = i === 0 ? grid.phase : 0;
    const pieces = Math.ceil((axis.length + missing) / piece);
    const first = (number % pieces) * piece - missing;
    const start = Math.max(0, first);
    number = Math.floor(number / pieces);
    offset += start * axis.stride;
    cell += start * axis.cellStep;
    index += start * axis.indexStep;
    const length = Math.min(first + piece, axis.length) - start;
    const rows = axis.rows && { ...axis.rows, first: axis.rows.first + start };
    axes.unshift({ ...axis, length, ...(rows && { rows }) });
  }
  return { axes, offset, cell, index };
}

export function cellsOf(box: Box): number {
  return box.axes.reduce((cells, axis) => cells * cellsAlong(axis), 1);
}

export function viewOf(box: Box): View {
  return { shape: box.axes.map(axis => axis.length), strides: box.axes.map(axis => axis.stride), offset: box.offset };
}

/** The same axes after their elements were packed in C order: strides in elements. */
export function packedAxes(axes: readonly Axis[]): Axis[] {
  const packed: Axis[] = [];
  let stride = 1;
  for (const axis of axes.toReversed()) {
    packed.unshift({ ...axis, stride });
    stride *= axis.length;
  }
  return packed;
}

/** The same box after its elements were packed in C order: strides in elements, from 0, axes merged. */
export function packedBox(box: Box): Box {
  return { ...box, axes: mergeAxes(packedAxes(box.axes)), offset: 0 };
}

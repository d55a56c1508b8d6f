/** Chunks of a walk, made on demand. */
import { type ChunkTask, type Walk, type WalkBounds, walkOver } from './walk.js';
import { type Box, boxAt, cellsOf, viewOf } from './axes.js';
import { cellsIn, rowsChunkAt } from './rows/rows-walk.js';
import { sizeOf } from '../layout/view.js';

/** A walk over a part of another one, and the cells that it adds to. */
export function walkWithin(
  { source, dtype, rows }: Walk,
  box: Box,
  bounds: WalkBounds,
): { walk: Walk; cellStart: number; cellCount: number } {
  const walk: Walk = { ...walkOver(dtype, box, undefined, bounds), source, ...(rows && { rows }) };
  const cells = rows ? cellsIn(box, rows) : { cellStart: box.cell, cellCount: cellsOf(box) };
  return { walk, ...cells };
}

/** Chunk `number` of a walk, from 0 to `walk.chunkCount - 1`. */
export function chunkAt(walk: Walk, chunk: number): ChunkTask {
  const number = chunk * (walk.every ?? 1);
  if (walk.rows) return rowsChunkAt(walk, walk.rows, number);
  const { source, dtype, box, grid, tileBytesMax } = walk;
  const piece = boxAt(box, grid, number);
  const view = viewOf(piece);
  const elements = sizeOf(view.shape);
  const bytes = elements * dtype.itemsize;
  const cellStart = piece.cell;
  return { source, dtype, view, bytes, elements, tileBytesMax, box: piece, cellStart, cellCount: cellsOf(piece) };
}

/** Chunks of a scan, made on demand. */
import { type ChunkTask, type Scan, type ScanBounds, scanOver } from './scan.js';
import { type Box, boxAt, cellsOf, viewOf } from './box.js';
import { cellsIn, rowsChunkAt } from './row-chunks.js';
import { sizeOf } from '../../layout/view.js';

/** A scan over a part of another one, and the cells that it adds to. */
export function scanWithin(
  { source, dtype, rows }: Scan,
  box: Box,
  bounds: ScanBounds,
): { scan: Scan; cellStart: number; cellCount: number } {
  const scan: Scan = { ...scanOver(dtype, box, undefined, bounds), source, ...(rows && { rows }) };
  const cells = rows ? cellsIn(box, rows) : { cellStart: box.cell, cellCount: cellsOf(box) };
  return { scan, ...cells };
}

/** Chunk `number` of a scan, from 0 to `scan.chunkCount - 1`. */
export function chunkAt(scan: Scan, chunk: number): ChunkTask {
  const number = chunk * (scan.every ?? 1);
  if (scan.rows) return rowsChunkAt(scan, scan.rows, number);
  const { source, dtype, box, grid, tileBytesMax } = scan;
  const piece = boxAt(box, grid, number);
  const view = viewOf(piece);
  const elements = sizeOf(view.shape);
  const bytes = elements * dtype.itemsize;
  const cellStart = piece.cell;
  return { source, dtype, view, bytes, elements, tileBytesMax, box: piece, cellStart, cellCount: cellsOf(piece) };
}

/**
 * Memory that a chunk is computed in and that the next chunk of the thread uses again. Hazard: it is shared by all calls
 * of a thread, which is safe because a chunk is computed without interruption.
 */
import { BLOCK_ELEMENTS_MAX, newBlock, type Block } from './tile.js';

/** Columns that are reduced together by row kernels. */
export const STRIP_WIDTH_MAX = 512;

/** Memory that is written before it is read; nothing in it outlives a block. */
export interface Scratch {
  readonly block: Block;
  readonly column: Block;
  /** A run without its NaN. */
  readonly compacted: Float64Array;
  readonly sums: Float64Array;
  readonly means: Float64Array;
  readonly squares: Float64Array;
}

/** By whether blocks have halves. */
const scratches = new Map<boolean, Scratch>();

export function scratchOf(wide: boolean): Scratch {
  let scratch = scratches.get(wide);
  if (!scratch) {
    scratch = {
      block: newBlock(wide),
      column: newBlock(wide),
      compacted: new Float64Array(BLOCK_ELEMENTS_MAX),
      sums: new Float64Array(STRIP_WIDTH_MAX),
      means: new Float64Array(STRIP_WIDTH_MAX),
      squares: new Float64Array(STRIP_WIDTH_MAX),
    };
    scratches.set(wide, scratch);
  }
  return scratch;
}

/**
 * The reduce measurement: the tiles of a chunk become numbers block by block, and blocks are reduced into the fields of
 * the cells. Memory: blocks of 256 KiB each, and the partial.
 */
import { boxAt, type Axis, type Box } from './axes.js';
import type { Engine } from './engine.js';
import { isWide, newFields, type ChunkPartial } from './fields.js';
import type { Measurement } from './measurements.js';
import type { ReduceMeasure } from './part.js';
import { newReduction, reduceRows, reduceRun, type Reduction } from './reduce.js';
import { STRIP_WIDTH_MAX } from './scratch.js';
import { BLOCK_ELEMENTS_MAX, loadRows, loadRun, tileOf, type Tile } from './tile.js';
import { NATIVE_BYTES, type Tile as NativeTile } from './tiles.js';
import type { ChunkTask } from './walk.js';

/** Elements of a run that are reduced at a time: 32 KiB as float64, a first-level cache. */
const RUN_LENGTH_MAX = 4096;
/** Rows of a strip of STRIP_WIDTH_MAX columns: as many as a block holds. */
const STRIP_ROWS_MAX = BLOCK_ELEMENTS_MAX / STRIP_WIDTH_MAX;
/** Strips that are reduced column by column are narrower and longer, and below this width always are. */
const COLUMNS_WIDTH_MAX = 64;
const ROW_KERNEL_WIDTH_MIN = 8;

export class ReduceMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #chunk: ChunkTask;
  readonly #reduction: Reduction;

  constructor(engine: Engine, measure: ReduceMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#chunk = chunk;
    const fields = newFields(measure.fields, chunk.cellCount);
    this.#reduction = newReduction(fields, isWide(chunk.dtype), measure.countsNan);
  }

  add({ type, ptr, box }: NativeTile): void {
    const elements = box.axes.reduce((count, axis) => count * axis.length, 1);
    const bytes = this.#engine.scratch.u8(ptr, elements * NATIVE_BYTES[type]);
    reduceTile(this.#reduction, tileOf(type, bytes), box);
  }

  partial(): ChunkPartial {
    const { block, fields } = this.#reduction;
    // The scratch memory outlives this call; the tile must not live with it.
    block.values = block.scratch;
    const { cellStart, cellCount, elements } = this.#chunk;
    return { cellStart, cellCount, cellSize: elements / cellCount, ...fields };
  }
}

const ONE_REDUCED: Axis = { length: 1, stride: 0, kept: false, cellStep: 0, indexStep: 0 };
const ONE_KEPT: Axis = { ...ONE_REDUCED, kept: true };

/** Walks the outer axes of a tile; the two innermost, one kept and one reduced, are what blocks are made of. */
function reduceTile(reduction: Reduction, tile: Tile, box: Box): void {
  const axes = [...box.axes];
  const inner = axes.pop() ?? ONE_REDUCED;
  const next = axes.at(-1);
  const outer = next && next.kept !== inner.kept ? axes.pop()! : inner.kept ? ONE_REDUCED : ONE_KEPT;
  const boxes = axes.reduce((count, axis) => count * axis.length, 1);
  const innerGrid = { lengths: axes.map(() => 1), boxes, phase: 0 };
  for (let number = 0; number < innerGrid.boxes; number++) {
    const at = boxAt({ ...box, axes }, innerGrid, number);
    if (inner.kept) reduceRowsOf(reduction, tile, at, outer, inner);
    else reduceRunsOf(reduction, tile, at, outer, inner);
  }
}

/** Runs of `run.length` elements that lie end to end, a cell each. */
function reduceRunsOf(reduction: Reduction, tile: Tile, at: Box, cells: Axis, run: Axis): void {
  const { block } = reduction;
  const { length, indexStep } = run;
  // Short runs are loaded many at a time.
  const together = Math.max(1, Math.floor(RUN_LENGTH_MAX / length));
  for (let first = 0; first < cells.length; first += together) {
    const runs = Math.min(together, cells.length - first);
    for (let done = 0; done < length; done += RUN_LENGTH_MAX) {
      const count = Math.min(RUN_LENGTH_MAX, length - done);
      let from = loadRun(tile, at.offset + first * length + done, runs * count, block);
      let cell = at.cell + first * cells.cellStep;
      for (let i = 0; i < runs; i++, from += count, cell += cells.cellStep) {
        reduceRun(reduction, block, from, from + count, cell, at.index + done * indexStep, indexStep);
      }
    }
  }
}

/** Rows of `columns.length` cells that lie end to end. */
function reduceRowsOf(reduction: Reduction, tile: Tile, at: Box, rows: Axis, columns: Axis): void {
  const byRows = reduction.hasRowKernels && columns.length >= ROW_KERNEL_WIDTH_MIN;
  const widthMax = byRows ? STRIP_WIDTH_MAX : COLUMNS_WIDTH_MAX;
  for (let column = 0; column < columns.length; column += widthMax) {
    const width = Math.min(widthMax, columns.length - column);
    const rowsMax = byRows ? STRIP_ROWS_MAX : Math.min(RUN_LENGTH_MAX, Math.floor(BLOCK_ELEMENTS_MAX / width));
    for (let row = 0; row < rows.length; row += rowsMax) {
      const count = Math.min(rowsMax, rows.length - row);
      const from = at.offset + row * columns.length + column;
      const { start, step } = loadRows(tile, from, columns.length, count, width, reduction.block);
      const index = at.index + row * rows.indexStep;
      reduceRows(reduction, start, step, count, width, at.cell + column, index, rows.indexStep);
    }
  }
}

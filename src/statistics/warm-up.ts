/**
 * The first calls of a kernel run in V8's baseline code, at half the speed, until its optimizing compiler has seen enough
 * of them; a single call over much data would run so to its end. A few hundred tiny calls when a thread starts are enough.
 */
import { CellMemory } from './accumulators/cell-memory.js';
import type { Engine } from './engine.js';
import { CELL_FIELDS, WORKSPACE_BYTES } from '../kernels/cell-fields.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../kernels/native-types.js';

const CALLS = 200;
const ELEMENTS = 256;
const ROWS = 16;
/** What most data is; other types take their first tile to warm up. */
const TYPES = ['f32', 'f64'] as const;

/** Takes about a millisecond, and nothing of the engine's memory. */
export function warmUp(engine: Engine): void {
  const { kernels, scratch } = engine;
  const mark = scratch.mark();
  for (const type of TYPES) {
    const number = NATIVE_TYPES.indexOf(type);
    const ptr = scratch.alloc(ELEMENTS * NATIVE_BYTES[type]);
    scratch.u8(ptr, ELEMENTS * NATIVE_BYTES[type]).fill(1);
    const width = ELEMENTS / ROWS;
    const workspace = scratch.alloc(WORKSPACE_BYTES * width);
    const cells = new CellMemory(engine, type, width, CELL_FIELDS, 'columns');
    cells.begin(0, width);
    const run = [number, ptr, 0, ELEMENTS, 1, cells.at('sum'), cells.fieldBytes, 0] as const;
    const step = width * NATIVE_BYTES[type];
    const rows = [number, ptr, step, ROWS, width, 1, 0, cells.at('sum'), cells.fieldBytes, 0] as const;
    for (let call = 0; call < CALLS; call++) {
      kernels.sumRuns(...run, false);
      kernels.momentsRuns(...run, false, false, false);
      kernels.momentsRuns(...run, false, true, false);
      kernels.extremesRuns(...run);
      kernels.sumRows(...rows, workspace, false);
      kernels.momentsRows(...rows, workspace, false, false);
      kernels.extremesRows(...rows, workspace);
    }
  }
  scratch.release(mark);
}

/**
 * The first calls of a kernel run in V8's baseline code, at half the speed, until its optimizing compiler has seen enough
 * of them; a single call over much data would run so to its end. A few hundred tiny calls when a thread starts are enough.
 */
import { CELL_FIELDS, WORKSPACE_BYTES } from './cell-fields.js';
import type { Engine } from './engine.js';
import { NATIVE_BYTES, NATIVE_TYPES } from './native-types.js';

const CALLS = 200;
const ELEMENTS = 256;
/** Long runs have loops of their own, which take fewer calls to be seen enough. */
const LONG_CALLS = 8;
const LONG_ELEMENTS = 8192;
const ROWS = 16;
/** What most data is; other types take their first tile to warm up. */
const TYPES = ['f32', 'f64'] as const;

/** Takes about a millisecond, and nothing of the engine's memory. */
export function warmUp(engine: Engine): void {
  const { kernels, scratch, lines } = engine;
  const mark = scratch.mark();
  for (const type of TYPES) {
    const number = NATIVE_TYPES.indexOf(type);
    const ptr = scratch.alloc(LONG_ELEMENTS * NATIVE_BYTES[type]);
    scratch.u8(ptr, LONG_ELEMENTS * NATIVE_BYTES[type]).fill(1);
    const width = ELEMENTS / ROWS;
    const workspace = scratch.alloc(WORKSPACE_BYTES * width);
    const fieldBytes = 8 * width;
    const into = { cells: scratch.alloc(CELL_FIELDS.length * fieldBytes), fieldBytes, cellStep: 0 };
    scratch.f64(into.cells, CELL_FIELDS.length * width).fill(0);
    const run = { type: number, ptr, step: 0, count: 1, length: ELEMENTS, ...into };
    const step = width * NATIVE_BYTES[type];
    const rows = { type: number, ptr, step, count: ROWS, length: width, blocks: 1, workspace, ...into };
    const reduceRun = (length: number): void => {
      kernels.momentsRuns(lines.write({ ...run, length, extremes: true }));
      const over = lines.write({ ...run, length });
      kernels.sumRuns(over);
      kernels.momentsRuns(over);
      kernels.extremesRuns(over);
    };
    for (let call = 0; call < LONG_CALLS; call++) reduceRun(LONG_ELEMENTS);
    for (let call = 0; call < CALLS; call++) {
      reduceRun(ELEMENTS);
      const over = lines.write(rows);
      kernels.sumRows(over);
      kernels.momentsRows(over);
      kernels.extremesRows(over);
    }
  }
  scratch.release(mark);
}

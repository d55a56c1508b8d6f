/**
 * Kernels over runs: `count` runs of `length` contiguous elements, each into a cell of its own, `cellStep` bytes apart; 0
 * where all are one cell's. Cells have the fields of cell-fields.ts; lines.ts says how kernels are told.
 */
import { Lines } from './lines';
import { argsRun, extremesRun } from './runs/extremes';
import { momentsOfRuns } from './runs/moments';
import { sumsOfRuns } from './runs/sum';
import { zerosRun } from './runs/zeros';
import { forType, Kernel } from './types';

/** What is done with one run, whose first element has an index. */
class RunKernel {
  one<T>(lines: Lines, ptr: usize, cell: usize, index: f64): void {}
}

/** It is done with all runs. */
class Each<K extends RunKernel> extends Kernel {
  run<T>(args: usize): usize {
    const lines = changetype<Lines>(args);
    let ptr = lines.ptr;
    let cell = lines.cells;
    let index = lines.index;
    for (let i = lines.count; i > 0; i--, ptr += lines.step, cell += lines.cellStep, index += lines.outerIndexStep) {
      changetype<K>(<usize>0).one<T>(lines, ptr, cell, index);
    }
    return 0;
  }
}

class Sums extends Kernel {
  run<T>(args: usize): usize {
    sumsOfRuns<T>(changetype<Lines>(args));
    return 0;
  }
}

/** SUM and SUM_REST. `omits`: without NaN, and with SUM_COUNT. */
export function sumRuns(lines: usize): void {
  forType<Sums>(lines);
}

class Moments extends Kernel {
  run<T>(args: usize): usize {
    momentsOfRuns<T>(changetype<Lines>(args));
    return 0;
  }
}

/** COUNT, MEAN, MEAN_REST and M2, and what `extremes` and `sums` say. */
export function momentsRuns(lines: usize): void {
  forType<Moments>(lines);
}

class Extremes extends RunKernel {
  one<T>(lines: Lines, ptr: usize, cell: usize, index: f64): void {
    extremesRun<T>(ptr, lines.length, cell, lines.fieldBytes);
  }
}

/** SEEN, MIN and MAX. */
export function extremesRuns(lines: usize): void {
  forType<Each<Extremes>>(lines);
}

class Args extends RunKernel {
  one<T>(lines: Lines, ptr: usize, cell: usize, index: f64): void {
    argsRun<T>(lines, ptr, cell, index);
  }
}

/** SEEN, MIN, MAX and the lowest index of each in ARGMIN, ARGMAX; of NaN in NAN_INDEX. `wants` says which. */
export function argsRuns(lines: usize): void {
  forType<Each<Args>>(lines);
}

class Zeros extends RunKernel {
  one<T>(lines: Lines, ptr: usize, cell: usize, index: f64): void {
    zerosRun<T>(ptr, lines.length, cell, lines.fieldBytes);
  }
}

/** ZEROS. */
export function zerosRuns(lines: usize): void {
  forType<Each<Zeros>>(lines);
}

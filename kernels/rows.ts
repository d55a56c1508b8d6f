/**
 * Kernels over rows: a block of `count` rows of `length` contiguous elements, `step` bytes apart, into the `length`
 * neighbouring cells from `cells` on. `blocks` such blocks, `blockStep` bytes apart, into cells `cellStep` bytes apart.
 * lines.ts says how kernels are told.
 */
import { Cell, ZEROS } from './cell-fields';
import { Lines } from './lines';
import { argsRowsOf, extremesRowsOf } from './rows/extremes';
import { momentsRowsOf } from './rows/moments';
import { sumRows32, sumRows64, sumRowsF32, sumRowsF64, sumRowsNarrow } from './rows/sum';
import { forType, Is, Kernel, Yes } from './types';

/** What is done with neighbouring columns of one block, whose first row has an index. */
class ColumnsKernel {
  some<T>(lines: Lines, ptr: usize, width: usize, cells: usize, index: f64): void {}
}

/** Columns that are taken together: what is summed of them stays in the first-level cache. */
const PANEL: usize = 1024;

/** It is done with all blocks. */
class Each<K extends ColumnsKernel> extends Kernel {
  run<T>(args: usize): usize {
    const lines = changetype<Lines>(args);
    let ptr = lines.ptr;
    let cells = lines.cells;
    let index = lines.index;
    for (let i = lines.blocks; i > 0; i--) {
      for (let j: usize = 0; j < lines.length; j += PANEL) {
        const width = min(PANEL, lines.length - j);
        changetype<K>(<usize>0).some<T>(lines, ptr + j * sizeof<T>(), width, cells + j * 8, index);
      }
      ptr += lines.blockStep;
      cells += lines.cellStep;
      index += lines.outerIndexStep;
    }
    return 0;
  }
}

class Sums extends ColumnsKernel {
  some<T>(l: Lines, ptr: usize, width: usize, cells: usize, index: f64): void {
    if (Is.single<T>()) sumRowsF32(ptr, l.step, l.count, width, cells, l.fieldBytes, l.workspace, l.omits != 0);
    else if (isFloat<T>()) {
      if (l.omits) sumRowsF64<Yes>(ptr, l.step, l.count, width, cells, l.fieldBytes);
      else sumRowsF64<void>(ptr, l.step, l.count, width, cells, l.fieldBytes);
    } else if (sizeof<T>() < 4) sumRowsNarrow<T>(ptr, l.step, l.count, width, cells, l.fieldBytes, l.workspace);
    else if (sizeof<T>() == 4) sumRows32<T>(ptr, l.step, l.count, width, cells, l.fieldBytes);
    else sumRows64<T>(ptr, l.step, l.count, width, cells, l.fieldBytes);
  }
}

/** SUM and SUM_REST. `omits`: without NaN, and with SUM_COUNT. */
export function sumRows(lines: usize): void {
  forType<Each<Sums>>(lines);
}

class Moments extends ColumnsKernel {
  some<T>(lines: Lines, ptr: usize, width: usize, cells: usize, index: f64): void {
    momentsRowsOf<T>(lines, ptr, width, cells);
  }
}

/** COUNT, MEAN, MEAN_REST and M2, of floats without NaN where `omits`. Of float32, `sums`: with SUM and SUM_REST. */
export function momentsRows(lines: usize): void {
  forType<Each<Moments>>(lines);
}

class Extremes extends ColumnsKernel {
  some<T>(l: Lines, ptr: usize, width: usize, cells: usize, index: f64): void {
    extremesRowsOf<T>(ptr, l.step, l.count, width, cells, l.fieldBytes, l.workspace);
  }
}

/** SEEN, MIN and MAX. */
export function extremesRows(lines: usize): void {
  forType<Each<Extremes>>(lines);
}

class Args extends ColumnsKernel {
  some<T>(l: Lines, ptr: usize, width: usize, cells: usize, index: f64): void {
    argsRowsOf<T>(ptr, l.step, l.count, width, cells, l.fieldBytes, index, l.indexStep, l.wants);
  }
}

/** SEEN, MIN, MAX and the lowest index of each in ARGMIN, ARGMAX; of NaN in NAN_INDEX where it is wanted. */
export function argsRows(lines: usize): void {
  forType<Each<Args>>(lines);
}

class Zeros extends ColumnsKernel {
  some<T>(lines: Lines, ptr: usize, width: usize, cells: usize, index: f64): void {
    for (let i = lines.count; i > 0; i--, ptr += lines.step) {
      for (let j: usize = 0; j < width; j++) {
        if (load<T>(ptr + j * sizeof<T>()) == (0 as T)) Cell.add(cells + j * 8, lines.fieldBytes, ZEROS, 1);
      }
    }
  }
}

/** ZEROS. */
export function zerosRows(lines: usize): void {
  forType<Each<Zeros>>(lines);
}

/**
 * Kernels over runs: `runs` runs of `length` contiguous elements, `step` bytes apart, each into a cell of its own,
 * `cellStep` bytes apart; 0 where all are one cell's. Cells have the fields of cell-fields.ts.
 */
import { argsRun, extremesRun } from './runs/extremes';
import { momentsRun } from './runs/moments';
import { sumRun32, sumRun64, sumRunF32, sumRunF32Omit, sumRunF64, sumRunF64Omit, sumRunNarrow } from './runs/sum';
import { zerosRun } from './runs/zeros';
import { F32, F64, I16, I32, I64, I8, U16, U32, U64, U8, Yes } from './types';

/** SUM and SUM_REST. `omit`: without NaN, and with SUM_COUNT. */
export function sumRuns(
  type: i32,
  ptr: usize,
  step: usize,
  length: usize,
  runs: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
  omit: bool,
): void {
  for (; runs > 0; runs--, ptr += step, cells += cellStep) {
    if (type == F32) omit ? sumRunF32Omit(ptr, length, cells, fieldBytes) : sumRunF32(ptr, length, cells, fieldBytes);
    else if (type == F64)
      omit ? sumRunF64Omit(ptr, length, cells, fieldBytes) : sumRunF64<void>(ptr, length, cells, fieldBytes);
    else if (type == I8) sumRunNarrow<i8>(ptr, length, cells, fieldBytes);
    else if (type == U8) sumRunNarrow<u8>(ptr, length, cells, fieldBytes);
    else if (type == I16) sumRunNarrow<i16>(ptr, length, cells, fieldBytes);
    else if (type == U16) sumRunNarrow<u16>(ptr, length, cells, fieldBytes);
    else if (type == I32) sumRun32<i32>(ptr, length, cells, fieldBytes);
    else if (type == U32) sumRun32<u32>(ptr, length, cells, fieldBytes);
    else if (type == I64) sumRun64<i64>(ptr, length, cells, fieldBytes);
    else if (type == U64) sumRun64<u64>(ptr, length, cells, fieldBytes);
  }
}

/**
 * COUNT, MEAN, MEAN_REST and M2. Of floats, `omit`: without NaN; `extremes`: with SEEN, MIN and MAX in the same pass.
 * Of float32, `sums`: with SUM and SUM_REST.
 */
export function momentsRuns(
  type: i32,
  ptr: usize,
  step: usize,
  length: usize,
  runs: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
  omit: bool,
  extremes: bool,
  sums: bool,
): void {
  for (; runs > 0; runs--, ptr += step, cells += cellStep) {
    if (type == F32) momentsFloat<f32>(ptr, length, cells, fieldBytes, omit, extremes, sums);
    else if (type == F64) momentsFloat<f64>(ptr, length, cells, fieldBytes, omit, extremes, false);
    else if (type == I8) momentsRun<i8, void, void>(ptr, length, cells, fieldBytes, false);
    else if (type == U8) momentsRun<u8, void, void>(ptr, length, cells, fieldBytes, false);
    else if (type == I16) momentsRun<i16, void, void>(ptr, length, cells, fieldBytes, false);
    else if (type == U16) momentsRun<u16, void, void>(ptr, length, cells, fieldBytes, false);
    else if (type == I32) momentsRun<i32, void, void>(ptr, length, cells, fieldBytes, false);
    else if (type == U32) momentsRun<u32, void, void>(ptr, length, cells, fieldBytes, false);
    else if (type == I64) momentsRun<i64, void, void>(ptr, length, cells, fieldBytes, false);
    else if (type == U64) momentsRun<u64, void, void>(ptr, length, cells, fieldBytes, false);
  }
}

function momentsFloat<T>(
  ptr: usize,
  length: usize,
  cell: usize,
  fieldBytes: usize,
  omit: bool,
  extremes: bool,
  sums: bool,
): void {
  if (omit) {
    if (extremes) momentsRun<T, Yes, Yes>(ptr, length, cell, fieldBytes, sums);
    else momentsRun<T, Yes, void>(ptr, length, cell, fieldBytes, sums);
  } else if (extremes) momentsRun<T, void, Yes>(ptr, length, cell, fieldBytes, sums);
  else momentsRun<T, void, void>(ptr, length, cell, fieldBytes, sums);
}

/** SEEN, MIN and MAX. */
export function extremesRuns(
  type: i32,
  ptr: usize,
  step: usize,
  length: usize,
  runs: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
): void {
  for (; runs > 0; runs--, ptr += step, cells += cellStep) {
    if (type == F32) extremesRun<f32>(ptr, length, cells, fieldBytes);
    else if (type == F64) extremesRun<f64>(ptr, length, cells, fieldBytes);
    else if (type == I8) extremesRun<i8>(ptr, length, cells, fieldBytes);
    else if (type == U8) extremesRun<u8>(ptr, length, cells, fieldBytes);
    else if (type == I16) extremesRun<i16>(ptr, length, cells, fieldBytes);
    else if (type == U16) extremesRun<u16>(ptr, length, cells, fieldBytes);
    else if (type == I32) extremesRun<i32>(ptr, length, cells, fieldBytes);
    else if (type == U32) extremesRun<u32>(ptr, length, cells, fieldBytes);
    else if (type == I64) extremesRun<i64>(ptr, length, cells, fieldBytes);
    else if (type == U64) extremesRun<u64>(ptr, length, cells, fieldBytes);
  }
}

/**
 * SEEN, MIN, MAX and the lowest index of each in ARGMIN, ARGMAX; of NaN in NAN_INDEX. `wants` is a sum of 1, 2 and 4 for
 * these three. The first element of a run has `index`, each next one `indexStep` more; each run `runIndexStep` more.
 */
export function argsRuns(
  type: i32,
  ptr: usize,
  step: usize,
  length: usize,
  runs: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
  index: f64,
  indexStep: f64,
  runIndexStep: f64,
  wants: i32,
): void {
  for (; runs > 0; runs--, ptr += step, cells += cellStep, index += runIndexStep) {
    if (type == F32) argsRun<f32>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == F64) argsRun<f64>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == I8) argsRun<i8>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == U8) argsRun<u8>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == I16) argsRun<i16>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == U16) argsRun<u16>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == I32) argsRun<i32>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == U32) argsRun<u32>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == I64) argsRun<i64>(ptr, length, cells, fieldBytes, index, indexStep, wants);
    else if (type == U64) argsRun<u64>(ptr, length, cells, fieldBytes, index, indexStep, wants);
  }
}

/** ZEROS. */
export function zerosRuns(
  type: i32,
  ptr: usize,
  step: usize,
  length: usize,
  runs: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
): void {
  for (; runs > 0; runs--, ptr += step, cells += cellStep) {
    if (type == F32) zerosRun<f32>(ptr, length, cells, fieldBytes);
    else if (type == F64) zerosRun<f64>(ptr, length, cells, fieldBytes);
    else if (type == I8 || type == U8) zerosRun<u8>(ptr, length, cells, fieldBytes);
    else if (type == I16 || type == U16) zerosRun<u16>(ptr, length, cells, fieldBytes);
    else if (type == I32 || type == U32) zerosRun<u32>(ptr, length, cells, fieldBytes);
    else zerosRun<u64>(ptr, length, cells, fieldBytes);
  }
}

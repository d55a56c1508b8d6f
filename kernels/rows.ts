/**
 * Kernels over rows: a block of `rows` rows of `width` contiguous elements, `step` bytes apart, into the `width`
 * neighbouring cells from `cells` on. `blocks` such blocks, `blockStep` bytes apart, into cells `cellStep` bytes apart.
 * `room` is memory for ROOM_BYTES per column.
 */
import { Cell, ZEROS } from './cell-fields';
import { argsRowsOf, extremesRowsOf } from './rows/extremes';
import { momentsRowsOf } from './rows/moments';
import { sumRows32, sumRows64, sumRowsF32, sumRowsF64, sumRowsNarrow } from './rows/sum';
import { F32, F64, I16, I32, I64, I8, U16, U32, U64, U8, Yes } from './types';

/** Columns that are taken together: what is summed of them stays in the first-level cache. */
const PANEL: usize = 1024;

function bytesOf(type: i32): usize {
  if (type == I8 || type == U8) return 1;
  if (type == I16 || type == U16) return 2;
  return type == F32 || type == I32 || type == U32 ? 4 : 8;
}

/** SUM and SUM_REST. `omit`: without NaN, and with SUM_COUNT. */
export function sumRows(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  blocks: usize,
  blockStep: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
  room: usize,
  omit: bool,
): void {
  const itemsize = bytesOf(type);
  for (; blocks > 0; blocks--, ptr += blockStep, cells += cellStep) {
    for (let j: usize = 0; j < width; j += PANEL) {
      sumPanel(type, ptr + j * itemsize, step, rows, min(PANEL, width - j), cells + j * 8, fieldBytes, room, omit);
    }
  }
}

function sumPanel(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
  room: usize,
  omit: bool,
): void {
  if (type == F32) sumRowsF32(ptr, step, rows, width, cells, fieldBytes, room, omit);
  else if (type == F64)
    omit
      ? sumRowsF64<Yes>(ptr, step, rows, width, cells, fieldBytes)
      : sumRowsF64<void>(ptr, step, rows, width, cells, fieldBytes);
  else if (type == I8) sumRowsNarrow<i8>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == U8) sumRowsNarrow<u8>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == I16) sumRowsNarrow<i16>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == U16) sumRowsNarrow<u16>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == I32) sumRows32<i32>(ptr, step, rows, width, cells, fieldBytes);
  else if (type == U32) sumRows32<u32>(ptr, step, rows, width, cells, fieldBytes);
  else if (type == I64) sumRows64<i64>(ptr, step, rows, width, cells, fieldBytes);
  else if (type == U64) sumRows64<u64>(ptr, step, rows, width, cells, fieldBytes);
}

/** COUNT, MEAN, MEAN_REST and M2, of floats without NaN where `omit`. Of float32, `sums`: with SUM and SUM_REST. */
export function momentsRows(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  blocks: usize,
  blockStep: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
  room: usize,
  omit: bool,
  sums: bool,
): void {
  const itemsize = bytesOf(type);
  for (; blocks > 0; blocks--, ptr += blockStep, cells += cellStep) {
    for (let j: usize = 0; j < width; j += PANEL) {
      momentsPanel(
        type,
        ptr + j * itemsize,
        step,
        rows,
        min(PANEL, width - j),
        cells + j * 8,
        fieldBytes,
        room,
        omit,
        sums,
      );
    }
  }
}

function momentsPanel(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
  room: usize,
  omit: bool,
  sums: bool,
): void {
  if (type == F32) momentsRowsOf<f32>(ptr, step, rows, width, cells, fieldBytes, room, omit, sums);
  else if (type == F64) momentsRowsOf<f64>(ptr, step, rows, width, cells, fieldBytes, room, omit, false);
  else if (type == I8) momentsRowsOf<i8>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
  else if (type == U8) momentsRowsOf<u8>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
  else if (type == I16) momentsRowsOf<i16>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
  else if (type == U16) momentsRowsOf<u16>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
  else if (type == I32) momentsRowsOf<i32>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
  else if (type == U32) momentsRowsOf<u32>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
  else if (type == I64) momentsRowsOf<i64>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
  else if (type == U64) momentsRowsOf<u64>(ptr, step, rows, width, cells, fieldBytes, room, false, false);
}

/** SEEN, MIN and MAX. */
export function extremesRows(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  blocks: usize,
  blockStep: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
  room: usize,
): void {
  const itemsize = bytesOf(type);
  for (; blocks > 0; blocks--, ptr += blockStep, cells += cellStep) {
    for (let j: usize = 0; j < width; j += PANEL) {
      extremesPanel(type, ptr + j * itemsize, step, rows, min(PANEL, width - j), cells + j * 8, fieldBytes, room);
    }
  }
}

function extremesPanel(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  cells: usize,
  fieldBytes: usize,
  room: usize,
): void {
  if (type == F32) extremesRowsOf<f32>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == F64) extremesRowsOf<f64>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == I8) extremesRowsOf<i8>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == U8) extremesRowsOf<u8>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == I16) extremesRowsOf<i16>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == U16) extremesRowsOf<u16>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == I32) extremesRowsOf<i32>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == U32) extremesRowsOf<u32>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == I64) extremesRowsOf<i64>(ptr, step, rows, width, cells, fieldBytes, room);
  else if (type == U64) extremesRowsOf<u64>(ptr, step, rows, width, cells, fieldBytes, room);
}

/**
 * SEEN, MIN, MAX and the lowest index of each in ARGMIN, ARGMAX; of NaN in NAN_INDEX where `wants` has 4. The first row of
 * a block has `index`, each next one `indexStep` more; each block `blockIndexStep` more.
 */
export function argsRows(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  blocks: usize,
  blockStep: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
  index: f64,
  indexStep: f64,
  blockIndexStep: f64,
  wants: i32,
): void {
  for (; blocks > 0; blocks--, ptr += blockStep, cells += cellStep, index += blockIndexStep) {
    if (type == F32) argsRowsOf<f32>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == F64) argsRowsOf<f64>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == I8) argsRowsOf<i8>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == U8) argsRowsOf<u8>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == I16) argsRowsOf<i16>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == U16) argsRowsOf<u16>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == I32) argsRowsOf<i32>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == U32) argsRowsOf<u32>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == I64) argsRowsOf<i64>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
    else if (type == U64) argsRowsOf<u64>(ptr, step, rows, width, cells, fieldBytes, index, indexStep, wants);
  }
}

/** ZEROS. */
export function zerosRows(
  type: i32,
  ptr: usize,
  step: usize,
  rows: usize,
  width: usize,
  blocks: usize,
  blockStep: usize,
  cells: usize,
  fieldBytes: usize,
  cellStep: usize,
): void {
  for (; blocks > 0; blocks--, ptr += blockStep, cells += cellStep) {
    if (type == F32) zerosRowsOf<f32>(ptr, step, rows, width, cells, fieldBytes);
    else if (type == F64) zerosRowsOf<f64>(ptr, step, rows, width, cells, fieldBytes);
    else if (type == I8 || type == U8) zerosRowsOf<u8>(ptr, step, rows, width, cells, fieldBytes);
    else if (type == I16 || type == U16) zerosRowsOf<u16>(ptr, step, rows, width, cells, fieldBytes);
    else if (type == I32 || type == U32) zerosRowsOf<u32>(ptr, step, rows, width, cells, fieldBytes);
    else zerosRowsOf<u64>(ptr, step, rows, width, cells, fieldBytes);
  }
}

function zerosRowsOf<T>(ptr: usize, step: usize, rows: usize, width: usize, cells: usize, fieldBytes: usize): void {
  for (; rows > 0; rows--, ptr += step) {
    for (let j: usize = 0; j < width; j++) {
      if (load<T>(ptr + j * sizeof<T>()) == (0 as T)) Cell.add(cells + j * 8, fieldBytes, ZEROS, 1);
    }
  }
}

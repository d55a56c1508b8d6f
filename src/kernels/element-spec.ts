/**
 * What a kernel is told that takes elements one at a time, by offset in bytes. Both compilers read this file.
 *
 * Elements of an array lie along three nested axes. Those of rows that are grouped lie along one, and each row says which
 * cell it belongs to.
 */

/** Numbers of 32 bits: the native type, 1 where NaN are left out, and the addresses of the first element and cell. */
export const TYPE: usize = 0;
export const OMIT: usize = 4;
export const FROM: usize = 8;
export const STATES: usize = 12;
/** A float64: the index of the first element. */
export const INDEX: usize = 16;

/** Three axes, the outermost first. */
export const AXES: usize = 24;
/** Of an axis: its length, and the bytes from an element to the next and from its cell to the next one's; 32 bits each. */
export const LENGTH: usize = 0;
export const STEP: usize = 4;
export const STATE_STEP: usize = 8;
/** A float64: how far the index of an element is from that of the one before. */
export const INDEX_STEP: usize = 16;
export const AXIS_BYTES: usize = 24;

/** Of grouped rows, 32 bits each: their number, the bytes from a row to the next, the bytes of a cell; */
export const ROWS: usize = 24;
export const ROW_STEP: usize = 28;
export const STATE_BYTES: usize = 32;
/** the addresses of the numbers of the cells, and of the numbers of the rows (0: all from the first on). Else CELLS is 0. */
export const CELLS: usize = 96;
export const ROW_IDS: usize = 100;
/** A float64: how far the index of a row is from that of the row before. */
export const ROW_INDEX_STEP: usize = 40;

export const SPEC_BYTES: usize = 104;

/** What kernels are told of a search for elements by rank, by offset in bytes: numbers of 32 bits. Both compilers read this file. */

/** Values: their type, the address of the first, the bytes from one to the next, the address of row numbers (or 0), their number, */
export const TYPE: usize = 0;
export const FROM: usize = 4;
export const STRIDE: usize = 8;
export const ROW_IDS: usize = 12;
export const COUNT: usize = 16;
/** and the address of the cell of each, or 0 where all are of one cell. */
export const CELLS: usize = 20;
export const CELL: usize = 24;
export const VALUES_BYTES: usize = 28;

/** Ranges of sort keys: the first cell that has some, the number of cells, */
export const FIRST_CELL: usize = 0;
export const CELL_COUNT: usize = 4;
/** and the addresses of the hull of each cell, of the number of its first range, and of the ranges (16 bytes each). */
export const HULLS: usize = 8;
export const STARTS: usize = 12;
export const RANGES: usize = 16;
export const RANGES_BYTES: usize = 20;

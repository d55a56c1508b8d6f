/**
 * What kernels are told of bins, by offset in bytes. Both compilers read this file. A place is a position among the bins in
 * fixed point: bins times 2 ** SHIFT, counted from one bin below the first edge.
 */

/** The first edge and the bins per unit, as vectors of float32 and of float64. */
export const FIRST_32: usize = 0;
export const SCALE_32: usize = 16;
export const FIRST_64: usize = 32;
export const SCALE_64: usize = 48;
/** The lowest and the highest place, as vectors of float32: others are clamped to them. */
export const LOWEST: usize = 64;
export const HIGHEST: usize = 80;
/** What makes a float of 2 ** 23 and more of a place, whose low bits are then the place. */
export const MAGIC: usize = 96;
/**
 * A place is near an edge when its fraction, plus BIAS, is below LIMIT: as a signed number of 16 bits where pairs are
 * counted, at the high end of 32 bits elsewhere.
 */
export const BIAS: usize = 112;
export const LIMIT: usize = 128;
/** 1 and the width of a row of pairs, as 16-bit numbers in turn. */
export const FACTORS: usize = 144;
/** Numbers of 32 bits: bits of a fraction, number of bins, width of a row of pairs, address of the edges. */
export const SHIFT: usize = 160;
export const BINS: usize = 164;
export const WIDTH: usize = 168;
export const EDGES: usize = 172;
/** The first edge and the bins per unit, as float64. */
export const FIRST: usize = 176;
export const SCALE: usize = 184;
/** Bytes of it all. */
export const SPEC_BYTES: usize = 192;

/**
 * What kernels are told of bins, by offset in bytes. Both compilers read this file. A place is a position among the bins in
 * fixed point: bins times 2 ** SHIFT, counted from one bin below the first edge.
 */

/** Numbers of 32 bits: the native type, and `ROWS` rows of `COUNT` elements, `STRIDE` bytes apart, the first at `FROM`. */
export const TYPE: usize = 0;
export const FROM: usize = 4;
export const ROWS: usize = 8;
export const STRIDE: usize = 12;
export const COUNT: usize = 16;
/** Addresses of the counters, of the counters of pairs, of the edges, and of where to look for them (`seekBins`). */
export const COUNTERS: usize = 20;
export const PAIRS: usize = 24;
export const EDGES: usize = 28;
export const STARTS: usize = 32;
/** Bits of a fraction, number of bins, width of a row of pairs. */
export const SHIFT: usize = 36;
export const BINS: usize = 40;
export const WIDTH: usize = 44;
/** The first edge and the bins per unit, as float64. */
export const FIRST: usize = 48;
export const SCALE: usize = 56;
/** The same as vectors of float32 and of float64. */
export const FIRST_32: usize = 64;
export const SCALE_32: usize = 80;
export const FIRST_64: usize = 96;
export const SCALE_64: usize = 112;
/** The lowest and the highest place, as vectors of float32: others are clamped to them. */
export const LOWEST: usize = 128;
export const HIGHEST: usize = 144;
/**
 * What makes a float of 2 ** 23 and more of a place, whose low bits are then the place; where pairs are counted, and a
 * little more: how far a place may be off.
 */
export const MAGIC: usize = 160;
/**
 * A place is near an edge when its fraction is below LIMIT: of pairs as 16 bits, in turn with zeros, which nothing is below;
 * elsewhere at the high end of 32 bits as a signed number, and after BIAS was added.
 */
export const LIMIT: usize = 176;
export const BIAS: usize = 192;
/** What makes offsets of a pair's counter of the 16 high bits of the places of its first, and of its second, element. */
export const FIRST_FACTORS: usize = 208;
export const SECOND_FACTORS: usize = 224;
/** Bytes of it all. */
export const SPEC_BYTES: usize = 240;

/** What kernels are told of intervals of bit patterns, by offset in bytes. Both compilers read this file. */

/** The bits that name a pattern's interval, as a vector of 16 bytes. */
export const MASK: usize = 0;
/** Numbers of 32 bits: intervals, shift of a digit, shift of the next digit, counters of a table. */
export const LENGTH: usize = 16;
export const SHIFT: usize = 20;
export const NEXT_SHIFT: usize = 24;
export const TABLE_LENGTH: usize = 28;
/** From here on the first pattern of each interval, of 32 or 64 bits. */
export const INTERVALS: usize = 32;

/** Numbers that kernels and their callers agree on. Both compilers read this file, so it holds nothing else. */

/** Native types, by their position in NATIVE_TYPES (native-types.ts). */
export const F32: i32 = 0;
export const F64: i32 = 1;
export const I8: i32 = 2;
export const U8: i32 = 3;
export const I16: i32 = 4;
export const U16: i32 = 5;
export const I32: i32 = 6;
export const U32: i32 = 7;
export const I64: i32 = 8;
export const U64: i32 = 9;

/** Which positions are looked for: a sum of these. */
export const WANTS_MIN: i32 = 1;
export const WANTS_MAX: i32 = 2;
export const WANTS_NAN: i32 = 4;

/** Where a table of the 16 high bits counts NaN: an index that no other float has. */
export const NAN_DIGIT: u32 = 0x7fff;

/** Bins that pairs of elements are counted for, at most. */
export const PAIR_BINS_MAX: i32 = 126;
/** Elements that may be counted into one table of pairs, whose counters have 16 bits, before it is added up. */
export const PAIR_ELEMENTS_MAX: i32 = 131_064;

/** Powers of ten that the digits of floats are found with (kernels/digits.ts). */
export const POWER_OF_TEN_MIN: i32 = -292;
export const POWER_OF_TEN_MAX: i32 = 324;

/** Numbers of the native types: their position in NATIVE_TYPES of src/statistics/tiles.ts. */
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

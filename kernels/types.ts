/** Numbers of the native types: their position in NATIVE_TYPES of src/statistics/native-types.ts; and what kernels ask of a type. */
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

/** As a type argument: a variant of a kernel is wanted. `void` says that it is not. */
export type Yes = i32;

/** Elements that are summed without compensation: 32 KiB of float32, which stay in the first-level cache. */
export const BLOCK: usize = 8192;

export class Is {
  @inline static finite(x: f64): bool {
    return x - x == 0;
  }

  /** 64-bit integers do not fit a float64. */
  @inline static wide<T>(): bool {
    return isInteger<T>() && sizeof<T>() == 8;
  }
}

/** The limits of a type: where a search for its extremes begins. */
export class Limit {
  @inline static highest<T>(): T {
    if (isFloat<T>()) return Infinity as T;
    const bits: u64 = sizeof<T>() * 8;
    if (isSigned<T>()) return ((u64(1) << (bits - 1)) - 1) as T;
    return ~u64(0) as T;
  }

  @inline static lowest<T>(): T {
    if (isFloat<T>()) return -Infinity as T;
    const bits: u64 = sizeof<T>() * 8;
    if (isSigned<T>()) return (u64(1) << (bits - 1)) as T;
    return 0 as T;
  }
}

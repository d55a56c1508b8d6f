/** What kernels ask of a type. */
export { F32, F64, I16, I32, I64, I8, U16, U32, U64, U8 } from '../src/kernels/constants';

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

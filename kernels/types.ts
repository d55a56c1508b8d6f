/** What kernels ask of a type, and how one is chosen by its number. */
import { F32, F64, I16, I32, I64, I8, U16, U32, U64, U8 } from '../src/kernels/constants';

export { F32, F64, I16, I32, I64, I8, U16, U32, U64, U8 };

/** As a type argument: a variant of a kernel is wanted. `void` says that it is not. */
export type Yes = i32;

/** Elements that are summed without compensation: 32 KiB of float32, which stay in the first-level cache. */
export const BLOCK: usize = 8192;

/** What is done for each native type; `args` is the address of what it is done with. Answers a number, or 0. */
export class Kernel {
  run<T>(args: usize): usize {
    return args;
  }
}

/** Runs a kernel for the native type whose number `args` begin with. */
export function forType<K extends Kernel>(args: usize): usize {
  const kernel = changetype<K>(<usize>0);
  switch (load<i32>(args)) {
    case F32:
      return kernel.run<f32>(args);
    case F64:
      return kernel.run<f64>(args);
    case I8:
      return kernel.run<i8>(args);
    case U8:
      return kernel.run<u8>(args);
    case I16:
      return kernel.run<i16>(args);
    case U16:
      return kernel.run<u16>(args);
    case I32:
      return kernel.run<i32>(args);
    case U32:
      return kernel.run<u32>(args);
    case I64:
      return kernel.run<i64>(args);
    case U64:
      return kernel.run<u64>(args);
  }
  return 0;
}

export class Is {
  @inline static finite(x: f64): bool {
    return x - x == 0;
  }

  /** 64-bit integers do not fit a float64. */
  @inline static wide<T>(): bool {
    return isInteger<T>() && sizeof<T>() == 8;
  }

  @inline static single<T>(): bool {
    return isFloat<T>() && sizeof<T>() == 4;
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

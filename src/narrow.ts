/** Arithmetic of narrow floats in doubles: an operation of float16 or float32 is that of float64, rounded to the dtype. */
import type { DType } from './dtype/index.js';
import { float16ToFloat32, toFloat16Bits } from './float16.js';

/** The nearest value of a dtype. */
export type Narrow = (value: number) => number;

const ROUNDINGS: Partial<Record<DType['name'], Narrow>> = { float16: toFloat16, float32: Math.fround };

/** The rounding of a float dtype; for other dtypes, which are computed in float64, none. */
export function narrowTo(dtype: DType): Narrow {
  return ROUNDINGS[dtype.name] ?? unchanged;
}

function toFloat16(value: number): number {
  return float16ToFloat32(Uint16Array.of(toFloat16Bits(value)))[0]!;
}

function unchanged(value: number): number {
  return value;
}

/** The numbers that kernels work on: whatever a file holds becomes one of them. */
import type { DType } from '../dtype/index.js';

/** Kernels know a type by its position here (kernels/types.ts). */
export const NATIVE_TYPES = ['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'] as const;

export type NativeType = (typeof NATIVE_TYPES)[number];

export const NATIVE_BYTES: Readonly<Record<NativeType, number>> = {
  f32: 4,
  f64: 8,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
};

/**
 * What a dtype is in the kernels' memory: bool as u8 of 0 and 1, float16 as f32, dates and durations as the i64 that they
 * are, complex numbers as pairs of these floats, texts as their bytes. Of what is only counted nothing ever gets there.
 */
export function nativeTypeOf({ name, kind, itemsize }: Pick<DType, 'name' | 'kind' | 'itemsize'>): NativeType {
  if (name === 'float16') return 'f32';
  if (kind === 'i' || kind === 'u' || kind === 'f') return `${kind}${8 * itemsize}` as NativeType;
  if (kind === 'M' || kind === 'm') return 'i64';
  if (kind === 'c') return itemsize === 8 ? 'f32' : 'f64';
  return 'u8';
}

/** Bytes of an element there. */
export function nativeBytesOf(dtype: Pick<DType, 'name' | 'kind' | 'itemsize'>): number {
  if (dtype.kind === 'S' || dtype.kind === 'U') return dtype.itemsize;
  return NATIVE_BYTES[nativeTypeOf(dtype)] * (dtype.kind === 'c' ? 2 : 1);
}

/** 64-bit integers do not fit a float64. */
export function isWideType(type: NativeType): type is 'i64' | 'u64' {
  return type === 'i64' || type === 'u64';
}

/** Put a value that the type holds into memory, as this machine does. */
export const NATIVE_WRITERS: Readonly<
  Record<NativeType, (view: DataView, at: number, value: number | bigint) => void>
> = {
  f32: (view, at, value) => view.setFloat32(at, Number(value), true),
  f64: (view, at, value) => view.setFloat64(at, Number(value), true),
  i8: (view, at, value) => view.setInt8(at, Number(value)),
  u8: (view, at, value) => view.setUint8(at, Number(value)),
  i16: (view, at, value) => view.setInt16(at, Number(value), true),
  u16: (view, at, value) => view.setUint16(at, Number(value), true),
  i32: (view, at, value) => view.setInt32(at, Number(value), true),
  u32: (view, at, value) => view.setUint32(at, Number(value), true),
  i64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  u64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
};

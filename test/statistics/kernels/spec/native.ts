/** One element of a native type in a memory, by the number that kernels know the type by. */
import { NATIVE_TYPES, type NativeType } from '../../../../src/kernels/native-types.js';

type Read = (memory: DataView, at: number) => number | bigint;

const READERS: Readonly<Record<NativeType, Read>> = {
  f32: (memory, at) => memory.getFloat32(at, true),
  f64: (memory, at) => memory.getFloat64(at, true),
  i8: (memory, at) => memory.getInt8(at),
  u8: (memory, at) => memory.getUint8(at),
  i16: (memory, at) => memory.getInt16(at, true),
  u16: (memory, at) => memory.getUint16(at, true),
  i32: (memory, at) => memory.getInt32(at, true),
  u32: (memory, at) => memory.getUint32(at, true),
  i64: (memory, at) => memory.getBigInt64(at, true),
  u64: (memory, at) => memory.getBigUint64(at, true),
};

/** The reader of a type: bigint for 64-bit integers. */
export function readerOf(type: number): Read {
  return READERS[NATIVE_TYPES[type]!];
}

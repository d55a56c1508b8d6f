/**
 * Elements as bits, and bits as keys. The bits of integers sort as numbers do once the sign is flipped; those of negative
 * floats sort backwards. A table over the high bits of elements is therefore read in one of three orders.
 */
import { NATIVE_BYTES, type NativeType } from '../../kernels/native-types.js';
import type { Element } from './interpolate.js';

/** In which order the indices of a table of `length` stand for ascending elements. */
export type IndexOrder = 'ascending' | 'descending' | 'signed' | 'float';

/** The index at a position, 0 being that of the smallest elements. */
export function indexAt(order: IndexOrder, length: number, position: number): number {
  const half = length / 2;
  switch (order) {
    case 'ascending':
      return position;
    case 'descending':
      return length - 1 - position;
    case 'signed':
      return position < half ? position + half : position - half;
    case 'float':
      return position < half ? length - 1 - position : position - half;
  }
}

/** Bytes of a key. */
export function keyBytesOf(type: NativeType): number {
  return NATIVE_BYTES[type] === 8 ? 8 : 4;
}

const VIEW = new DataView(new ArrayBuffer(8));

/** An element at the start of a view. */
const ELEMENTS: Readonly<Record<NativeType, (view: DataView) => Element>> = {
  f32: view => view.getFloat32(0, true),
  f64: view => view.getFloat64(0, true),
  i8: view => view.getInt8(0),
  u8: view => view.getUint8(0),
  i16: view => view.getInt16(0, true),
  u16: view => view.getUint16(0, true),
  i32: view => view.getInt32(0, true),
  u32: view => view.getUint32(0, true),
  i64: view => view.getBigInt64(0, true),
  u64: view => view.getBigUint64(0, true),
};

/** The element that a pattern of bits is. */
export function elementOf(type: NativeType, bits: bigint): Element {
  VIEW.setBigUint64(0, BigInt.asUintN(64, bits), true);
  return ELEMENTS[type](VIEW);
}

/** The element whose key it is (kernels/cells.ts); NaN for the last key of floats. */
export function elementOfKey(type: NativeType, key: number | bigint): Element {
  if (typeof key === 'bigint') {
    const sign = 2n ** 63n;
    if (type === 'u64') return key;
    if (type === 'i64') return key - sign;
    return elementOf(type, key >= sign ? key - sign : ~key);
  }
  const sign = 0x8000_0000;
  if (type !== 'f32') return type.startsWith('i') ? key - sign : key;
  VIEW.setUint32(0, key >= sign ? key - sign : ~key >>> 0, true);
  return VIEW.getFloat32(0, true);
}

/** True where a pattern of bits of a float is that of a negative number. */
export function isNegative(type: NativeType, bits: bigint): boolean {
  return type === 'f32' ? bits >> 31n === 1n : type === 'f64' && bits >> 63n === 1n;
}

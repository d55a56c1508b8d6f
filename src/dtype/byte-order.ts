/** The byte order of a dtype, and of all that is inside it. */
import { timeDType } from './spelling.js';
import { structureFrom } from './structure.js';
import { isStructure, isTime, type DType } from './types.js';
import { numberOf } from './numbers.js';

/** The same dtype in another byte order, fields included; what has no order stays as it is. */
export function withByteOrder<T extends DType>(dtype: T, byteOrder: '<' | '>'): T {
  return reordered(dtype, byteOrder) as T;
}

function reordered(dtype: DType, byteOrder: '<' | '>'): DType {
  if (isStructure(dtype)) {
    const fields = dtype.fields.map(field => ({ ...field, dtype: reordered(field.dtype, byteOrder) }));
    return structureFrom(fields, dtype.itemsize);
  }
  if (dtype.byteOrder === '|' || dtype.byteOrder === byteOrder) return dtype;
  if (isTime(dtype)) return timeDType(dtype.kind, dtype.unit, byteOrder);
  return numberOf(dtype.name, byteOrder) ?? { ...dtype, byteOrder, typestr: `${byteOrder}${dtype.typestr.slice(1)}` };
}

/** True where this machine (always little-endian) reads the bytes as they are. */
export function isNativeOrder(dtype: DType): boolean {
  return isStructure(dtype) ? dtype.fields.every(field => isNativeOrder(field.dtype)) : dtype.byteOrder !== '>';
}

/** Bytes that change places together when the byte order does: 4 of a complex64 or of text, 1 of what has no order. */
export function orderedBytes(dtype: Exclude<DType, { readonly fields: object }>): number {
  if (dtype.byteOrder === '|') return 1;
  if (dtype.kind === 'U') return 4;
  return dtype.kind === 'c' || dtype.kind === 'G' ? dtype.itemsize / 2 : dtype.itemsize;
}

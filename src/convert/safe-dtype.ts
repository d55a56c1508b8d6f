/** `dtype=safe`: what every reader of numbers knows, that is little-endian, and float32 for float16. */
import { bytesOf, isStructure, numberDType, structureFrom, withByteOrder, type DType } from '../dtype/index.js';

/** Structures keep their places, unless a field in them becomes larger: then all of them are packed. */
export function safeDType(dtype: DType): DType {
  const little = withByteOrder(dtype, '<');
  return hasHalves(little) ? widened(little) : little;
}

function hasHalves(dtype: DType): boolean {
  return isStructure(dtype) ? dtype.fields.some(field => hasHalves(field.dtype)) : dtype.name === 'float16';
}

function widened(dtype: DType): DType {
  if (!isStructure(dtype)) return dtype.name === 'float16' ? numberDType('<f4') : dtype;
  let offset = 0;
  const fields = dtype.fields.map(field => {
    const wide = { ...field, dtype: widened(field.dtype), offset };
    offset += bytesOf(wide);
    return wide;
  });
  return structureFrom(fields, offset);
}

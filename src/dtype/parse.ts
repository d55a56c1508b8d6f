/** A dtype as a client or a header names it → the dtype. */
import { LIMITS } from '../limits.js';
import { fail } from '../errors.js';
import { dtypeSpelled } from './spelling.js';
import { structureOf } from './structure.js';
import { isNumber, type DType, type NumberDType } from './types.js';
import { failUnsupported } from './unsupported.js';

/**
 * Parses what `np.dtype(text)` takes: `'<f8'`, `'float32'`, `'>M8[25us]'`, `'|S5'`; and the JSON of structured dtypes that
 * `typestr` is. Without a byte order it is little-endian, the only native order this service runs on.
 * @param headerBytes where the text stands in the header of a file: the bytes before its first element, for the remedy
 * @throws unsupported_dtype
 */
export function parseDType(text: string, headerBytes?: number): DType {
  if (text.startsWith('[') || text.startsWith('{')) return dtypeOf(jsonOf(text), headerBytes);
  return dtypeSpelled(text) ?? failUnsupported(text, { headerBytes });
}

/**
 * The same of what was parsed already: a text, a list of fields, or an object of names, formats, offsets and itemsize.
 * @throws unsupported_dtype
 */
export function dtypeOf(description: unknown, headerBytes?: number): DType {
  return typeof description === 'string'
    ? parseDType(description, headerBytes)
    : structureOf(description, text => dtypeSpelled(text) ?? failUnsupported(text, { headerBytes }), headerBytes);
}

/** A dtype that has to be a number. @throws unsupported_dtype */
export function numberDType(text: string): NumberDType {
  const dtype = parseDType(text);
  return isNumber(dtype) ? dtype : failUnsupported(text, { why: 'it is no number' });
}

function jsonOf(text: string): unknown {
  if (text.length > LIMITS.npyHeaderBytesMax) {
    fail('too_large', `The dtype has ${text.length} characters; at most ${LIMITS.npyHeaderBytesMax} are read.`, {
      limit: LIMITS.npyHeaderBytesMax,
      asked: text.length,
    });
  }
  try {
    return JSON.parse(text);
  } catch {
    return failUnsupported(text, { why: 'it begins as JSON and is none' });
  }
}

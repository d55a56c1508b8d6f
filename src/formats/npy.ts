/**
 * The head of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * Hazard: it comes from strangers. It is bounded, never evaluated, and read to numpy's meaning or refused.
 */
import { NPY } from '../containers.js';
import { descriptionOf, dtypeOf, hasHeader, type Description, type DType } from '../dtype/index.js';
import { fail, invariant } from '../errors.js';
import { checkShape, type Order } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { containerOf } from './containers.js';
import { readNpyLiteral, writePythonText } from './npy-literal.js';

export interface NpyLayout {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly order: Order;
}

export interface NpyHeader extends NpyLayout {
  /** Bytes before the first element. */
  readonly dataOffset: number;
  /** Major version of the format; the minor one is always 0. */
  readonly version: 1 | 2 | 3;
}

const MAGIC = Buffer.from(NPY.magics[0]!, 'latin1');
/** Magic, version, and the longer of the two length fields: no header is shorter. */
export const PREFIX_BYTES = 12;
/** numpy aligns the data to this, and always pads by at least one byte. */
const ALIGN_BYTES = 64;
/** numpy leaves room for the axis that grows to reach this many digits, so that a header can be rewritten in place. */
export const GROWTH_AXIS_DIGITS = 21;

/**
 * Reads the header from the first bytes of a stream, or says how many of them it needs to go on.
 * `fortran_order` of arrays with fewer than two axes means nothing, so their order is C.
 * @throws bad_npy, not_an_array, unsupported_dtype, bad_shape, too_large
 */
export function parseNpyHeader(bytes: Uint8Array): NpyHeader | { needBytes: number } {
  for (let i = 0; i < Math.min(bytes.length, MAGIC.length); i++) {
    if (bytes[i] !== MAGIC[i]) failMagic(bytes);
  }
  if (bytes.length < PREFIX_BYTES) return { needBytes: PREFIX_BYTES };
  const version = readVersion(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LIMITS.npyHeaderBytesMax) {
    fail(
      'bad_npy',
      `The .npy header has ${length} bytes; at most ${LIMITS.npyHeaderBytesMax} are read. Save the array with np.save, which writes a few hundred.`,
      {
        limit: LIMITS.npyHeaderBytesMax,
        asked: length,
      },
    );
  }
  const dataOffset = start + length;
  if (bytes.length < dataOffset) return { needBytes: Math.max(dataOffset, PREFIX_BYTES) };
  const options = { longs: version < 3, headerBytes: dataOffset };
  const literal = readNpyLiteral(decode(bytes.subarray(start, dataOffset), version), options);
  const dtype = dtypeOf(literal.descr, dataOffset);
  checkShape(literal.shape, dtype.itemsize);
  const order = literal.fortran_order && literal.shape.length > 1 ? 'F' : 'C';
  return { dtype, shape: literal.shape, order, dataOffset, version };
}

/**
 * The header that numpy 2 writes, byte for byte: of version 1.0, of 2.0 where that is too short for the fields of a
 * structure, of 3.0 where their names are not latin-1. `order` is kept as `np.lib.format.open_memmap` keeps it; `np.save`
 * differs for F-order arrays that are C-contiguous too (a length of one or zero), which it calls C.
 * @throws no_npy_header where fields are out of order or overlap
 */
export function npyHeader(layout: NpyLayout): Uint8Array {
  const { dtype, shape } = layout;
  const fortran = layout.order === 'F' && shape.length > 1;
  if (!hasHeader(dtype)) failNoHeader(dtype);
  const descr = descrText(descriptionOf(dtype));
  const dict = `{'descr': ${descr}, 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tupleText(shape)}, }`;
  const growthAxis = fortran ? shape.at(-1) : shape[0];
  const growth = growthAxis === undefined ? 0 : GROWTH_AXIS_DIGITS - String(growthAxis).length;
  const isLatin = isLatinText(dict);
  const text = Buffer.from(dict, isLatin ? 'latin1' : 'utf8');
  const isShort = isLatin && totalOf(10 + text.byteLength + growth + 1) - 10 <= 0xffff;
  const prefixBytes = isShort ? 10 : PREFIX_BYTES;
  return headerOf(text, prefixBytes, totalOf(prefixBytes + text.byteLength + growth + 1), isLatin);
}

export function isLatinText(text: string): boolean {
  return /^[\0-\u00ff]*$/.test(text);
}

/** A dictionary behind the magic, with spaces up to the total. */
export function headerOf(text: Uint8Array, prefixBytes: number, total: number, isLatin: boolean): Uint8Array {
  const isShort = prefixBytes < PREFIX_BYTES;
  const head = Buffer.alloc(total, ' ');
  head.set(MAGIC);
  head[6] = isShort ? 1 : isLatin ? 2 : 3;
  head[7] = 0;
  if (isShort) head.writeUInt16LE(total - prefixBytes, 8);
  else head.writeUInt32LE(total - prefixBytes, 8);
  head.set(text, prefixBytes);
  head[total - 1] = 0x0a;
  return head;
}

/** numpy always pads by at least one byte. */
export function totalOf(unpadded: number): number {
  return unpadded + ALIGN_BYTES - (unpadded % ALIGN_BYTES);
}

/** A description as Python's repr: fields are tuples in a list. */
export function descrText(description: Description): string {
  if (typeof description === 'string') return writePythonText(description);
  invariant(Array.isArray(description), 'the dtype of a header is a typestr or a list of fields');
  const fields = (description as readonly [string, Description, (readonly number[])?][]).map(
    ([name, format, shape]) => {
      const sub = shape === undefined ? '' : `, ${tupleText(shape)}`;
      return `(${writePythonText(name)}, ${descrText(format)}${sub})`;
    },
  );
  return `[${fields.join(', ')}]`;
}

function tupleText(lengths: readonly number[]): string {
  return lengths.length === 1 ? `(${lengths[0]},)` : `(${lengths.join(', ')})`;
}

export function failNoHeader(dtype: DType): never {
  return fail(
    'no_npy_header',
    'Fields of the dtype are out of order or lie over each other, which no .npy header can say. Ask for format=raw or json, ' +
      'or for single fields with field=; make or register such an array with "format": "raw".',
    { dtype: descriptionOf(dtype) },
  );
}

function failMagic(bytes: Uint8Array): never {
  const found = containerOf(bytes, bytes.length)?.row;
  if (!found) fail('bad_npy', 'The bytes do not begin as a .npy does. Save the array with np.save.');
  fail('not_an_array', `The bytes are ${found.title}, not a .npy. ${found.remedy}`, { found: found.title });
}

function readVersion(bytes: Uint8Array): 1 | 2 | 3 {
  const major = bytes[6]!;
  if ((major === 1 || major === 2 || major === 3) && bytes[7] === 0) return major;
  return fail(
    'bad_npy',
    `The .npy has version ${major}.${bytes[7]}; 1.0, 2.0 and 3.0 are read. Save the array with np.save.`,
    {
      version: `${major}.${bytes[7]}`,
    },
  );
}

function decode(header: Uint8Array, version: 1 | 2 | 3): string {
  if (version < 3) return Buffer.from(header.buffer, header.byteOffset, header.byteLength).toString('latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    return fail('bad_npy', 'The .npy header is not UTF-8, as version 3.0 asks. Save the array with np.save.');
  }
}

/**
 * The head of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * Hazard: it comes from strangers. It is bounded, never evaluated, and read to numpy's meaning or refused.
 */
import { NPY } from '../containers.js';
import { parseDType, type DType } from '../dtype/index.js';
import { fail, invariant } from '../errors.js';
import { checkShape, type Order } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { containerOf } from './containers.js';
import { readNpyLiteral } from './npy-literal.js';

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
const PREFIX_BYTES = 12;
/** numpy aligns the data to this, and always pads by at least one byte. */
const ALIGN_BYTES = 64;
/** numpy leaves room for the axis that grows to reach this many digits, so that a header can be rewritten in place. */
const GROWTH_AXIS_DIGITS = 21;

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
  const dtype = parseDType(literal.descr, dataOffset);
  checkShape(literal.shape, dtype.itemsize);
  const order = literal.fortran_order && literal.shape.length > 1 ? 'F' : 'C';
  return { dtype, shape: literal.shape, order, dataOffset, version };
}

/**
 * The header that numpy 2 writes, byte for byte. Version 1.0 holds every shape of up to 64 axes. `order` is kept as
 * `np.lib.format.open_memmap` keeps it; `np.save` differs for F-order arrays that are C-contiguous too (a length of
 * one or zero), which it calls C.
 */
export function npyHeader(layout: NpyLayout): Uint8Array {
  const { dtype, shape } = layout;
  const fortran = layout.order === 'F' && shape.length > 1;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${dtype.typestr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  const growthAxis = fortran ? shape.at(-1) : shape[0];
  const growth = growthAxis === undefined ? 0 : GROWTH_AXIS_DIGITS - String(growthAxis).length;
  const unpadded = 10 + dict.length + growth + 1;
  const total = unpadded + ALIGN_BYTES - (unpadded % ALIGN_BYTES);
  invariant(total - 10 <= 0xffff, 'a header of version 1.0 has at most 65,535 bytes');
  const head = Buffer.alloc(total, ' ');
  head.set(MAGIC);
  head[6] = 1;
  head[7] = 0;
  head.writeUInt16LE(total - 10, 8);
  head.write(dict, 10, 'latin1');
  head[total - 1] = 0x0a;
  return head;
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

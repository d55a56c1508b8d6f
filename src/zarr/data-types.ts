/**
 * What elements are called in each version of Zarr, and what stands in chunks where the array has no elements. As a table by
 * kind of dtype; all are little-endian.
 */
import { isTime, withByteOrder, type LeafDType } from '../dtype/index.js';
import { fail } from '../errors.js';

interface Version3 {
  readonly data_type: unknown;
  readonly fill_value: unknown;
  /** Every reader knows it, or passes over it: one that does not would refuse all of the group that lists it. */
  readonly isListed: boolean;
}

const core = ({ name }: LeafDType, fill_value: unknown): Version3 => ({ data_type: name, fill_value, isListed: true });
const extension = (name: string, configuration: object, fill_value: unknown, isListed = false): Version3 => ({
  data_type: { name, configuration },
  fill_value,
  isListed,
});
const sized = (name: string, { itemsize }: LeafDType, fill_value: string): Version3 =>
  extension(name, { length_bytes: itemsize }, fill_value);

const VERSION_3: { readonly [K in LeafDType['kind']]?: (dtype: LeafDType) => Version3 } = {
  b: dtype => core(dtype, false),
  i: dtype => core(dtype, 0),
  u: dtype => core(dtype, 0),
  f: dtype => core(dtype, 'NaN'),
  c: dtype => core(dtype, ['NaN', 'NaN']),
  M: dtype => time('numpy.datetime64', dtype),
  m: dtype => time('numpy.timedelta64', dtype),
  S: dtype => sized('null_terminated_bytes', dtype, ''),
  U: dtype => sized('fixed_length_utf32', dtype, ''),
  // Readers make up what is short of an item: one of megabytes is not told of.
  V: dtype =>
    sized('raw_bytes', dtype, Buffer.alloc(dtype.itemsize > TOLD_MAX ? 0 : dtype.itemsize).toString('base64')),
};

function time(name: string, dtype: LeafDType): Version3 {
  const unit = isTime(dtype) ? dtype.unit : undefined;
  return extension(name, { unit: unit?.name ?? 'generic', scale_factor: unit?.count ?? 1 }, 'NaT', true);
}

/** Bytes of an item that is written down as a fill value. */
const TOLD_MAX = 4096;

/** Undefined for what version 3 has no name for. */
export function dataType3(dtype: LeafDType): Version3 | undefined {
  return VERSION_3[dtype.kind]?.(dtype);
}

/** @throws unsupported_dtype for what version 3 has no name for */
export function knownDataType3(dtype: LeafDType): Version3 {
  return (
    dataType3(dtype) ??
    fail(
      'unsupported_dtype',
      `Zarr version 3 has no data type for ${dtype.typestr}. Read it from /zarr2/, or as raw or npy from /v1/datasets.`,
      { dtype: dtype.typestr },
    )
  );
}

interface Version2 {
  readonly dtype: string;
  readonly fill_value: unknown;
  readonly isListed: boolean;
}

/** Long doubles are the one dtype that zarr-python 3 does not know. */
export function dataType2(dtype: LeafDType): Version2 {
  const { typestr, kind } = withByteOrder(dtype, '<');
  return { dtype: typestr, fill_value: kind === 'f' ? 'NaN' : null, isListed: kind !== 'g' && kind !== 'G' };
}

/** NaN of each size, NaT, and zeros for all that has no such value. */
export function fillItem({ kind, itemsize }: LeafDType): Uint8Array {
  const item = Buffer.alloc(itemsize);
  if (kind === 'M' || kind === 'm') item.writeBigInt64LE(-(2n ** 63n));
  else if (kind === 'f') item.set(nan(itemsize));
  else if (kind === 'c') for (const at of [0, itemsize / 2]) item.set(nan(itemsize / 2), at);
  return item;
}

function nan(bytes: number): Uint8Array {
  const item = Buffer.alloc(bytes);
  if (bytes === 2) item.writeUInt16LE(0x7e00);
  else if (bytes === 4) item.writeFloatLE(Number.NaN);
  else item.writeDoubleLE(Number.NaN);
  return item;
}

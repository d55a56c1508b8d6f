/** What all conversions of elements are, and the typed arrays that they see their elements as. */
import type { NumberDType } from '../dtype/index.js';
import { float16ToFloat32 } from '../float16.js';

/**
 * Packed little-endian elements → as many of another dtype. Both stretches begin at a multiple of 8 bytes. Answers the
 * index of the first element that would be lost, or NONE; what then stands in the target is undefined.
 */
export type Kernel = (source: Uint8Array, target: Uint8Array) => number;

/** Every element went over. */
export const NONE = -1;

/**
 * What happens to values that the target cannot hold. `refuse` loses nothing but digits of floats; `numpy` does what
 * `astype` does, but refuses dates that overflow, which would become other dates; `wrap` takes everything modulo 2^n.
 */
export type Loss = 'refuse' | 'numpy' | 'wrap';

/** A 64-bit integer is two of these, a float16 its bits. */
export type Lanes =
  Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array;

const LANES = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: Uint32Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

type LaneConstructor = {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Lanes;
  readonly BYTES_PER_ELEMENT: number;
};

export function lanesOf(name: NumberDType['name'], bytes: Uint8Array): Lanes {
  const Lane: LaneConstructor = LANES[name];
  return new Lane(bytes.buffer, bytes.byteOffset, bytes.byteLength / Lane.BYTES_PER_ELEMENT);
}

/** Values of at most 32 bits, and floats, as doubles: loops over one type of array are fast ones. */
export function doublesOf({ name }: NumberDType, bytes: Uint8Array): Float64Array {
  const lanes = lanesOf(name, bytes);
  const values = name === 'float16' ? float16ToFloat32(lanes as Uint16Array) : lanes;
  return values instanceof Float64Array ? values : new Float64Array(values);
}

/** Halves of 64-bit items, the lower one first. */
export function lowHalves(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

export function highHalves(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

export function bigItems(bytes: Uint8Array): BigInt64Array {
  return new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
}

/** Puts an integer below 2^53 into the halves of item `i`. */
export function putWide(halves: Int32Array, i: number, value: number): void {
  halves[2 * i] = value;
  halves[2 * i + 1] = Math.floor(value / 2 ** 32);
}

export const copy: Kernel = (source, target) => {
  target.set(source);
  return NONE;
};

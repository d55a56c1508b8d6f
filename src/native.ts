/**
 * Bytes of a dtype ⇄ numbers of this machine. Big-endian data is swapped, float16 becomes float32, everything else is
 * looked at in place. Hazard: typed arrays need alignment, so bytes that are not aligned are copied first.
 */
import { isNativeOrder, leavesOf, orderedBytes, type DType, type NumberDType } from './dtype/index.js';
import { float16ToFloat32 } from './float16.js';

export type NativeArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

type NativeConstructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => NativeArray;

const CONSTRUCTORS = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const satisfies Record<NumberDType['name'], NativeConstructor>;

/** Turns whole items of any dtype into the other byte order, in place: each number in them by itself. */
export function swapItems(dtype: DType, bytes: Uint8Array): void {
  for (const leaf of leavesOf(dtype)) {
    const unit = orderedBytes(leaf.dtype);
    if (unit === 1) continue;
    if (unit <= 8 && leaf.path.length === 0) swapBytes(bytes, unit);
    else {
      const axes = [{ length: bytes.byteLength / dtype.itemsize, stride: dtype.itemsize }];
      for (const [axis, length] of leaf.shape.entries()) axes.push({ length, stride: leaf.strides[axis]! });
      axes.push({ length: leaf.dtype.itemsize / unit, stride: unit });
      reverseEach(bytes, leaf.offset, axes, unit);
    }
  }
}

/** Reverses `unit` bytes at every place that the loops from `depth` inwards lead to. */
function reverseEach(bytes: Uint8Array, start: number, axes: readonly Axis[], unit: number, depth = 0): void {
  const axis = axes[depth];
  if (!axis) {
    for (let low = start, high = start + unit - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
    return;
  }
  for (let i = 0; i < axis.length; i++) reverseEach(bytes, start + i * axis.stride, axes, unit, depth + 1);
}

interface Axis {
  readonly length: number;
  readonly stride: number;
}

/** Swaps the bytes of every item in place. The length must be a multiple of the itemsize. */
export function swapBytes(bytes: Uint8Array, itemsize: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (itemsize === 2) buffer.swap16();
  else if (itemsize === 4) buffer.swap32();
  else if (itemsize === 8) buffer.swap64();
}

/**
 * The elements as a typed array of native numbers: float16 as Float32Array, bool as Uint8Array of its raw bytes,
 * 64-bit integers as BigInt arrays. Shares memory with `bytes` where order and alignment allow, else copies.
 */
export function toNative(dtype: NumberDType, bytes: Uint8Array): NativeArray {
  let source = bytes;
  const swap = !isNativeOrder(dtype);
  if (swap || source.byteOffset % dtype.itemsize !== 0) {
    source = new Uint8Array(bytes.byteLength);
    source.set(bytes);
    if (swap) swapBytes(source, dtype.itemsize);
  }
  const Native: NativeConstructor = CONSTRUCTORS[dtype.name];
  const native = new Native(source.buffer, source.byteOffset, source.byteLength / dtype.itemsize);
  return dtype.name === 'float16' ? float16ToFloat32(native as Uint16Array) : native;
}

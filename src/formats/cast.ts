/**
 * Packed elements of one dtype → another, as numpy's `casting="same_kind"`, and from any integer to any other. A value is
 * never lost: what is out of range, or finite and would become infinity, is refused with its index. Rounding is allowed
 * and happens once.
 */
import {
  failUnsupported,
  isNativeOrder,
  isNumber,
  isSameDType,
  isWide,
  type DType,
  type NumberDType,
} from '../dtype/index.js';
import { fail } from '../errors.js';
import { toFloat16Bits } from '../float16.js';
import { swapBytes, toNative } from '../native.js';
import { integerRange, overflowOf } from './ranges.js';

const KIND_ORDER = { b: 0, u: 1, i: 2, f: 3 } as const;

/**
 * True where values may go from one dtype to the other: numpy's `np.can_cast(from, to, 'same_kind')` (within a kind any
 * size, between kinds upwards from bool, u, i to f), and integers, whose values decide.
 */
export function canCast(from: NumberDType, to: NumberDType): boolean {
  return KIND_ORDER[from.kind] <= KIND_ORDER[to.kind] || (from.kind === 'i' && to.kind === 'u');
}

/** Where a piece stands in the whole, for the index in an error: elements before it. */
type ElementOffset = number;

/**
 * Converts packed elements; the same dtype gives back the same bytes, uncopied.
 * Bool bytes must be 0 or 1. NaN stays NaN, infinities stay.
 * @param elementOffset elements before these in the whole, added to the index in errors
 * @throws would_lose
 */
export function castInto(from: DType, to: DType, bytes: Uint8Array, elementOffset: ElementOffset = 0): Uint8Array {
  if (from.kind === 'b') checkBool(bytes, elementOffset);
  if (isSameDType(from, to)) return bytes;
  if (!isNumber(from)) return failUnsupported(from.typestr, { why: 'only numbers are converted' });
  if (!isNumber(to)) return failUnsupported(to.typestr, { why: 'only numbers are converted' });
  if (!canCast(from, to)) {
    fail('would_lose', `${from.name} does not cast to ${to.name} without loss. Convert the data before it is sent.`, {
      from: from.typestr,
      to: to.typestr,
    });
  }
  const out = from.name === to.name ? bytes.slice() : convert({ from, to, bytes, elementOffset });
  if (from.name === to.name || !isNativeOrder(to)) swapBytes(out, to.itemsize);
  return out;
}

/**
 * Checks the bytes of bools from outside: numpy would call any other byte than 0 true, and keep it.
 * @throws would_lose
 */
export function checkBool(bytes: Uint8Array, elementOffset: ElementOffset = 0): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! > 1) refuse('bool', String(bytes[i]), elementOffset + i, 'a byte of a bool is 0 or 1. Send those');
  }
}

interface Cast {
  readonly from: NumberDType;
  readonly to: NumberDType;
  readonly bytes: Uint8Array;
  readonly elementOffset: ElementOffset;
}

/** Into the machine's byte order. */
function convert(cast: Cast): Uint8Array {
  const fromWide = isWide(cast.from);
  if (cast.to.kind === 'f') return fromWide ? wideToFloat(cast) : numberToFloat(cast);
  if (cast.to.itemsize === 8) return fromWide ? wideToWide(cast) : numberToWide(cast);
  return fromWide ? wideToNumber(cast) : numberToNumber(cast);
}

/** A dtype of at most 32-bit integers, or a float, as numbers. */
function numbersOf({ from, bytes }: Cast): Float64Array {
  return toNative(from, bytes) as Float64Array;
}

/** A 64-bit integer dtype as halves: element i is `highs[2 * i + 1] * 2^32 + lows[2 * i]`. */
function halvesOf({ from, bytes }: Cast): { lows: Uint32Array; highs: Int32Array | Uint32Array; length: number } {
  const wide = toNative(from, bytes);
  const place = [wide.buffer, wide.byteOffset, wide.length * 2] as const;
  const lows = new Uint32Array(...place);
  return { lows, highs: from.kind === 'i' ? new Int32Array(...place) : lows, length: wide.length };
}

function numberToFloat(cast: Cast): Uint8Array {
  const values = numbersOf(cast);
  const out = floatsFor(cast.to, values.length);
  const limit = overflowOf(cast.to);
  const isHalf = cast.to.itemsize === 2;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Math.abs(value) >= limit && Number.isFinite(value)) refuseInfinity(cast, i, value);
    out[i] = isHalf ? toFloat16Bits(value) : value;
  }
  return asBytes(out);
}

/**
 * 64-bit integers round once: a double is right by itself, as the sum of its halves. For the narrower floats the low
 * twelve bits of large values become one sticky bit first, so that the double is exact.
 */
function wideToFloat(cast: Cast): Uint8Array {
  const { lows, highs, length } = halvesOf(cast);
  const out = floatsFor(cast.to, length);
  const limit = overflowOf(cast.to);
  const itemsize = cast.to.itemsize;
  for (let i = 0; i < length; i++) {
    const high = highs[2 * i + 1]!;
    let low = lows[2 * i]!;
    if (itemsize < 8 && (high >= 2 ** 21 || high < -(2 ** 21))) {
      low = ((low & 0xffff_f000) >>> 0) + ((low & 0xfff) === 0 ? 0 : 0x800);
    }
    const value = high * 2 ** 32 + low;
    if (Math.abs(value) >= limit) refuseInfinity(cast, i, high * 2 ** 32 + lows[2 * i]!);
    out[i] = itemsize === 2 ? toFloat16Bits(value) : value;
  }
  return asBytes(out);
}

function numberToNumber(cast: Cast): Uint8Array {
  const values = numbersOf(cast);
  const out = integersFor(cast.to, values.length);
  const { min, max } = numberRange(cast.to);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min || value > max) refuseRange(cast, i, String(value));
    out[i] = value;
  }
  return asBytes(out);
}

function wideToNumber(cast: Cast): Uint8Array {
  const { lows, highs, length } = halvesOf(cast);
  const out = integersFor(cast.to, length);
  const { min, max } = numberRange(cast.to);
  for (let i = 0; i < length; i++) {
    const value = highs[2 * i + 1]! * 2 ** 32 + lows[2 * i]!;
    if (value < min || value > max) refuseRange(cast, i, wideText(cast, i));
    out[i] = value;
  }
  return asBytes(out);
}

function numberToWide(cast: Cast): Uint8Array {
  const values = numbersOf(cast);
  const out = new Int32Array(values.length * 2);
  const isUnsigned = cast.to.kind === 'u';
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < 0 && isUnsigned) refuseRange(cast, i, String(value));
    out[2 * i] = value;
    out[2 * i + 1] = value < 0 ? -1 : 0;
  }
  return asBytes(out);
}

/** Between int64 and uint64: both hold what has no highest bit. */
function wideToWide(cast: Cast): Uint8Array {
  const { highs, length } = halvesOf(cast);
  for (let i = 0; i < length; i++) {
    const high = highs[2 * i + 1]!;
    if (high > 0x7fff_ffff || high < 0) refuseRange(cast, i, wideText(cast, i));
  }
  const out = cast.bytes.slice();
  if (!isNativeOrder(cast.from)) swapBytes(out, 8);
  return out;
}

function floatsFor(to: NumberDType, length: number): Float32Array | Float64Array | Uint16Array {
  if (to.itemsize === 2) return new Uint16Array(length);
  return to.itemsize === 4 ? new Float32Array(length) : new Float64Array(length);
}

type IntegerArray = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

function integersFor(to: NumberDType, length: number): IntegerArray {
  return toNative(to, new Uint8Array(length * to.itemsize)) as IntegerArray;
}

function asBytes(values: IntegerArray | Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function numberRange(dtype: NumberDType): { min: number; max: number } {
  const { min, max } = integerRange(dtype);
  return { min: Number(min), max: Number(max) };
}

/** The exact value of a 64-bit element, for an error. */
function wideText({ from, bytes }: Cast, index: number): string {
  return toNative(from, bytes.subarray(8 * index, 8 * index + 8))[0]!.toString();
}

function refuseRange({ to, elementOffset }: Cast, index: number, value: string): never {
  const { min, max } = integerRange(to);
  return refuse(
    to.name,
    value,
    elementOffset + index,
    `it holds ${min} to ${max}. Send values in that range, or write to a wider dtype`,
  );
}

function refuseInfinity({ to, elementOffset }: Cast, index: number, value: number): never {
  return refuse(
    to.name,
    String(value),
    elementOffset + index,
    'it would become infinity. Send smaller values, or write to a wider dtype',
  );
}

function refuse(dtype: string, value: string, index: number, why: string): never {
  return fail('would_lose', `${dtype} cannot hold ${value}, element ${index}: ${why}.`, { dtype, value, index });
}

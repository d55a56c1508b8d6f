/**
 * Numbers that sort as elements do. The sort key of an element is an unsigned integer of the type's bits, NaN (all as one)
 * last: the bits of an integer with the sign flipped, or those of a float, all of them flipped below zero. -0 comes just
 * before 0, so that an element can be had back from its key; medians and quantiles look for elements by their keys.
 *
 * Where values are compared, both zeros are one. A value's rank is the value itself for integers, and counts representable
 * values from zero for floats: neighbours have neighbouring ranks, both zeros have rank 0, NaN has none. So every comparison
 * is an interval of ranks. Codes are ranks as unsigned integers, by which kernels tell groups apart: a code is the sort key
 * of 0 or more, and one more than it below. Of float32, -0 has key 0x7fffffff, and both zeros have code 0x80000000.
 */
import { NATIVE_BYTES, type NativeType } from './native-types.js';

/** A native type; or counts of dates: int64, whose least is NaT, which is among them as NaN is among floats. */
export type ValueType = NativeType | 'time';

/** Whether one of the values is none, equals nothing, and comes last in order. */
export function hasNan(type: ValueType): boolean {
  return type === 'f32' || type === 'f64' || type === 'time';
}

/** A number as it is: bigint where it may have more digits than a double holds. */
export type ExactNumber = number | bigint;

/** Inclusive. */
export interface RankRange {
  readonly min: bigint;
  readonly max: bigint;
}

/** The ranks that a type has; infinities are the ends of floats. */
export function ranksOf(type: ValueType): RankRange {
  if (type === 'time') return { min: 1n - (1n << 63n), max: (1n << 63n) - 1n };
  if (type === 'f32') return { min: -0x7f80_0000n, max: 0x7f80_0000n };
  if (type === 'f64') return { min: -0x7ff0_0000_0000_0000n, max: 0x7ff0_0000_0000_0000n };
  const bits = BigInt(type.slice(1));
  return type.startsWith('i')
    ? { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }
    : { min: 0n, max: (1n << bits) - 1n };
}

const scratch = new DataView(new ArrayBuffer(8));

/** The rank of a value that the type holds exactly and that is not NaN. */
export function rankOf(type: ValueType, value: ExactNumber): bigint {
  if (type === 'f32') {
    scratch.setFloat32(0, Number(value));
    const bits = scratch.getInt32(0);
    return BigInt(bits >= 0 ? bits : -(bits & 0x7fff_ffff));
  }
  if (type === 'f64') {
    scratch.setFloat64(0, Number(value));
    const bits = scratch.getBigInt64(0);
    return bits >= 0n ? bits : -(bits & 0x7fff_ffff_ffff_ffffn);
  }
  return BigInt(value);
}

/** The value of a rank: bigint for 64-bit integers, else a number. */
export function valueOfRank(type: ValueType, rank: bigint): ExactNumber {
  const magnitude = rank < 0n ? -rank : rank;
  if (type === 'f32') {
    scratch.setUint32(0, Number(magnitude));
    return rank < 0n ? -scratch.getFloat32(0) : scratch.getFloat32(0);
  }
  if (type === 'f64') {
    scratch.setBigUint64(0, magnitude);
    return rank < 0n ? -scratch.getFloat64(0) : scratch.getFloat64(0);
  }
  return type === 'i64' || type === 'u64' || type === 'time' ? rank : Number(rank);
}

/** Bits of the codes of a type. */
export function codeBitsOf(type: ValueType): number {
  return type === 'time' ? 64 : 8 * NATIVE_BYTES[type];
}

/** The code of a rank; NaN has the largest code, so that it sorts last and equals itself. */
export function codeOfRank(type: ValueType, rank: bigint): bigint {
  return rank + biasOf(type);
}

/** The code of any value of the type. */
export function codeOfValue(type: ValueType, value: ExactNumber): bigint {
  return Number.isNaN(value) ? nanCodeOf(type) : codeOfRank(type, rankOf(type, value));
}

export function nanCodeOf(type: ValueType): bigint {
  return (1n << BigInt(codeBitsOf(type))) - 1n;
}

/** The value of a code: bigint for 64-bit integers and dates, else a number, NaN included, which NaT is, too. */
export function valueOfCode(type: ValueType, code: bigint): ExactNumber {
  if (hasNan(type) && code === nanCodeOf(type)) return Number.NaN;
  return valueOfRank(type, code - biasOf(type));
}

const biases = new Map<ValueType, bigint>([
  // NaT, the least of all, gets the code behind the largest.
  ['time', (1n << 63n) - 1n],
]);

function biasOf(type: ValueType): bigint {
  let bias = biases.get(type);
  if (bias === undefined) biases.set(type, (bias = type.startsWith('u') ? 0n : 1n << BigInt(codeBitsOf(type) - 1)));
  return bias;
}

/** Bytes of a key where many of them stand side by side. */
export function keyBytesOf(type: NativeType): 4 | 8 {
  return NATIVE_BYTES[type] === 8 ? 8 : 4;
}

/** The sort key of an element. */
export function keyOf(type: NativeType, element: ExactNumber): bigint {
  const code = codeOfValue(type, element);
  return type.startsWith('f') && (element < 0 || Object.is(element, -0)) ? code - 1n : code;
}

/** The element of a sort key: bigint for 64-bit integers, else a number. Keys of at most 32 bits may be numbers. */
export function elementOf(type: NativeType, key: number | bigint): ExactNumber {
  if (NATIVE_BYTES[type] === 8) {
    const wide = BigInt(key);
    if (type !== 'f64') return valueOfCode(type, wide);
    scratch.setBigUint64(0, wide >= biasOf(type) ? wide - biasOf(type) : BigInt.asUintN(64, ~wide));
    return scratch.getFloat64(0);
  }
  const narrow = Number(key);
  if (type !== 'f32') return type.startsWith('i') ? narrow - 2 ** (codeBitsOf(type) - 1) : narrow;
  scratch.setUint32(0, narrow >= 0x8000_0000 ? narrow - 0x8000_0000 : ~narrow >>> 0);
  return scratch.getFloat32(0);
}

/** The sort keys that numbers of a type have; NaN are beyond. */
export function keyRangeOf(type: NativeType): { readonly least: bigint; readonly most: bigint } {
  let range = keyRanges.get(type);
  if (!range) {
    const { min, max } = ranksOf(type);
    range = { least: keyOf(type, valueOfRank(type, min)), most: keyOf(type, valueOfRank(type, max)) };
    keyRanges.set(type, range);
  }
  return range;
}

const keyRanges = new Map<NativeType, ReturnType<typeof keyRangeOf>>();

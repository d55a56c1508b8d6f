/**
 * The order of native values as whole numbers. A value's rank is the value itself for integers, and counts representable
 * values from zero for floats: neighbours have neighbouring ranks, both zeros have rank 0, NaN has none. So every
 * comparison is an interval of ranks. Codes are ranks as unsigned integers, which kernels compare, hash and sort.
 */
import { NATIVE_BYTES, type NativeType } from '../kernels/native-types.js';

/** A number as it is: bigint where it may have more digits than a double holds. */
export type ExactNumber = number | bigint;

/** Inclusive. */
export interface RankRange {
  readonly min: bigint;
  readonly max: bigint;
}

/** The ranks that a native type has; infinities are the ends of floats. */
export function ranksOf(type: NativeType): RankRange {
  if (type === 'f32') return { min: -0x7f80_0000n, max: 0x7f80_0000n };
  if (type === 'f64') return { min: -0x7ff0_0000_0000_0000n, max: 0x7ff0_0000_0000_0000n };
  const bits = BigInt(type.slice(1));
  return type.startsWith('i')
    ? { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }
    : { min: 0n, max: (1n << bits) - 1n };
}

const scratch = new DataView(new ArrayBuffer(8));

/** The rank of a value that the type holds exactly and that is not NaN. */
export function rankOf(type: NativeType, value: ExactNumber): bigint {
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
export function valueOfRank(type: NativeType, rank: bigint): ExactNumber {
  const magnitude = rank < 0n ? -rank : rank;
  if (type === 'f32') {
    scratch.setUint32(0, Number(magnitude));
    return rank < 0n ? -scratch.getFloat32(0) : scratch.getFloat32(0);
  }
  if (type === 'f64') {
    scratch.setBigUint64(0, magnitude);
    return rank < 0n ? -scratch.getFloat64(0) : scratch.getFloat64(0);
  }
  return type === 'i64' || type === 'u64' ? rank : Number(rank);
}

/** Bits of the codes of a type. */
export function codeBitsOf(type: NativeType): number {
  return 8 * NATIVE_BYTES[type];
}

/**
 * Codes are what kernels compare, hash and sort: ranks moved up to where the least is no less than 0, as unsigned
 * integers of the type's bits. NaN has the largest, so that it sorts last and equals itself.
 */
export function codeOfRank(type: NativeType, rank: bigint): bigint {
  return rank + biasOf(type);
}

/** The code of any value of the type. */
export function codeOfValue(type: NativeType, value: ExactNumber): bigint {
  return Number.isNaN(value) ? nanCodeOf(type) : codeOfRank(type, rankOf(type, value));
}

export function nanCodeOf(type: NativeType): bigint {
  return (1n << BigInt(codeBitsOf(type))) - 1n;
}

/** The value of a code: bigint for 64-bit integers, else a number, NaN included. */
export function valueOfCode(type: NativeType, code: bigint): ExactNumber {
  if (type.startsWith('f') && code === nanCodeOf(type)) return Number.NaN;
  return valueOfRank(type, code - biasOf(type));
}

const biases = new Map<NativeType, bigint>();

function biasOf(type: NativeType): bigint {
  let bias = biases.get(type);
  if (bias === undefined) biases.set(type, (bias = type.startsWith('u') ? 0n : 1n << BigInt(codeBitsOf(type) - 1)));
  return bias;
}

/** Values of native types in a memory, for tests of kernels. */
import { NATIVE_BYTES, type NativeType } from '../../../src/kernels/native-types.js';
import type { Random } from '../../helpers/random.js';
import { SPECIAL_FLOATS } from './twins.js';

/** Values one after the other. */
export function putValues(view: DataView, at: number, type: NativeType, values: readonly (number | bigint)[]): void {
  for (const [i, value] of values.entries()) putValue(view, at + i * NATIVE_BYTES[type], type, value);
}

function putValue(view: DataView, at: number, type: NativeType, value: number | bigint): void {
  if (type === 'f32') view.setFloat32(at, Number(value), true);
  else if (type === 'f64') view.setFloat64(at, Number(value), true);
  else if (NATIVE_BYTES[type] === 8) view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  else if (NATIVE_BYTES[type] === 4) view.setUint32(at, Number(value), true);
  else if (NATIVE_BYTES[type] === 2) view.setUint16(at, Number(value), true);
  else view.setUint8(at, Number(value));
}

/** Small numbers mostly, so that they meet; ends of the type, and what is special, at times. */
export function randomValue(random: Random, type: NativeType, spread: number): number | bigint {
  const isFloat = type.startsWith('f');
  if (isFloat) return random.next() < 0.2 ? random.pick(SPECIAL_FLOATS) : (random.next() - 0.5) * spread;
  const bits = BigInt(8 * NATIVE_BYTES[type]);
  const low = type.startsWith('i') ? -(1n << (bits - 1n)) : 0n;
  const high = low + (1n << bits) - 1n;
  if (random.next() < 0.1) return random.pick([low, high, high - 1n]);
  const value = BigInt(random.below(spread)) - (low < 0n ? BigInt(spread >> 1) : 0n);
  return value < low ? low : value > high ? high : value;
}

/**
 * What the first pass of a search counts: the 16 high bits of floats, all of the bits of short integers, and of longer
 * integers the 16 bits in which their range differs, so that a narrow range is done in one pass.
 */
import type { Fields } from '../accumulators/fields.js';
import { NATIVE_BYTES, type NativeType } from '../../kernels/native-types.js';
import { highLengthOf } from './digits-sink.js';
import type { Digits } from './search.js';
import type { DigitsStep } from '../specs.js';

const TABLE_LENGTH = 65_536;
const TABLE_BITS = 16;

export interface FirstDigits {
  readonly step: DigitsStep & { readonly tableLength: number };
  readonly digits: Digits;
}

/** `extent` are the fields with the range, where it was measured. */
export function firstDigits(type: NativeType, extent: Fields | undefined): FirstDigits {
  const bits = 8 * NATIVE_BYTES[type];
  if (type.startsWith('f')) {
    const step = { name: 'high', tableLength: highLengthOf(type) } as const;
    return { step, digits: { order: 'float', base: 0n, shift: bits - TABLE_BITS } };
  }
  const order = type.startsWith('i') ? 'signed' : 'ascending';
  if (bits <= TABLE_BITS) {
    return { step: { name: 'high', tableLength: highLengthOf(type) }, digits: { order, base: 0n, shift: 0 } };
  }
  if (!extent) {
    const shift = bits - TABLE_BITS;
    const step = { name: 'offsets', tableLength: TABLE_LENGTH, base: 0n, shift } as const;
    return { step, digits: { order, base: 0n, shift } };
  }
  return overRange(extremeOf(extent, -1), extremeOf(extent, 1));
}

/** Offsets from the least, at a multiple of their width, so that later passes can mask what is below. */
function overRange(least: bigint, most: bigint): FirstDigits {
  let shift = Math.max(0, (most - least).toString(2).length - TABLE_BITS);
  const baseOf = (): bigint => (least >> BigInt(shift)) << BigInt(shift);
  while ((most - baseOf()) >> BigInt(shift) >= BigInt(TABLE_LENGTH)) shift++;
  const base = baseOf();
  const tableLength = Number((most - base) >> BigInt(shift)) + 1;
  return { step: { name: 'offsets', tableLength, base, shift }, digits: { order: 'ascending', base, shift } };
}

/** The smallest (-1) or largest (1) integer of all cells. */
function extremeOf({ min, minLow, max, maxLow }: Fields, sign: 1 | -1): bigint {
  const high = sign < 0 ? min! : max!;
  const low = sign < 0 ? minLow : maxLow;
  let best: bigint | undefined;
  for (let cell = 0; cell < high.length; cell++) {
    const value = low ? (BigInt(high[cell]!) << 32n) + BigInt(low[cell]!) : BigInt(high[cell]!);
    if (best === undefined || (sign < 0 ? value < best : value > best)) best = value;
  }
  return best!;
}

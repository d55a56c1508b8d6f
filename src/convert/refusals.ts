/** What is not converted: for the dtypes, before anything is read, or for a value. */
import { integerRange, isNumber, isText, isTime, numberDType, type DType, type LeafDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { shown } from '../shown.js';
import { castingOf, type Casting } from './casting.js';
import { NONE } from './kernel.js';
import { firstBadBool } from './losses.js';

/** There is no way from one dtype to the other, whatever the casting. @throws unsupported_dtype */
export function failNoConversion(from: DType, to: DType, path: readonly string[] = []): never {
  const where = path.length > 0 ? `Field ${shown(path.join('.'))}: ` : '';
  const isTextual = isText(from) !== isText(to) && from.kind !== 'V' && to.kind !== 'V';
  const why = isTextual
    ? 'text is not made from numbers and dates, nor they from text'
    : 'numpy has no such cast either';
  fail(
    'unsupported_dtype',
    `${where}${shown(from.typestr)} is not converted to ${shown(to.typestr)}: ${why}. Leave dtype out, and convert what you get.`,
    { from: from.typestr, to: to.typestr, ...(path.length > 0 && { field: path.join('.') }) },
  );
}

/** @throws would_lose */
export function failCasting(from: DType, to: DType, casting: Casting): never {
  const needed = castingOf(from, to);
  const way = needed
    ? `casting=${needed} allows it where the loss is meant`
    : 'Structures need the same number of fields, which are paired by position; field= chooses some';
  return fail(
    'would_lose',
    `${shown(from.typestr)} does not cast to ${shown(to.typestr)} by the rule ${casting}: values could be lost. ${way}.`,
    { from: from.typestr, to: to.typestr, casting },
  );
}

export interface LostValue {
  readonly from: LeafDType;
  readonly to: LeafDType;
  readonly value: string;
  readonly index: number;
  readonly field: string | undefined;
}

/** @throws would_lose, with the place */
export function failLost({ from, to, value, index, field }: LostValue): never {
  const place = `element ${index}${field === undefined ? '' : `, field ${shown(field)}`}`;
  fail('would_lose', `${to.name} cannot hold ${value}, ${place}: ${reasonOf(from, to)}.`, {
    dtype: to.name,
    value,
    index,
    ...(field !== undefined && { field }),
  });
}

function reasonOf(from: LeafDType, to: LeafDType): string {
  if (from.kind === 'b') return 'a byte of a bool is 0 or 1. Send those';
  if (isNumber(to) && to.kind !== 'f') {
    const { min, max } = integerRange(to);
    return `it holds ${min} to ${max}. Send values in that range, or write to a wider dtype`;
  }
  if (to.kind === 'f' || to.kind === 'c')
    return 'it would become infinity. Send smaller values, or write to a wider dtype';
  if (isTime(to)) return 'it is beyond the range of its 64 bits, or falls between two of its counts. Use another unit';
  if (isText(from) && isText(to) && from.kind !== to.kind) {
    return `it is longer than ${to.length} characters, or not ASCII. Use a longer text of the same kind`;
  }
  return `it is longer than ${to.itemsize} bytes. Use a longer dtype`;
}

/** Items are converted as a whole, in memory. @throws too_large */
export function failItemBytes({ from, to }: { readonly from: DType; readonly to: DType }): void {
  const asked = Math.max(from.itemsize, to.itemsize);
  if (asked <= LIMITS.convertItemBytesMax) return;
  fail(
    'too_large',
    `An item has ${asked} bytes; items up to ${LIMITS.convertItemBytesMax} are converted. Take one field with field=, or the bytes as they are.`,
    { limit: LIMITS.convertItemBytesMax, asked },
  );
}

/**
 * Checks the bytes of bools from outside: numpy would call any other byte than 0 true, and keep it.
 * @param first elements before these in the whole
 * @throws would_lose
 */
export function checkBool(bytes: Uint8Array, first = 0): void {
  const at = firstBadBool(bytes);
  if (at === NONE) return;
  failLost({ from: BOOL, to: BOOL, value: String(bytes[at]), index: first + at, field: undefined });
}

const BOOL = numberDType('|b1');

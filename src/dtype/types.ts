/**
 * What a dtype is, as plain data: numpy's kind, the bytes of an item, and what only some kinds have (a unit, fields).
 * Numbers are interned, so that `===` compares them in one thread; all others, and across threads, compare by `typestr`.
 */
import type { Common, NumberDType } from './numbers.js';

export type { ByteOrder, NumberDType } from './numbers.js';

/** Two floats of half the itemsize, the real part first. */
export interface ComplexDType extends Common {
  readonly kind: 'c';
}

/** Counts of a unit, as int64 of the dtype's byte order; the least int64 is NaT. */
export interface TimeDType extends Common {
  /** `M` for datetime64, from 1970-01-01; `m` for timedelta64. */
  readonly kind: 'M' | 'm';
  /** Undefined for numpy's generic unit. */
  readonly unit: TimeUnit | undefined;
}

export const TIME_UNITS = ['Y', 'M', 'W', 'D', 'h', 'm', 's', 'ms', 'us', 'ns', 'ps', 'fs', 'as'] as const;

/** `25us` is 25 of `us`. */
export interface TimeUnit {
  readonly name: (typeof TIME_UNITS)[number];
  readonly count: number;
}

/** Text of at most so many characters, zeros behind it: bytes (`S`), or code points of 4 bytes each (`U`). */
export interface TextDType extends Common {
  readonly kind: 'S' | 'U';
  readonly length: number;
}

/** Bytes that mean nothing to the service. */
export interface VoidDType extends Common {
  readonly kind: 'V';
  readonly fields?: undefined;
}

/** The C compiler's long double (`g`, numpy's char for it) and a pair of them (`G`): bytes that JavaScript cannot compute with. */
export interface LongDoubleDType extends Common {
  readonly kind: 'g' | 'G';
}

export interface StructureDType extends Common {
  readonly kind: 'V';
  /** In numpy's order of names. */
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  /** Of one element of the field. */
  readonly dtype: DType;
  /** Of the sub-array that the field is, in C order; `[]` for one element. */
  readonly shape: readonly number[];
  /** Bytes from the start of the item. */
  readonly offset: number;
}

export type DType = NumberDType | ComplexDType | TimeDType | TextDType | VoidDType | LongDoubleDType | StructureDType;

export function isNumber(dtype: DType): dtype is NumberDType {
  return 'biuf'.includes(dtype.kind);
}

export function isComplex(dtype: DType): dtype is ComplexDType {
  return dtype.kind === 'c';
}

export function isTime(dtype: DType): dtype is TimeDType {
  return dtype.kind === 'M' || dtype.kind === 'm';
}

export function isText(dtype: DType): dtype is TextDType {
  return dtype.kind === 'S' || dtype.kind === 'U';
}

export function isStructure(dtype: DType): dtype is StructureDType {
  return dtype.kind === 'V' && dtype.fields !== undefined;
}

export function isSameDType(a: DType, b: DType): boolean {
  return a === b || a.typestr === b.typestr;
}

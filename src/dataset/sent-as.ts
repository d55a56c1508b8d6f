/** What a read sends: the dtype of its elements, and how those of the file become it. */
import {
  askedConversion,
  conversionOf,
  failItemBytes,
  safeDType,
  type Casting,
  type Conversion,
} from '../convert/index.js';
import { isSameDType, parseDType, structureFrom, withByteOrder, type DType } from '../dtype/index.js';
import type { ArrayPart, FieldsPart } from './array-part.js';

export interface SentAs {
  readonly dtype: DType;
  /** Undefined where the bytes of the file are sent as they are. */
  readonly conversion: Conversion | undefined;
}

export interface Asked {
  /** A dtype, or `safe`. */
  readonly dtype?: string | undefined;
  readonly casting?: Casting | undefined;
  readonly endian?: 'little' | 'big' | undefined;
}

/** Elements of one dtype, or of a structure of which these fields are sent. */
type Sendable = Pick<ArrayPart, 'dtype'> & Partial<Pick<FieldsPart, 'fields'>>;

/**
 * Chosen fields, a dtype and a byte order are one conversion, from the items in the file.
 * @throws unsupported_dtype, would_lose, before anything is read
 */
export function sentAs(part: Sendable, { dtype: text, casting = 'safe', endian }: Asked): SentAs {
  // numpy's a[['b', 'a']]: items as they are, of which these fields are seen, in this order.
  const from = part.fields ? structureFrom(part.fields.from, part.dtype.itemsize) : part.dtype;
  const whole = part.fields?.dtype ?? part.dtype;
  const wanted = text === undefined ? whole : text === 'safe' ? safeDType(whole) : parseDType(text);
  const dtype = endian ? withByteOrder(wanted, endian === 'big' ? '>' : '<') : wanted;
  if (isSameDType(from, dtype)) return { dtype, conversion: undefined };
  const conversion = text === undefined ? conversionOf(from, dtype, 'numpy') : askedConversion(from, dtype, casting);
  failItemBytes(conversion);
  return { dtype, conversion };
}

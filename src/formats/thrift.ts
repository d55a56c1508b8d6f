/**
 * Values in Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md),
 * as far as Parquet has them.
 */

export type ThriftValue =
  | { readonly bool: boolean }
  | { readonly i8: number }
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly text: string | Uint8Array }
  | { readonly list: readonly ThriftValue[] }
  | { readonly struct: ThriftStruct };

/** Fields by their id, of which the first has 1; undefined where there is none. */
export type ThriftStruct = readonly (ThriftValue | undefined)[];

const TYPES = { i8: 3, i32: 5, i64: 6, text: 8, list: 9, struct: 12 } as const;
const STOP = Uint8Array.of(0);
/** The most bytes of a varint: numbers are below 2^53, and twice that is written. */
const VARINT_BYTES = 8;

function typeOf(value: ThriftValue): number {
  if ('bool' in value) return value.bool ? 1 : 2;
  return TYPES[Object.keys(value)[0] as keyof typeof TYPES];
}

/** A number that is not negative, seven bits a byte, the lowest first. */
export function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(VARINT_BYTES);
  let at = 0;
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes[at++] = (left % 0x80) | 0x80;
  bytes[at++] = left;
  return bytes.subarray(0, at);
}

function* valueParts(value: ThriftValue): Generator<Uint8Array> {
  if ('struct' in value) {
    yield* fieldParts(value.struct);
    yield STOP;
  } else if ('list' in value) {
    const [first] = value.list;
    yield listHead(first ? typeOf(first) : TYPES.struct, value.list.length);
    for (const item of value.list) yield* valueParts(item);
  } else if ('text' in value) {
    const bytes = Buffer.from(value.text);
    yield varint(bytes.byteLength);
    yield bytes;
  } else if ('i8' in value) yield Uint8Array.of(value.i8);
  else if ('i32' in value) yield varint(2 * value.i32);
  else if ('i64' in value) yield varint(2 * value.i64);
}

/** Of a list whose items follow. */
export function listHead(type: number, length: number): Uint8Array {
  if (length < 15) return Uint8Array.of((length << 4) | type);
  return Buffer.concat([Uint8Array.of(0xf0 | type), varint(length)]);
}

/** Fields without the end of their structure. @param before the id of the field that stands before them */
export function* fieldParts(fields: ThriftStruct, before = 0): Generator<Uint8Array> {
  let last = before;
  for (const [i, value] of fields.entries()) {
    const id = before + i + 1;
    if (!value) continue;
    yield fieldHead(typeOf(value), id - last);
    last = id;
    yield* valueParts(value);
  }
}

/** @param step from the id of the field before, at most 15 */
export function fieldHead(type: number, step: number): Uint8Array {
  return Uint8Array.of((step << 4) | type);
}

export const I64 = TYPES.i64;
export const LIST = TYPES.list;
export const STRUCT = TYPES.struct;

export function thriftBytes(struct: ThriftStruct): Buffer {
  return Buffer.concat([...valueParts({ struct })]);
}

/**
 * The dtypes that are served, as a table. A DType is plain data and interned, so `===` compares dtypes of one thread;
 * across threads compare `typestr`. Structured, string, datetime and complex dtypes will be further kinds here.
 */
import { fail } from './errors.js';

/** numpy's `dtype.kind`. */
export type Kind = 'b' | 'i' | 'u' | 'f';
export type ByteOrder = '<' | '>' | '|';

interface DTypeRow {
  readonly name: string;
  readonly kind: Kind;
  readonly itemsize: number;
  /** Other spellings that numpy takes for it, without byte order. */
  readonly aliases: readonly string[];
}

export const DTYPES = [
  { name: 'bool', kind: 'b', itemsize: 1, aliases: ['?', 'bool_'] },
  { name: 'int8', kind: 'i', itemsize: 1, aliases: ['b', 'byte'] },
  { name: 'int16', kind: 'i', itemsize: 2, aliases: ['h', 'short'] },
  { name: 'int32', kind: 'i', itemsize: 4, aliases: ['i', 'intc'] },
  { name: 'int64', kind: 'i', itemsize: 8, aliases: ['q', 'l', 'p', 'n', 'int', 'int_', 'intp', 'long', 'longlong'] },
  { name: 'uint8', kind: 'u', itemsize: 1, aliases: ['B', 'ubyte'] },
  { name: 'uint16', kind: 'u', itemsize: 2, aliases: ['H', 'ushort'] },
  { name: 'uint32', kind: 'u', itemsize: 4, aliases: ['I', 'uintc'] },
  { name: 'uint64', kind: 'u', itemsize: 8, aliases: ['Q', 'L', 'P', 'N', 'uint', 'uintp', 'ulong', 'ulonglong'] },
  { name: 'float16', kind: 'f', itemsize: 2, aliases: ['e', 'half'] },
  { name: 'float32', kind: 'f', itemsize: 4, aliases: ['f', 'single'] },
  { name: 'float64', kind: 'f', itemsize: 8, aliases: ['d', 'double', 'float'] },
] as const satisfies readonly DTypeRow[];

export type DTypeName = (typeof DTYPES)[number]['name'];

export interface DType {
  readonly name: DTypeName;
  readonly kind: Kind;
  /** Bytes per element. */
  readonly itemsize: number;
  /** `|` where an element is one byte and has no order. */
  readonly byteOrder: ByteOrder;
  /** numpy's array-protocol spelling, such as `<f4`: what answers carry. */
  readonly typestr: string;
}

/** Every spelling without byte order → row. */
const ROWS = new Map<string, DTypeRow & { name: DTypeName }>();
/** typestr → the one DType of this thread. */
const INTERNED = new Map<string, DType>();

for (const row of DTYPES) {
  for (const spelling of [row.name, `${row.kind}${row.itemsize}`, ...row.aliases]) ROWS.set(spelling, row);
  for (const byteOrder of row.itemsize === 1 ? (['|'] as const) : (['<', '>'] as const)) {
    const typestr = `${byteOrder}${row.kind}${row.itemsize}`;
    INTERNED.set(typestr, {
      name: row.name,
      kind: row.kind,
      itemsize: row.itemsize,
      byteOrder,
      typestr,
    });
  }
}

/**
 * Parses what `np.dtype(text)` takes for the supported dtypes: `'<f8'`, `'float32'`, `'f4'`, `'>i2'`, `'|u1'`, `'=i4'`.
 * Without a byte order it is little-endian, the only native order this service runs on.
 * @param headerBytes where the text stands in the header of a file: the bytes before its first element, for the remedy
 * @throws unsupported_dtype
 */
export function parseDType(text: string, headerBytes?: number): DType {
  const match = /^([<>|=]?)([A-Za-z?][A-Za-z0-9_]{0,15})$/.exec(text);
  const row = match ? ROWS.get(match[2]!) : undefined;
  if (!match || !row) return failUnsupported(text, headerBytes);
  const byteOrder = row.itemsize === 1 ? '|' : match[1] === '>' ? '>' : '<';
  return INTERNED.get(`${byteOrder}${row.kind}${row.itemsize}`)!;
}

/** What the bytes of dtypes that are not supported can be served as; the first row that fits. */
const INSTEAD: readonly { readonly pattern: RegExp; readonly spelling: string; readonly as: string }[] = [
  { pattern: /^[<>|=]?(c8|F|complex64|csingle)$/, spelling: 'f4', as: 'a last axis of 2' },
  { pattern: /^[<>|=]?(c16|D|complex128|complex|cdouble)$/, spelling: 'f8', as: 'a last axis of 2' },
  { pattern: /^[<>|=]?([Mm]8?(\[|$)|(datetime|timedelta)64)/, spelling: 'i8', as: 'the same shape' },
  { pattern: /(?:)/, spelling: 'u1', as: "a last axis of an item's bytes" },
];

/** @throws unsupported_dtype, with the way to its bytes */
export function failUnsupported(text: string, headerBytes?: number): never {
  const { spelling, as } = INSTEAD.find(({ pattern }) => pattern.test(text))!;
  const dtype = parseDType(`${text.startsWith('>') ? '>' : '<'}${spelling}`).typestr;
  const offset = headerBytes === undefined ? '"offset"' : `"offset": ${headerBytes}`;
  return fail(
    'unsupported_dtype',
    `${quote(text)} is not a supported dtype. Use one of ${dtypeNames()}. To serve the bytes of a file as ${dtype} with ` +
      `${as}, register it with "format": "raw", "dtype": "${dtype}", ${offset} and "shape"; ` +
      `in numpy, convert with a.view("${dtype}") or take one field.`,
    {
      dtype: text.slice(0, 80),
      supported: DTYPES.map(each => each.name),
      instead: { format: 'raw', dtype, ...(headerBytes !== undefined && { offset: headerBytes }) },
    },
  );
}

/** The same dtype in another byte order; one-byte dtypes have none and stay as they are. */
export function withByteOrder(dtype: DType, byteOrder: '<' | '>'): DType {
  return dtype.itemsize === 1 ? dtype : INTERNED.get(`${byteOrder}${dtype.kind}${dtype.itemsize}`)!;
}

/** True where a typed array of this machine (always little-endian) reads the bytes as they are. */
export function isNativeOrder(dtype: DType): boolean {
  return dtype.byteOrder !== '>';
}

function dtypeNames(): string {
  return DTYPES.map(row => row.name).join(', ');
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** True for 64-bit integers, which do not fit a double. */
export function isWide({ itemsize, kind }: Pick<DType, 'itemsize' | 'kind'>): boolean {
  return itemsize === 8 && kind !== 'f';
}

/**
 * Structured dtypes as JSON: numpy's `descr`, or names with formats and offsets where the fields are out of order or lie
 * over each other. Read in both forms, described in the first where it can say it.
 *
 * Example: `[["x", "<f4"], ["", "|V4"], ["p", "<i2", [2]]]` has items of 12 bytes: x at 0, four bytes of nobody, two p at 8.
 */
import { LIMITS } from '../limits.js';
import { shown } from '../shown.js';
import { isStructure, type DType, type Field, type StructureDType } from './types.js';
import { failUnsupported } from './unsupported.js';

/** What a dtype is in JSON: a typestr, a list of fields, or names with their places. */
export type Description = string | readonly FieldDescription[] | PlacedDescription;
/** Padding has the name `''` and a void dtype. */
type FieldDescription = readonly [name: string, format: Description, shape?: readonly number[]];
interface PlacedDescription {
  readonly names: readonly string[];
  /** Of a sub-array the format and its shape. */
  readonly formats: readonly (Description | readonly [Description, readonly number[]])[];
  readonly offsets: readonly number[];
  readonly itemsize: number;
}

/** Reads a word: how dtypes are spelled is the concern of whoever reads a whole dtype. */
type ReadWord = (text: string) => DType;

interface Format {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

interface Reader {
  readonly word: ReadWord;
  readonly depth: number;
  /** Where it stands in the header of a file: the bytes before its first element, for the remedy. */
  readonly headerBytes: number | undefined;
}

/** @throws unsupported_dtype */
export function structureOf(description: unknown, word: ReadWord, headerBytes?: number): DType {
  return readDescription(description, { word, depth: 0, headerBytes });
}

function readDescription(description: unknown, reader: Reader): DType {
  if (typeof description === 'string') return reader.word(description);
  if (reader.depth > LIMITS.dtypeDepthMax) {
    return refuse(
      description,
      `structures may lie ${LIMITS.dtypeDepthMax} deep at most. Take the inner ones out`,
      reader,
    );
  }
  const inner = { ...reader, depth: reader.depth + 1 };
  if (Array.isArray(description)) return readList(description, inner);
  if (typeof description === 'object' && description !== null) return readPlaced(description, inner);
  return refuse(
    description,
    'a dtype is a text, a list of fields, or an object of names, formats, offsets and itemsize',
    reader,
  );
}

function readList(items: readonly unknown[], reader: Reader): StructureDType {
  const fields: Field[] = [];
  let offset = 0;
  for (const item of items) {
    if (!Array.isArray(item) || item.length < 2 || item.length > 3) {
      refuse(item, 'a field is [name, format] or [name, format, shape]', reader);
    }
    const [name, format, shape] = item as unknown[];
    if (Array.isArray(name)) refuse(item, 'titles are not kept. Give the name alone', reader);
    if (typeof name !== 'string') refuse(item, 'the name of a field is a text', reader);
    const { dtype, shape: inner } = readFormat(format, reader);
    const read = { dtype, shape: shape === undefined ? inner : [...readShape(shape, item, reader), ...inner] };
    const isPadding = name === '' && read.dtype.kind === 'V' && !isStructure(read.dtype) && read.shape.length === 0;
    if (!isPadding) fields.push({ name, ...read, offset });
    offset += bytesOf(read);
  }
  return structure(fields, offset, items, reader);
}

function readPlaced(description: object, reader: Reader): StructureDType {
  const { names, formats, offsets, itemsize, titles, aligned, ...others } = description as Record<string, unknown>;
  if (titles !== undefined && titles !== null) refuse(description, 'titles are not kept. Leave them out', reader);
  const [other] = Object.keys(others);
  if (other !== undefined)
    refuse(description, `${shown(other)} is no member of a dtype: names, formats, offsets and itemsize are`, reader);
  if (!isList(names, each => typeof each === 'string')) refuse(description, '"names" is a list of texts', reader);
  if (!Array.isArray(formats) || formats.length !== names.length)
    refuse(description, '"formats" has one format for each name', reader);
  const read = formats.map(format => readFormat(format, reader));
  const packed = placesOf(read, aligned === true);
  const isPlace = (each: unknown): boolean => Number.isSafeInteger(each) && (each as number) >= 0;
  if (offsets !== undefined && !(isList(offsets, isPlace) && offsets.length === names.length)) {
    refuse(description, '"offsets" has one number of bytes for each name', reader);
  }
  const starts = (offsets as number[] | undefined) ?? packed.offsets;
  const fields = read.map(({ dtype, shape }, i) => ({ name: names[i] as string, dtype, shape, offset: starts[i]! }));
  const end = Math.max(0, ...fields.map(field => field.offset + bytesOf(field)));
  const aligns = aligned === true ? packed.alignment : 1;
  const least = Math.ceil(end / aligns) * aligns;
  if (itemsize !== undefined && !(isPlace(itemsize) && (itemsize as number) >= end)) {
    refuse(description, `"itemsize" is at least the ${end} bytes that the fields take`, reader);
  }
  return structure(fields, (itemsize as number | undefined) ?? least, description, reader);
}

/** Fields one behind the other, each at a multiple of its alignment where C's compiler would put it there. */
function placesOf(formats: readonly Format[], isAligned: boolean): { offsets: number[]; alignment: number } {
  const offsets: number[] = [];
  let end = 0;
  let alignment = 1;
  for (const format of formats) {
    const own = isAligned ? alignmentOf(format.dtype) : 1;
    offsets.push(Math.ceil(end / own) * own);
    end = offsets.at(-1)! + bytesOf(format);
    alignment = Math.max(alignment, own);
  }
  return { offsets, alignment };
}

/** What C asks of the address of an item. */
function alignmentOf(dtype: DType): number {
  if (isStructure(dtype)) return Math.max(1, ...dtype.fields.map(field => alignmentOf(field.dtype)));
  if (dtype.kind === 'S' || dtype.kind === 'V') return 1;
  if (dtype.kind === 'U') return 4;
  return dtype.kind === 'c' || dtype.kind === 'G' ? dtype.itemsize / 2 : dtype.itemsize;
}

/** `["<f8", [3]]` is a sub-array; what looks like a list of fields is one. */
function readFormat(format: unknown, reader: Reader): Format {
  if (Array.isArray(format) && format.length === 2 && isList(format[1], each => typeof each === 'number')) {
    return { dtype: readDescription(format[0], reader), shape: readShape(format[1], format, reader) };
  }
  return { dtype: readDescription(format, reader), shape: [] };
}

function readShape(shape: unknown, item: unknown, reader: Reader): readonly number[] {
  const lengths = typeof shape === 'number' ? [shape] : shape;
  const isLength = (each: unknown): boolean => Number.isSafeInteger(each) && (each as number) > 0;
  if (isList(lengths, isLength) && lengths.length <= LIMITS.rankMax) return lengths as number[];
  return refuse(item, 'the shape of a field is a list of lengths of at least 1', reader);
}

function structure(fields: readonly Field[], itemsize: number, description: unknown, reader: Reader): StructureDType {
  if (fields.length === 0)
    refuse(description, 'a structure has one field at least. Use a void dtype such as "|V16"', reader);
  if (itemsize > LIMITS.itemsizeMax)
    refuse(description, `an item has ${itemsize} bytes; at most ${LIMITS.itemsizeMax} are possible`, reader);
  const names = new Set<string>();
  for (const { name } of fields) {
    if (name === '') refuse(description, 'a field has no name. Only padding, of a void dtype, may have none', reader);
    if (names.has(name)) refuse(description, `two fields are named ${shown(name)}`, reader);
    names.add(name);
  }
  return structureFrom(fields, itemsize);
}

/** The structure of fields that are known to fit. */
export function structureFrom(fields: readonly Field[], itemsize: number): StructureDType {
  const bare = { kind: 'V', itemsize, byteOrder: '|', name: `void${8 * itemsize}`, fields } as const;
  return { ...bare, typestr: asciiJson(descriptionOf({ ...bare, typestr: '' })) };
}

/** The dtype as JSON: what describe answers, and `parseDType` reads. */
export function descriptionOf(dtype: DType): Description {
  if (!isStructure(dtype)) return dtype.typestr;
  return listOf(dtype) ?? placedOf(dtype);
}

/** Whether numpy can write the dtype into the header of a `.npy`: its `descr` is a list of fields that are in order. */
export function hasHeader(dtype: DType): boolean {
  return !isStructure(dtype) || listOf(dtype) !== undefined;
}

/** numpy's `descr`; undefined where a field begins before the one before it ends, here or inside. */
function listOf({ fields, itemsize }: StructureDType): readonly FieldDescription[] | undefined {
  const list: FieldDescription[] = [];
  let end = 0;
  const pad = (bytes: number): void => {
    if (bytes > 0) list.push(['', `|V${bytes}`]);
  };
  for (const field of fields) {
    const format = isStructure(field.dtype) ? listOf(field.dtype) : field.dtype.typestr;
    if (field.offset < end || format === undefined) return undefined;
    pad(field.offset - end);
    list.push(field.shape.length === 0 ? [field.name, format] : [field.name, format, field.shape]);
    end = field.offset + bytesOf(field);
  }
  pad(itemsize - end);
  return list;
}

function placedOf({ fields, itemsize }: StructureDType): PlacedDescription {
  return {
    names: fields.map(({ name }) => name),
    formats: fields.map(({ dtype, shape }) =>
      shape.length === 0 ? descriptionOf(dtype) : [descriptionOf(dtype), shape],
    ),
    offsets: fields.map(({ offset }) => offset),
    itemsize,
  };
}

/** Bytes of a field, all its elements together. */
export function bytesOf({ dtype, shape }: Format): number {
  return shape.reduce((bytes, length) => bytes * length, dtype.itemsize);
}

/** JSON on one line that any HTTP header can carry. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isList(value: unknown, isMember: (member: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(each => isMember(each));
}

function refuse(part: unknown, why: string, { headerBytes }: Reader): never {
  return failUnsupported(shown(part), { why, headerBytes });
}

/** The schema of a stream of Arrow: its fields as what they are in numpy, and what it says of itself. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { shown } from '../../shown.js';
import type { FlatTable } from './flat-table.js';

export type ArrowInType =
  /** Items as numpy has them. */
  | { readonly kind: 'items'; readonly dtype: string; readonly bytes: number }
  | { readonly kind: 'bool' }
  /** Days in 32 bits. */
  | { readonly kind: 'days' }
  | { readonly kind: 'text'; readonly form: TextForm }
  | { readonly kind: 'struct' }
  | { readonly kind: 'list'; readonly length: number };

/** Offsets of 4 bytes, of 8 bytes, or views of 16. */
export type TextForm = 'short' | 'long' | 'view';

export interface ArrowIn {
  readonly name: string;
  readonly type: ArrowInType;
  readonly children: readonly ArrowIn[];
  /** Texts that are told by their number in a dictionary. */
  readonly dictionary?: { readonly id: number; readonly bytes: number; readonly isSigned: boolean } | undefined;
  /** The shape of what a list is, where it is a tensor. */
  readonly tensor?: readonly number[] | undefined;
}

export interface ArrowInSchema {
  readonly fields: readonly ArrowIn[];
  readonly metadata: ReadonlyMap<string, string>;
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'null',
  4: 'binary',
  7: 'decimal',
  9: 'time',
  11: 'interval',
  12: 'list',
  14: 'union',
  17: 'map',
  19: 'large_binary',
  21: 'large_list',
  22: 'run_end_encoded',
  23: 'binary_view',
  25: 'list_view',
  26: 'large_list_view',
  27: 'decimal',
  28: 'decimal',
};

/** What takes the place of a type that numpy has not. */
const REMEDIES: Readonly<Record<string, string>> = {
  null: 'Drop the column, or cast it to a type of numbers',
  binary: 'Cast it to fixed_size_binary, or to string',
  large_binary: 'Cast it to fixed_size_binary, or to string',
  binary_view: 'Cast it to fixed_size_binary, or to string',
  decimal: 'Cast it to float64 or int64',
  time: 'Cast it to duration, or to int64',
  list: 'Cast it to a fixed_size_list',
  large_list: 'Cast it to a fixed_size_list',
};

const UNITS = ['s', 'ms', 'us', 'ns'];

export function readSchema(schema: FlatTable): ArrowInSchema {
  if (schema.short(0) !== 0) failType('', 'big-endian', 'Write little-endian elements');
  const fields = schema.tables(1).map((field, i) => named(readField(field, 0), i));
  return { fields, metadata: readMetadata(schema, 2) };
}

/** A column without a name is called as in what is sent. */
function named(field: ArrowIn, column: number): ArrowIn {
  return field.name === '' ? { ...field, name: `c${column}` } : field;
}

function readMetadata(table: FlatTable, slot: number): ReadonlyMap<string, string> {
  return new Map(table.tables(slot).map(entry => [entry.text(0), entry.text(1)]));
}

function readField(field: FlatTable, depth: number): ArrowIn {
  const name = field.text(0);
  if (depth > LIMITS.dtypeDepthMax) failType(name, 'nested', `At most ${LIMITS.dtypeDepthMax} levels are read`);
  const type = readType(field, name);
  const children = field.tables(5).map(child => readField(child, depth + 1));
  if (type.kind === 'list' && children.length !== 1) failType(name, 'fixed_size_list', 'It has one kind of items');
  if (type.kind === 'struct' && children.length === 0) failType(name, 'struct', 'It needs a field');
  return { name, type, children, dictionary: readDictionary(field, name, type), tensor: readTensor(field, name, type) };
}

function readDictionary(field: FlatTable, name: string, type: ArrowInType): ArrowIn['dictionary'] {
  const encoding = field.table(4);
  if (!encoding) return undefined;
  if (type.kind !== 'text')
    failType(name, 'dictionary', 'Dictionaries of texts are read; decode it with dictionary_decode');
  const index = encoding.table(1);
  const bits = index?.int(0) ?? 32;
  if (![8, 16, 32, 64].includes(bits)) failType(name, 'dictionary', 'Its indices are integers of 8 to 64 bits');
  return { id: encoding.long(0), bytes: bits / 8, isSigned: index ? index.byte(1) !== 0 : true };
}

function readTensor(field: FlatTable, name: string, type: ArrowInType): readonly number[] | undefined {
  if (type.kind !== 'list') return undefined;
  const notes = readMetadata(field, 6);
  if (notes.get('ARROW:extension:name') !== 'arrow.fixed_shape_tensor') return undefined;
  const said = parsed(notes.get('ARROW:extension:metadata')) as { shape?: unknown; permutation?: unknown } | undefined;
  const { shape, permutation } = said ?? {};
  const isShape = (value: unknown): value is number[] =>
    Array.isArray(value) &&
    value.length <= LIMITS.rankMax &&
    value.every(each => Number.isSafeInteger(each) && each > 0);
  if (!isShape(shape) || shape.reduce((size, length) => size * length, 1) !== type.length) {
    failType(name, 'fixed_shape_tensor', 'Its metadata has a shape of as many elements as it has');
  }
  if (Array.isArray(permutation) && permutation.some((axis, i) => axis !== i)) {
    failType(name, 'fixed_shape_tensor', 'Its axes are read in C order: write it without permutation');
  }
  return shape;
}

/** What a text of JSON says; undefined where it is none. */
export function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readType(field: FlatTable, name: string): ArrowInType {
  const number = field.byte(2);
  const type = field.table(3);
  const items = (dtype: string, bytes: number): ArrowInType => ({ kind: 'items', dtype, bytes });
  const unit = (value: number): string => UNITS[value] ?? failType(name, `unit ${value}`, 'Use s, ms, us or ns');
  switch (number) {
    case 2: {
      const bits = type?.int(0) ?? 0;
      if (![8, 16, 32, 64].includes(bits)) failType(name, `int${bits}`, 'Cast it to int64');
      return items(`${bits === 8 ? '|' : '<'}${type?.byte(1) ? 'i' : 'u'}${bits / 8}`, bits / 8);
    }
    case 3: {
      const bytes = [2, 4, 8][type?.short(0) ?? 0] ?? failType(name, 'float', 'Cast it to float64');
      return items(`<f${bytes}`, bytes);
    }
    case 5:
      return { kind: 'text', form: 'short' };
    case 6:
      return { kind: 'bool' };
    case 8:
      return (type?.short(0, 1) ?? 1) === 0 ? { kind: 'days' } : items('<M8[ms]', 8);
    case 10:
      return items(`<M8[${unit(type?.short(0) ?? 0)}]`, 8);
    case 13:
      return { kind: 'struct' };
    case 15:
      return items(`|V${lengthOf(type, name)}`, lengthOf(type, name));
    case 16:
      return { kind: 'list', length: lengthOf(type, name) };
    case 18:
      return items(`<m8[${unit(type?.short(0, 1) ?? 1)}]`, 8);
    case 20:
      return { kind: 'text', form: 'long' };
    case 24:
      return { kind: 'text', form: 'view' };
    default: {
      const title = NAMES[number] ?? `type ${number}`;
      return failType(name, title, REMEDIES[title] ?? 'Cast it to numbers, dates or strings');
    }
  }
}

function lengthOf(type: FlatTable | undefined, name: string): number {
  const length = type?.int(0) ?? 0;
  if (length < 1 || length > LIMITS.itemsizeMax)
    failType(name, `a fixed size of ${length}`, `Sizes are 1 to ${LIMITS.itemsizeMax}`);
  return length;
}

/** @throws unsupported_dtype */
export function failType(name: string, title: string, remedy: string): never {
  return fail('unsupported_dtype', `The column ${shown(name)} is ${title} in Arrow, which no dtype is. ${remedy}.`, {
    column: name.slice(0, 200),
    dtype: title,
  });
}

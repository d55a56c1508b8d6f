/**
 * Fields as columns of Parquet (https://parquet.apache.org/docs/file-format): what a schema says of each, and where the
 * elements of each innermost field stand in a row. Only dates and durations may be null.
 */
import type { ArrowField, ArrowType } from './arrow-types.js';
import type { Places } from './column-items.js';
import type { ThriftStruct, ThriftValue } from './thrift.js';

type LeafType = Exclude<ArrowType, { kind: 'struct' } | { kind: 'list' }>;

/** An innermost field. */
export interface ParquetColumn {
  readonly path: readonly string[];
  readonly type: LeafType;
  /** Lists that the elements of one row are in, from the outermost inwards. */
  readonly lists: Places['axes'];
  /** Bytes from the start of a row. */
  readonly offset: number;
}

/** Elements of one row. */
export function elementsOfRow({ lists }: ParquetColumn): number {
  return lists.reduce((size, { length }) => size * length, 1);
}

export function isOptional({ type }: Pick<ParquetColumn, 'type'>): boolean {
  return 'factor' in type;
}

/** Physical types, by their number. */
const PHYSICAL = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, bytes: 6, fixed: 7 } as const;
const REQUIRED = 0;
const OPTIONAL = 1;
const REPEATED = 2;

/** As fields of Arrow whose types Parquet has: its timestamps have no seconds. */
export function parquetField(field: ArrowField): ArrowField {
  const { type } = field;
  const children = field.children.map(parquetField);
  if (type.kind !== 'timestamp' || type.unit !== 0) return { ...field, children };
  return { ...field, type: { ...type, unit: 1, factor: 1000n * type.factor } };
}

/** Whether a schema of Arrow tells readers more than that of Parquet: durations, and how long lists are. */
export function needsArrow(fields: readonly ArrowField[]): boolean {
  return fields.some(({ type: { kind }, children }) => kind === 'list' || kind === 'duration' || needsArrow(children));
}

export function columnsOf(fields: readonly ArrowField[]): readonly ParquetColumn[] {
  return fields.flatMap(field => leavesOfField(field, [], [], 0));
}

function leavesOfField(
  { name, type, children, offset }: ArrowField,
  outer: readonly string[],
  lists: Places['axes'],
  from: number,
): ParquetColumn[] {
  const path = [...outer, name];
  const start = from + offset;
  if (type.kind === 'struct') return children.flatMap(child => leavesOfField(child, path, lists, start));
  if (type.kind !== 'list') return [{ path, type, lists, offset: start }];
  const within = [...lists, { length: type.length, stride: type.stride }];
  return children.flatMap(child => leavesOfField({ ...child, name: 'element' }, [...path, 'list'], within, start));
}

/** The elements of a schema, a tree from its root on: each is followed by what it contains. */
export function* schemaElements(fields: readonly ArrowField[]): Generator<ThriftStruct> {
  yield groupElement('schema', undefined, fields.length);
  for (const field of fields) yield* elementsOf(field, field.name);
}

export function elementCount(fields: readonly ArrowField[]): number {
  return fields.reduce((sum, { type, children }) => sum + (type.kind === 'list' ? 2 : 1) + elementCount(children), 0);
}

function* elementsOf({ type, children }: ArrowField, name: string): Generator<ThriftStruct> {
  if (type.kind === 'struct') {
    yield groupElement(name, REQUIRED, children.length);
    for (const child of children) yield* elementsOf(child, child.name);
  } else if (type.kind === 'list') {
    yield groupElement(name, REQUIRED, 1, { converted: 3, logical: 3 });
    yield groupElement('list', REPEATED, 1);
    for (const child of children) yield* elementsOf(child, 'element');
  } else yield leafElement(type, name);
}

function groupElement(
  name: string,
  repetition: number | undefined,
  length: number,
  list?: { readonly converted: number; readonly logical: number },
): ThriftStruct {
  const repeated = repetition === undefined ? undefined : { i32: repetition };
  const annotations: ThriftStruct = list
    ? [{ i32: list.converted }, undefined, undefined, undefined, unionOf(list.logical)]
    : [];
  return [undefined, undefined, repeated, { text: name }, { i32: length }, ...annotations];
}

function leafElement(type: LeafType, name: string): ThriftStruct {
  const { physical, converted, logical } = physicalOf(type);
  const length = physical === PHYSICAL.fixed ? { i32: type.dtype.itemsize } : undefined;
  return [
    { i32: physical },
    length,
    { i32: isOptional({ type }) ? OPTIONAL : REQUIRED },
    { text: name },
    undefined,
    converted === undefined ? undefined : { i32: converted },
    undefined,
    undefined,
    undefined,
    logical,
  ];
}

interface Physical {
  readonly physical: number;
  /** For readers that do not know logical types. */
  readonly converted?: number;
  readonly logical?: ThriftValue;
}

/** What a column is stored as, and what that means. */
export function physicalOf(type: LeafType): Physical {
  const { itemsize } = type.dtype;
  switch (type.kind) {
    case 'bool':
      return { physical: PHYSICAL.boolean };
    case 'utf8':
      return { physical: PHYSICAL.bytes, converted: 0, logical: unionOf(1) };
    case 'binary':
      return { physical: PHYSICAL.fixed };
    case 'float':
      if (itemsize === 2) return { physical: PHYSICAL.fixed, logical: unionOf(15) };
      return { physical: itemsize === 4 ? PHYSICAL.float : PHYSICAL.double };
    case 'int':
      return {
        physical: itemsize === 8 ? PHYSICAL.int64 : PHYSICAL.int32,
        converted: (type.isSigned ? 15 : 11) + Math.log2(itemsize),
        logical: unionOf(10, [{ i8: 8 * itemsize }, { bool: type.isSigned }]),
      };
    case 'date':
      return { physical: PHYSICAL.int32, converted: 6, logical: unionOf(6) };
    case 'timestamp':
      return { physical: PHYSICAL.int64, logical: unionOf(8, [{ bool: false }, unionOf(type.unit)]) };
    case 'duration':
      return { physical: PHYSICAL.int64 };
  }
}

/** A union whose member of this id is there. */
function unionOf(id: number, members: ThriftStruct = []): ThriftValue {
  return { struct: [...Array.from({ length: id - 1 }, () => undefined), { struct: members }] };
}

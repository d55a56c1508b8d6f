/** The fields of a schema as one item of numpy, packed: what each is, and where in the item it stands. */
import { isStructure, isText, parseDType, structureFrom, type DType, type TextDType } from '../../dtype/index.js';
import type { ArrowIn } from './arrow-schema.js';

/** A field in an item. */
export interface RowField {
  readonly dtype: DType;
  /** Lists in lists, as the axes that they are. */
  readonly shape: readonly number[];
  readonly bytes: number;
  /** For each child: bytes from the start of this one. */
  readonly offsets: readonly number[];
  readonly children: readonly RowField[];
}

/** The dtype that the texts of a field have, by the names that lead to it. */
export type TextOf = (field: ArrowIn, path: readonly string[]) => DType;

/** @param path the names that lead to the field, its own included; items of lists have none */
export function rowField(field: ArrowIn, textOf: TextOf, path: readonly string[] = [field.name]): RowField {
  const { type, children } = field;
  if (type.kind === 'list') {
    const item = rowField(children[0]!, textOf, path);
    const shape = [type.length, ...item.shape];
    return { dtype: item.dtype, shape, bytes: type.length * item.bytes, offsets: [0], children: [item] };
  }
  if (type.kind === 'struct')
    return structField(
      field,
      children.map(child => rowField(child, textOf, [...path, child.name])),
    );
  const dtype =
    type.kind === 'items'
      ? parseDType(type.dtype)
      : type.kind === 'bool'
        ? parseDType('|b1')
        : type.kind === 'days'
          ? parseDType('<M8[D]')
          : textOf(field, path);
  return { dtype, shape: [], bytes: dtype.itemsize, offsets: [], children: [] };
}

function structField({ children: fields }: ArrowIn, children: readonly RowField[]): RowField {
  const packed = packedFields(fields, children);
  const half = complexHalf(fields, children);
  const dtype = half ? parseDType(`<c${2 * half}`) : structureFrom(packed.fields, packed.bytes);
  return { dtype, shape: [], bytes: packed.bytes, offsets: packed.fields.map(({ offset }) => offset), children };
}

function packedFields(
  fields: readonly ArrowIn[],
  children: readonly RowField[],
): {
  readonly fields: { name: string; dtype: DType; shape: readonly number[]; offset: number }[];
  readonly bytes: number;
} {
  let bytes = 0;
  const packed = children.map(({ dtype, shape, bytes: own }, i) => {
    const field = { name: fields[i]!.name, dtype, shape, offset: bytes };
    bytes += own;
    return field;
  });
  return { fields: packed, bytes };
}

/** Bytes of each part, where a structure is a complex number. */
function complexHalf(fields: readonly ArrowIn[], children: readonly RowField[]): number | undefined {
  const [re, im] = children;
  if (fields.length !== 2 || fields[0]!.name !== 're' || fields[1]!.name !== 'im') return undefined;
  const isPart = ({ dtype, shape }: RowField): boolean =>
    dtype.kind === 'f' && dtype.itemsize >= 4 && shape.length === 0;
  return isPart(re!) && re!.dtype.typestr === im!.dtype.typestr ? re!.bytes : undefined;
}

/** What the texts of a column become: those that are asked for, else as long as the longest. */
export function textsAs(asked: DType | undefined, lengthOf: (field: ArrowIn) => number): TextOf {
  return (field, path) => {
    const known = asked && leafNamed(asked, path);
    return known ?? parseDType(`<U${Math.max(1, lengthOf(field))}`);
  };
}

function leafNamed(asked: DType, path: readonly string[]): TextDType | undefined {
  let dtype = asked;
  for (const name of path) {
    if (!isStructure(dtype)) break;
    const field = dtype.fields.find(each => each.name === name);
    if (!field) return undefined;
    ({ dtype } = field);
  }
  return isText(dtype) ? dtype : undefined;
}

/** All columns as the fields of a structure, which a row is. */
export function rowStructure(fields: readonly ArrowIn[], columns: readonly RowField[]): DType {
  const packed = packedFields(fields, columns);
  return structureFrom(packed.fields, packed.bytes);
}

/** The same with each column in another dtype. */
export function rowStructureOf(fields: readonly ArrowIn[], columns: readonly RowField[], dtype: DType): DType {
  const others = columns.map(column => {
    const items = column.shape.reduce((size, length) => size * length, 1);
    return { ...column, dtype, bytes: items * dtype.itemsize };
  });
  return rowStructure(fields, others);
}

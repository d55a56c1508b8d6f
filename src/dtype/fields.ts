/** `field=`: which part of each item is meant. */
import { fail } from '../errors.js';
import { didYouMean } from '../near.js';
import { listed, shown } from '../shown.js';
import { subArrayOf } from './leaves.js';
import { bytesOf, structureFrom } from './structure.js';
import { isStructure, type DType, type Field, type StructureDType } from './types.js';

/** One field as an array of its own: the axes that it adds behind those of the dataset, and where it begins in an item. */
export interface FieldView {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Several fields of each item, packed one behind the other in the order that was asked for. */
export interface FieldChoice {
  readonly dtype: StructureDType;
  /** Of the dataset's own dtype, in the same order as the fields of `dtype`. */
  readonly from: readonly Field[];
}

/**
 * What `field=` means for a structure: an exact name first, then names between commas, then a path with dots.
 * @throws unknown_field, with the known ones
 */
export function fieldOf(dtype: DType, text: string): FieldView | FieldChoice {
  const found = exact(dtype, text);
  if (found) return viewOf(found);
  if (text.includes(',')) {
    const names = text.split(',');
    const from = names.map(name => exact(dtype, name) ?? failUnknown(dtype, name));
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) {
      fail('unknown_field', `field names ${shown(twice)} twice. Name each field once.`, { field: twice.slice(0, 60) });
    }
    return { dtype: packed(from), from };
  }
  return pathView(dtype, text);
}

export function isFieldChoice(chosen: FieldView | FieldChoice): chosen is FieldChoice {
  return 'from' in chosen;
}

/** `tag.a`: a field of a field. Names may have dots of their own: the longest that is there is taken. */
function pathView(dtype: DType, text: string): FieldView {
  for (let dot = text.lastIndexOf('.'); dot > 0; dot = text.lastIndexOf('.', dot - 1)) {
    const outer = exact(dtype, text.slice(0, dot));
    if (!outer) continue;
    const inner = text.slice(dot + 1);
    const found = exact(outer.dtype, inner);
    return within(viewOf(outer), found ? viewOf(found) : pathView(outer.dtype, inner));
  }
  return failUnknown(dtype, text);
}

function exact(dtype: DType, name: string): Field | undefined {
  return isStructure(dtype) ? dtype.fields.find(field => field.name === name) : undefined;
}

function viewOf(field: Field): FieldView {
  return { dtype: field.dtype, ...subArrayOf(field), offset: field.offset };
}

function within(outer: FieldView, inner: FieldView): FieldView {
  return {
    dtype: inner.dtype,
    shape: [...outer.shape, ...inner.shape],
    strides: [...outer.strides, ...inner.strides],
    offset: outer.offset + inner.offset,
  };
}

function packed(from: readonly Field[]): StructureDType {
  let offset = 0;
  const fields = from.map(field => {
    const moved = { ...field, offset };
    offset += bytesOf(field);
    return moved;
  });
  return structureFrom(fields, offset);
}

/** @throws unknown_field */
export function failUnknown(dtype: DType, name: string): never {
  const names = isStructure(dtype) ? dtype.fields.map(field => field.name) : [];
  const known =
    names.length === 0
      ? `${shown(dtype.typestr)} has no fields. Leave field out`
      : `The fields are ${listed(names.slice(0, KNOWN_MAX).map(shown), 'and')}${names.length > KNOWN_MAX ? ' among others' : ''}`;
  return fail('unknown_field', `${shown(name)} is no field. ${known}.${didYouMean(name, names)}`, {
    field: name.slice(0, 60),
    fields: names.slice(0, KNOWN_MAX),
  });
}

/** As many names as a message repeats. */
const KNOWN_MAX = 50;

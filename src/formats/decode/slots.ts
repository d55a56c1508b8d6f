/**
 * Where the cells of a row go in an item or in a row of an array: the innermost fields of a structure, `tag.a`, and each
 * element of a sub-array, `pos.0`, as the formats that are sent name them.
 */
import {
  isStructure,
  leavesOf,
  numberDType,
  subArrayOf,
  type DType,
  type LeafDType,
  type StructureDType,
} from '../../dtype/index.js';
import { fail } from '../../errors.js';
import { listed, shown } from '../../shown.js';

export interface Slot {
  readonly name: string;
  readonly dtype: LeafDType;
  /** Bytes from the start of the row. */
  readonly offset: number;
}

/** Of a plain dtype: all columns are alike. */
export interface EvenSlots {
  readonly dtype: LeafDType;
  readonly bytes: number;
  /** Cells of one element. */
  readonly perElement: 1 | 2;
}

/** @throws unsupported_dtype for what has no text */
export function evenSlots(dtype: LeafDType, hasParts: boolean): EvenSlots {
  checkText(dtype, '');
  if (dtype.kind !== 'c' || !hasParts) return { dtype, bytes: dtype.itemsize, perElement: 1 };
  return { dtype: partOf(dtype), bytes: dtype.itemsize / 2, perElement: 2 };
}

/** All slots of a structure, in the order of its fields. @throws unsupported_dtype */
export function slotsOf(dtype: StructureDType, hasParts: boolean): Slot[] {
  // Where complex numbers are parted, items of a sub-array stand one behind the other, with all that they have.
  return hasParts ? [...nestedSlots(dtype, '', 0)] : leafSlots(dtype);
}

function leafSlots(dtype: StructureDType): Slot[] {
  return leavesOf(dtype).flatMap(leaf => {
    const name = leaf.path.join('.');
    checkText(leaf.dtype, name);
    const places = [...placesOf({ name, offset: leaf.offset }, leaf.shape, leaf.strides)];
    return places.map(place => ({ name: place.name, offset: place.offset, dtype: leaf.dtype }));
  });
}

function* nestedSlots(dtype: DType, name: string, offset: number): Generator<Slot> {
  if (isStructure(dtype)) {
    for (const field of dtype.fields) {
      const { shape, strides } = subArrayOf(field);
      const first = { name: name === '' ? field.name : `${name}.${field.name}`, offset: offset + field.offset };
      for (const place of placesOf(first, shape, strides)) yield* nestedSlots(field.dtype, place.name, place.offset);
    }
    return;
  }
  checkText(dtype, name);
  if (dtype.kind !== 'c') return void (yield { name, offset, dtype });
  const part = partOf(dtype);
  for (const i of [0, 1]) yield { name: `${name}.${i}`, offset: offset + i * part.itemsize, dtype: part };
}

interface Place {
  readonly name: string;
  readonly offset: number;
}

/** Each element of a sub-array, in C order. */
function* placesOf(
  { name, offset }: Place,
  [length, ...shape]: readonly number[],
  [stride = 0, ...strides]: readonly number[],
): Generator<Place> {
  if (length === undefined) yield { name, offset };
  else
    for (let i = 0; i < length; i++)
      yield* placesOf({ name: `${name}.${i}`, offset: offset + i * stride }, shape, strides);
}

function partOf({ byteOrder, itemsize }: LeafDType): LeafDType {
  return numberDType(`${byteOrder}f${itemsize / 2}`);
}

function checkText(dtype: LeafDType, field: string): void {
  if (dtype.kind !== 'g' && dtype.kind !== 'G') return;
  const of = field === '' ? '' : `, the dtype of field ${shown(field)},`;
  fail('unsupported_dtype', `${dtype.name}${of} has no text: JavaScript cannot compute with it. Send raw or npy.`, {
    dtype: dtype.typestr,
  });
}

const NAMES_MAX = 50;

/**
 * The slot of each column: by name where the text has names, else by position.
 * @throws unknown_field, shape_mismatch
 */
export function pairedSlots(slots: readonly Slot[], columns: number, names: readonly string[] | undefined): Slot[] {
  if (!names) {
    if (columns !== slots.length) {
      fail(
        'shape_mismatch',
        `The rows have ${columns} cells; the dtype takes ${slots.length}: ${known(slots)}. Send these, in this order.`,
        { columns, expected: slots.length },
      );
    }
    return [...slots];
  }
  const byName = new Map(slots.map(slot => [slot.name, slot]));
  const paired = names.map(name => {
    const slot = byName.get(name);
    if (slot) {
      byName.delete(name);
      return slot;
    }
    const why = slots.some(each => each.name === name) ? 'stands there twice' : 'is none of the dtype';
    return fail(
      'unknown_field',
      `The column ${shown(name)} ${why}: its columns are ${known(slots)}. Name them so; or leave names out, with header=false.`,
      { field: name, fields: slots.slice(0, NAMES_MAX).map(each => each.name) },
    );
  });
  for (const name of byName.keys()) {
    fail('unknown_field', `The column ${shown(name)} is missing. Send all that the dtype has: ${known(slots)}.`, {
      field: name,
      fields: names.slice(0, NAMES_MAX),
    });
  }
  return paired;
}

function known(slots: readonly Slot[]): string {
  return listed(
    slots.slice(0, NAMES_MAX).map(({ name }) => shown(name)),
    'and',
  );
}

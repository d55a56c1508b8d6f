/**
 * Where the cells of a row go in an item or in a row of an array: the innermost fields of a structure, `tag.a`, and each
 * element of a sub-array, `pos.0`, as the formats that are sent name them.
 */
import { leavesOf, numberDType, type LeafDType, type StructureDType } from '../../dtype/index.js';
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
  return leavesOf(dtype).flatMap(leaf => {
    const name = leaf.path.join('.');
    checkText(leaf.dtype, name);
    const places = [...placesOf(name, leaf.offset, leaf.shape, leaf.strides)];
    if (leaf.dtype.kind !== 'c' || !hasParts) return places.map(place => ({ ...place, dtype: leaf.dtype }));
    const part = partOf(leaf.dtype);
    return places.flatMap(place =>
      [0, 1].map(i => ({ name: `${place.name}.${i}`, offset: place.offset + i * part.itemsize, dtype: part })),
    );
  });
}

function* placesOf(
  name: string,
  offset: number,
  [length, ...shape]: readonly number[],
  [stride = 0, ...strides]: readonly number[] = [],
): Generator<{ name: string; offset: number }> {
  if (length === undefined) yield { name, offset };
  else for (let i = 0; i < length; i++) yield* placesOf(`${name}.${i}`, offset + i * stride, shape, strides);
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

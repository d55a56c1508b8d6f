/**
 * `field=`: the array that a call means. It is a view of the dataset's own elements, so that reading, writing and
 * computing it costs what a plain array costs.
 */
import { fieldOf, failUnknown, isFieldChoice, isStructure, type DType, type FieldChoice } from '../dtype/index.js';
import { fail } from '../errors.js';
import type { View } from '../layout/view.js';
import { didYouMean } from '../near.js';
import { listed, shown } from '../shown.js';
import type { Dataset } from './dataset.js';

/** Elements of one dtype, and where they stand in the file. */
export interface ArrayPart {
  readonly dtype: DType;
  readonly view: View;
}

/** Several fields of each item: `dtype` and `view` are those of whole items, from which they are taken. */
export interface FieldsPart extends ArrayPart {
  readonly fields: FieldChoice;
}

/** Several columns that are not evenly apart: of the last axis of `view` these, in this order. */
export interface ColumnsPart extends ArrayPart {
  readonly columns: readonly number[];
}

type Described = Pick<Dataset, 'record' | 'geometry'>;

/**
 * One field of a structure, with the axes of its sub-array behind those of the dataset, or one named column of the last
 * axis; all of the dataset where nothing is named.
 * @throws unknown_field, with the known ones
 */
export function partOf(dataset: Described, field: string | undefined): ArrayPart {
  const part = partsOf(dataset, field);
  if (!('fields' in part) && !('columns' in part)) return part;
  return fail('unknown_field', `${shown(field)} names several fields; this call takes one. Ask once for each.`, {
    field: field!.slice(0, 60),
  });
}

/** The same, and several fields or columns with commas between them. @throws unknown_field */
export function partsOf(
  { record, geometry }: Described,
  field: string | undefined,
): ArrayPart | FieldsPart | ColumnsPart {
  const { dtype, view } = geometry;
  if (field === undefined) return { dtype, view };
  const columns = columnsOf(record);
  if (!isStructure(dtype)) return columns ? columnPart(geometry, columns, field) : failUnknown(dtype, field);
  const chosen = fieldOf(dtype, field);
  return isFieldChoice(chosen) ? { dtype, view, fields: chosen } : fieldPart(view, chosen);
}

function fieldPart(
  view: View,
  { dtype, shape, strides, offset }: Exclude<ReturnType<typeof fieldOf>, FieldChoice>,
): ArrayPart {
  return {
    dtype,
    view: {
      shape: [...view.shape, ...shape],
      strides: [...view.strides, ...strides],
      offset: view.offset + offset,
    },
  };
}

/**
 * The names of the last axis that `attrs.columns` gives; undefined where it is no list of texts.
 * @throws unknown_field where there are too few, too many or two alike: then a name would mean another column
 */
export function columnsOf({ attrs, shape }: Described['record']): readonly string[] | undefined {
  const { columns } = attrs;
  if (!Array.isArray(columns) || !columns.every(each => typeof each === 'string')) return undefined;
  const length = shape.at(-1) ?? 0;
  const distinct = new Set(columns).size;
  if (columns.length === length && distinct === length) return columns;
  const wrong = distinct < columns.length ? 'two of the same' : `${columns.length} of them`;
  return fail(
    'unknown_field',
    `attrs.columns has ${wrong} for the ${length} columns of the last axis. Give each a name of its own with PATCH, or use numbers.`,
    { columns: columns.slice(0, 50), length },
  );
}

function columnPart(
  { dtype, view }: Described['geometry'],
  names: readonly string[],
  field: string,
): ArrayPart | ColumnsPart {
  const at = names.indexOf(field);
  const stride = view.strides.at(-1)!;
  const outer = { shape: view.shape.slice(0, -1), strides: view.strides.slice(0, -1) };
  if (at >= 0) return { dtype, view: { ...outer, offset: view.offset + at * stride } };
  const columns = field.split(',').map(name => columnNamed(name, names));
  const first = columns[0]!;
  const step = (columns[1] ?? first) - first;
  if (columns.some((column, i) => column !== first + i * step)) return { dtype, view, columns };
  return {
    dtype,
    view: {
      shape: [...outer.shape, columns.length],
      strides: [...outer.strides, step * stride],
      offset: view.offset + first * stride,
    },
  };
}

/** Columns that no view can show at once. @throws unknown_field, with another way */
export function failColumns(): never {
  return fail(
    'unknown_field',
    'Here several columns are taken where they are evenly apart. Take them one by one, or by their numbers with POST …/select.',
  );
}

/** The number of a named column. @throws unknown_field */
export function columnNamed(name: string, names: readonly string[]): number {
  const at = names.indexOf(name);
  if (at >= 0) return at;
  return fail(
    'unknown_field',
    `${shown(name)} is no column. The columns are ${listed(names.slice(0, 50).map(shown), 'and')}.${didYouMean(name, names)}`,
    {
      field: name.slice(0, 60),
      fields: names.slice(0, 50),
    },
  );
}

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

type Described = Pick<Dataset, 'record' | 'geometry'>;

/**
 * One field of a structure, with the axes of its sub-array behind those of the dataset, or one named column of the last
 * axis; all of the dataset where nothing is named.
 * @throws unknown_field, with the known ones
 */
export function partOf(dataset: Described, field: string | undefined): ArrayPart {
  const part = partsOf(dataset, field);
  if (!('fields' in part) && !part.view.lists) return part;
  const many =
    'fields' in part
      ? 'fields; this call takes one. Ask once for each'
      : 'columns that are not evenly apart; this call takes one, or such as slice=:,::2 takes. Ask once for each';
  return fail('unknown_field', `${shown(field)} names several ${many}.`, {
    field: field!.slice(0, 60),
  });
}

/** The same, and several fields or columns with commas between them. @throws unknown_field */
export function partsOf({ record, geometry }: Described, field: string | undefined): ArrayPart | FieldsPart {
  const { dtype, view } = geometry;
  if (field === undefined) return { dtype, view };
  if (!isStructure(dtype)) {
    const columns = columnsOf(record);
    return columns ? { dtype, view: columnView(view, columns, field) } : failUnknown(dtype, field);
  }
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

/** One column, without its axis; or several, `a[..., [2, 0]]`, which step where they are evenly apart. */
function columnView(view: View, names: readonly string[], field: string): View {
  const at = names.indexOf(field);
  const stride = view.strides.at(-1)!;
  const outer = { shape: view.shape.slice(0, -1), strides: view.strides.slice(0, -1), offset: view.offset };
  if (at >= 0) return { ...outer, offset: view.offset + at * stride };
  const columns = field.split(',').map(name => columnNamed(name, names));
  const shape = [...outer.shape, columns.length];
  const first = columns[0]!;
  const step = (columns[1] ?? first) - first;
  if (columns.every((column, i) => column === first + i * step)) {
    return { shape, strides: [...outer.strides, step * stride], offset: view.offset + first * stride };
  }
  const offsets = new Float64Array(new SharedArrayBuffer(8 * columns.length));
  for (const [i, column] of columns.entries()) offsets[i] = column * stride;
  const bounds = { min: Math.min(...offsets), max: Math.max(...offsets) };
  const list = { offsets, strides: [...outer.strides.map(() => 0), 1], start: 0, ...bounds };
  return { ...outer, shape, strides: [...outer.strides, 0], lists: [list] };
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

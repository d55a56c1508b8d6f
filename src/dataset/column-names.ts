/** What the columns of a selection are called: by `attrs.columns`, or by the field that was asked for. */
import { isStructure } from '../dtype/index.js';
import { NO_LISTS, type View } from '../layout/view.js';
import type { Dataset } from './dataset.js';

type Described = Pick<Dataset, 'record' | 'geometry'>;

/**
 * An array that holds, in the place of each element, the number of its column; undefined where columns have no names. What
 * a selection takes of it says which columns it takes: its offsets and strides are the numbers themselves, not bytes.
 * @param field as the call names it
 * @param shape of the elements that `field` leaves
 */
export function columnRuler(dataset: Described, field: string | undefined, shape: readonly number[]): View | undefined {
  if (!columnsLeft(dataset, field)) return undefined;
  return { shape, strides: shape.map((_, axis) => (axis === shape.length - 1 ? 1 : 0)), offset: 0 };
}

/**
 * One name for each column that a selection leaves; undefined where they have none, or where two would have the same.
 * Names that do not fit their axis count as none.
 * @param taken what the selection takes of the ruler
 */
export function columnNames(
  dataset: Described,
  field: string | undefined,
  taken: View | undefined,
): readonly string[] | undefined {
  const columns = columnsLeft(dataset, field);
  if (columns && field !== undefined && columns.length === 1) return columns;
  if (!columns || !taken) return undefined;
  const [, count = 1, ...more] = taken.shape;
  // Rows of a single axis: each of its elements is one.
  const isAlongRows = taken.shape.length > 0 && isMoving(taken, 0);
  if (more.length > 0 || isAlongRows || count > columns.length) return undefined;
  const chosen = Array.from({ length: count }, (_, column) => columns[columnOf(taken, column)]!);
  return new Set(chosen).size === count ? chosen : undefined;
}

/** True where elements along an axis are not of the same column. */
function isMoving({ strides, lists = NO_LISTS }: View, axis: number): boolean {
  return strides[axis] !== 0 || lists.some(({ strides: steps, min, max }) => steps[axis] !== 0 && max > min);
}

/** The column of element [0, i], or of the only one. */
function columnOf({ strides: [, step = 0], offset, lists = NO_LISTS }: View, i: number): number {
  const added = lists.map(({ offsets, start, strides: [, entries = 0] }) => offsets[start + i * entries]!);
  return added.reduce((sum, each) => sum + each, offset + i * step);
}

/** The names of the columns that `field` leaves. */
function columnsLeft({ record, geometry }: Described, field: string | undefined): readonly string[] | undefined {
  if (isStructure(geometry.dtype)) return field === undefined ? undefined : [field];
  const names = fittingColumns(record);
  if (field === undefined) return names;
  return names?.includes(field) ? [field] : field.split(',');
}

function fittingColumns({ attrs, shape }: Dataset['record']): readonly string[] | undefined {
  const { columns } = attrs;
  if (!Array.isArray(columns) || columns.length !== shape.at(-1)) return undefined;
  if (!columns.every(each => typeof each === 'string') || new Set(columns).size < columns.length) return undefined;
  return columns;
}

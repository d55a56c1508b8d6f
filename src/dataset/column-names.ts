/** What the columns of a selection are called: by `attrs.columns`, or by the field that was asked for. */
import { isStructure } from '../dtype/index.js';
import type { Selection } from '../selection.js';
import type { Dataset } from './dataset.js';

/**
 * One name for each column that slices leave; undefined where they have none. Names that do not fit their axis count as
 * none.
 * @param field as the call names it
 * @param picks of the axes that `field` leaves
 */
export function columnNames(
  { record, geometry }: Pick<Dataset, 'record' | 'geometry'>,
  field: string | undefined,
  picks: Selection['picks'],
): readonly string[] | undefined {
  const isField = isStructure(geometry.dtype);
  const names = isField ? undefined : fittingColumns(record);
  if (field !== undefined && (isField || names?.includes(field))) return [field];
  const columns = field === undefined ? names : field.split(',');
  const last = picks.at(-1);
  if (!columns || !last || last.kind === 'newaxis') return undefined;
  if (last.kind === 'index') return [columns[last.index]!];
  // Rows of a single axis: each of its elements is one.
  if (picks.filter(({ kind }) => kind !== 'index').length !== 2) return undefined;
  return Array.from({ length: last.length }, (_, i) => columns[last.start + i * last.step]!);
}

function fittingColumns({ attrs, shape }: Dataset['record']): readonly string[] | undefined {
  const { columns } = attrs;
  if (!Array.isArray(columns) || columns.length !== shape.at(-1)) return undefined;
  if (!columns.every(each => typeof each === 'string') || new Set(columns).size < columns.length) return undefined;
  return columns;
}

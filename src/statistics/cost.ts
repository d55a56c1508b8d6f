/** What a query that chooses rows reads beside its elements: its joins, and the columns by which its rows are counted. */
import { columnsOf, type RowColumn, type RowFilter } from '../filter/filter.js';
import { uniqueColumns, type RowChoice } from './plan-rows.js';

/** Useful bytes of each pass before those over the elements. O(length of the query). */
export function bytesBefore({ kept }: RowChoice, isCountedFirst: boolean): number[] {
  const bytes = rowsBefore(kept);
  if (isCountedFirst && kept.filter.kind !== 'constant') bytes.push(kept.total * bytesPerRow(columnsOf(kept.filter)));
  return bytes;
}

/** Bytes of each join, and of those inside it. */
function rowsBefore({ joins }: RowFilter): number[] {
  return joins.flatMap(join => {
    const { filter, self, total } = join;
    const isEmpty = total === 0 || (filter.kind === 'constant' && !filter.keeps);
    return [...rowsBefore(join), ...(isEmpty ? [] : [total * bytesPerRow([self!, ...columnsOf(filter)])])];
  });
}

function bytesPerRow(columns: readonly RowColumn[]): number {
  return uniqueColumns(columns).reduce((bytes, { dtype }) => bytes + dtype.itemsize, 0);
}

/** What a plan will read at most, from geometry alone: the passes that resolve it, and those over its elements. */
import { columnsOf, type RowColumn, type RowFilter } from './filter/filter.js';
import type { Plan } from './plan.js';
import { countsFirst, uniqueColumns } from './plan-rows.js';

export interface PlanCost {
  /** Useful bytes, all passes together. */
  readonly bytes: number;
  /** How often data is gone through, joined datasets included. */
  readonly passes: number;
  /** Chunks of the passes over elements; those of columns are few beside them. */
  readonly chunks: number;
}

/** O(rank) and the length of the query. */
export function costOfPlan(plan: Plan): PlanCost {
  const { scan, open, passes: often } = plan;
  const before = open ? rowsBefore(open.kept) : [];
  if (open && open.kept.filter.kind !== 'constant' && countsFirst(plan, open)) {
    before.push(open.kept.total * bytesPerRow(columnsOf(open.kept.filter)));
  }
  const passes = before.length + (scan.chunkCount > 0 ? often : 0);
  const bytes = before.reduce((sum, each) => sum + each, scan.bytes * often);
  return { bytes, passes, chunks: scan.chunkCount * often };
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

/** The cells of groups as the formulas of the statistics see them (accumulators/accumulator.ts). */
import type { Cells } from '../accumulators/accumulator.js';
import { cellsOf } from '../accumulators/finish.js';
import type { Plan } from '../plan.js';
import type { GroupedResult, StatisticsResult } from '../result.js';
import type { GroupStore } from './store.js';

export interface GroupCells extends Cells {
  readonly store: GroupStore;
  /** Elements that a row has in each cell of its group. */
  readonly perRow: number;
}

export function groupCellsOf(plan: Plan, store: GroupStore): GroupCells {
  // Of a row; the plan's cells are those of all rows.
  const perRow = plan.rowElements / Math.max(1, plan.cells);
  const sizeOf = (cell: number): number => store.rows[Math.floor(cell / store.cells)]! * perRow;
  return { ...cellsOf(plan, store.fields, sizeOf), store, perRow };
}

/** Elements used in all groups: one number, or one per cell where they differ. */
export function countAll({ shape, cells }: Plan, { counts }: GroupedResult): StatisticsResult['count'] {
  const sums = new Float64Array(cells);
  for (const [i, count] of counts.values.entries()) sums[i % cells]! += Number(count);
  const [first = 0] = sums;
  return sums.every(sum => sum === first) ? first : { ...counts, shape, values: sums };
}

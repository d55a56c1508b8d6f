/**
 * Which bytes of each dataset's file a plan may read, from geometry alone: writers elsewhere need not mind it.
 * Hazard: whatever a scan of any pass reads must lie in here, or an answer could mix generations.
 */
import type { Extent } from '../layout/runs.js';
import { extentOf, type View } from '../layout/view.js';
import { columnsOf, type RowColumn, type RowFilter } from '../filter/filter.js';
import type { QueryPlan } from './plan.js';
import { columnView } from './scan/row-chunks.js';

const NOTHING: Extent = { start: 0, end: 0 };

/** From the first to the last byte, gaps included, by the number of the source. O(rank) and the length of the query. */
export function extentsOfPlan(plan: QueryPlan, sources: number): Extent[] {
  const extents = Array.from({ length: sources }, (): Extent => NOTHING);
  const add = (source: number, each: View, itemsize: number): void => {
    extents[source] = hullOf(extents[source]!, extentOf(each, itemsize));
  };
  const addColumns = (columns: readonly RowColumn[], total: number): void => {
    for (const column of columns) add(column.source, columnView(column, 0, total).view, column.dtype.itemsize);
  };
  const addFilter = ({ self, total, filter, joins }: RowFilter): void => {
    addColumns([...(self ? [self] : []), ...columnsOf(filter)], total);
    for (const join of joins) addFilter(join);
  };
  // Which rows of a chunk are used is found out by reading it: any may be read.
  add(0, plan.view, plan.dtype.itemsize);
  if ('choice' in plan) {
    const { kept, within, grouping } = plan.choice;
    const keys = grouping ? grouping.keys.map(({ column }) => column) : [];
    addColumns([...columnsOf(kept.filter), ...columnsOf(within), ...keys], kept.total);
    for (const join of kept.joins) addFilter(join);
  }
  return extents;
}

/** The smallest extent that holds both; an empty one takes no place. */
export function hullOf(a: Extent, b: Extent): Extent {
  if (b.start >= b.end) return a;
  if (a.start >= a.end) return b;
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}

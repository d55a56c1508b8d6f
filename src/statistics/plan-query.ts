/** From what a client asked to a plan: the query, its slice, and the datasets that its filters and keys name. */
import { fail } from '../errors.js';
import { selectFrom } from '../layout/select.js';
import { normalise, type RangePart, type SlicePart, WHOLE } from '../selection.js';
import type { RowSource } from '../filter/filter.js';
import { resolveFilter, SourceList, type FindSource } from '../filter/resolve.js';
import { KEEPS_ALL } from '../filter/filter.js';
import { resolveGrouping } from './groups/grouping.js';
import { planRows, planStatistics, type PlanOptions, type QueryPlan } from './plan.js';
import { parseQuery, type Query, type QueryInput } from './query.js';

export interface PlannedQuery {
  readonly plan: QueryPlan;
  /** The datasets that it reads, by the numbers that scans and columns use; the first is `self`. */
  readonly sources: readonly RowSource[];
}

/**
 * Plans a query of one dataset, in turns. `find` looks up other datasets for whoever asks.
 * @throws bad_operation, bad_request, bad_axis, bad_slice, index_out_of_bounds, too_many_indices, result_rank,
 * empty_selection, too_large, not_aligned, unknown_dataset
 */
export function* planQuery(
  input: QueryInput,
  self: RowSource,
  slice: readonly SlicePart[],
  find: FindSource,
  options: Pick<PlanOptions, 'bounds'> = {},
): Generator<void, PlannedQuery> {
  const { dtype, view, shape } = self;
  const selection = normalise(slice, shape);
  const query = parseQuery(input, selection.shape.length);
  const origin = { ...options, origin: view.offset };
  if (!query.where && !query.groupBy) {
    return { plan: planStatistics(query, dtype, selectFrom(view, selection), origin), sources: [self] };
  }
  const { rows, others } = rowsOf(slice, shape);
  const sources = new SourceList(self, find);
  const kept = yield* resolveFilter(query.where, sources, 0);
  const { grouping, within } = query.groupBy
    ? yield* resolveGrouping(query.groupBy, sources, 0)
    : { grouping: undefined, within: KEEPS_ALL };
  const all = selectFrom(view, normalise([WHOLE, ...others], shape));
  const asked: Query = { ...query, rows };
  return { plan: planRows(asked, dtype, all, { kept, part: rows, within, grouping }, origin), sources: sources.list };
}

/** What a slice takes of the rows, and of the other axes. @throws bad_operation where it does not keep rows first */
function rowsOf(
  slice: readonly SlicePart[],
  shape: readonly number[],
): { rows: RangePart; others: readonly SlicePart[] } {
  if (shape.length === 0)
    fail('bad_operation', 'where and group_by choose rows, and a dataset of no axis has none. Leave them out.');
  const [first = WHOLE, ...others] = slice;
  if (first.kind === 'range') return { rows: first, others };
  const consuming = slice.filter(part => part.kind === 'index' || part.kind === 'range').length;
  if (first.kind === 'ellipsis' && consuming < shape.length) return { rows: WHOLE, others: slice };
  // An ellipsis that stands for no axis.
  if (first.kind === 'ellipsis') return rowsOf(others, shape);
  return fail(
    'bad_operation',
    'where and group_by choose among rows, so the slice has to keep axis 0, as the first: begin it with ":" or a range.',
  );
}

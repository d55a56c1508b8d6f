/**
 * From what a client asked to a plan: the query, its slice, and the datasets that its filters and keys name; and which
 * bytes of each dataset's file a plan may read, so that writers elsewhere need not mind it.
 */
import { columnsOfKeys } from '../grouping/keys.js';
import type { FieldChoice } from '../dtype/index.js';
import { fail } from '../errors.js';
import { selectFrom } from '../layout/select.js';
import { normalise, type RangePart, type Selection, type SlicePart, WHOLE } from '../selection.js';
import { columnsOf, type RowColumn, type RowFilter, type RowSource } from '../filter/filter.js';
import { SourceList, type Elements, type FindSource, type Rows } from '../filter/columns.js';
import { resolveFilter } from '../filter/resolve.js';
import { KEEPS_ALL } from '../filter/filter.js';
import { resolveGrouping } from '../grouping/grouping.js';
import { planRows, planStatistics, type PlanOptions, type QueryPlan } from './plan.js';
import { checkKind } from './ops.js';
import { type AxisNames, parseQuery, type QueryInput } from './query.js';
import type { Extent } from '../layout/runs.js';
import { extentOf, type View } from '../layout/view.js';
import { columnView } from '../scan/chunks.js';

interface AskedElements extends Elements {
  /** Of some fields of structures: where they stand in the items. */
  readonly fields?: FieldChoice;
}

interface QueryOptions extends Pick<PlanOptions, 'bounds'> {
  /** What the query is about, where it is not all of the dataset. */
  readonly elements?: AskedElements | undefined;
  /** Names of the dataset's axes. */
  readonly dims?: readonly string[] | null | undefined;
}

interface PlannedQuery {
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
  { elements, dims, bounds }: QueryOptions = {},
): Generator<void, PlannedQuery> {
  const { dtype, view } = elements ?? self;
  const { shape } = view;
  const selection = normalise(slice, shape);
  const query = parseQuery(input, selection.shape.length, dims ? namesOf(selection, dims) : []);
  checkKind(query.ops, dtype);
  const origin = { bounds, origin: view.offset, fields: elements?.fields?.from };
  if (!query.where && !query.groupBy) {
    return { plan: planStatistics(query, dtype, selectFrom(view, selection), origin), sources: [self] };
  }
  const { rows, others } = rowsOf(slice, shape);
  const sources = new SourceList(self, find);
  const asked: Rows = { number: 0, own: elements };
  const kept = yield* resolveFilter(query.where, sources, asked);
  const { grouping, within } = query.groupBy
    ? yield* resolveGrouping(query.groupBy, sources, asked)
    : { grouping: undefined, within: KEEPS_ALL };
  const all = selectFrom(view, normalise([WHOLE, ...others], shape));
  return {
    plan: planRows({ ...query, rows }, dtype, all, { kept, part: rows, within, grouping }, origin),
    sources: sources.list,
  };
}

/** Names of the axes that a selection keeps; those of a field, which stand behind, and new ones have none. */
function namesOf({ picks }: Selection, dims: readonly string[]): AxisNames {
  const names: (string | undefined)[] = [];
  let axis = 0;
  for (const { kind } of picks) {
    if (kind === 'newaxis') names.push(undefined);
    else if (kind === 'range') names.push(dims[axis++]);
    else axis++;
  }
  return names;
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

const NOTHING: Extent = { start: 0, end: 0 };

/**
 * What a plan may read of each source: from the first to the last byte, gaps included, by the number of the source. O(rank)
 * and the length of the query. Hazard: whatever a scan of any pass reads must lie in here, or an answer could mix
 * generations.
 */
export function extentsOfPlan(plan: QueryPlan, sources: number): Extent[] {
  const extents = Array.from({ length: sources }, (): Extent => NOTHING);
  const add = (source: number, each: View, itemsize: number): void => {
    extents[source] = hullOf(extents[source]!, extentOf(each, itemsize));
  };
  // Which rows of a chunk are used is found out by reading it: any may be read.
  add(0, plan.view, plan.dtype.itemsize);
  for (const { column, total } of columnsOfPlan(plan)) {
    add(column.source, columnView(column, 0, total).view, column.dtype.itemsize);
  }
  return extents;
}

/** The columns that are computed, and those that rows are chosen and told apart by, with how many rows each is read of; those of joins included. */
export function columnsOfPlan(plan: QueryPlan): { readonly column: RowColumn; readonly total: number }[] {
  const [total = 1] = plan.view.shape;
  const own = (plan.columns?.places ?? []).map(column => ({ column, total }));
  if (!('choice' in plan)) return own;
  const { kept, within, grouping } = plan.choice;
  const ofFilter = ({ codes, total, filter, joins }: RowFilter): ReturnType<typeof columnsOfPlan> => [
    ...[...(codes ? [codes] : []), ...columnsOf(filter)].map(column => ({ column, total })),
    ...joins.flatMap(ofFilter),
  ];
  const more = [...columnsOf(within), ...(grouping ? columnsOfKeys(grouping.keys) : [])];
  return [...own, ...ofFilter(kept), ...more.map(column => ({ column, total: kept.total }))];
}

/** The smallest extent that holds both; an empty one takes no place. */
export function hullOf(a: Extent, b: Extent): Extent {
  if (b.start >= b.end) return a;
  if (a.start >= a.end) return b;
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}

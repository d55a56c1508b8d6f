/**
 * What has to be read before a query that chooses rows can be computed: the values of its joins, and how many rows are
 * kept. Passes like those of any operator; in the end there is the resolved plan.
 */
import { invariant } from '../errors.js';
import { sizeOf } from '../layout/view.js';
import { JoinValues } from './filter/join.js';
import { columnsOf, combined, type Filter, type RowFilter } from './filter/filter.js';
import { PLAN_BOUNDS, resolvePlan, type OpenQuery, type Plan, type PlanBounds } from './plan.js';
import { columnsScan, countsFirst, groupedBounds, multipleOf, uniqueColumns } from './plan-rows.js';
import type { GroupsPartial, RowCountPartial, SinkPartial } from './specs.js';
import type { Pass } from './pass.js';
import type { KeptBefore } from './scan/scan.js';

export class RowsPreparation {
  readonly #open: OpenQuery;
  readonly #source: number;
  readonly #itemsize: number;
  /** Of rows that are kept in the answer. */
  readonly #cellsPerRow: number;
  /** A pass over the data, or nothing where others should have a turn. */
  readonly #steps: Generator<Pass | void, Plan, void>;
  #take: ((partial: SinkPartial) => Generator<void, void> | void) | undefined;
  #plan: Plan | undefined;
  #resolve: ((usedRows: number) => Plan) | undefined;
  readonly #joined: JoinValues[] = [];
  #countBytes = 0;

  constructor(plan: Plan, open: OpenQuery) {
    this.#open = open;
    this.#source = plan.scan.source;
    this.#itemsize = plan.dtype.itemsize;
    const { axis } = plan.query;
    this.#cellsPerRow = axis === null || axis.includes(0) ? 0 : plan.cells / Math.max(1, open.kept.total);
    this.#steps = this.#prepare(plan);
  }

  /** What was found so far: values of joins, and counts of rows. */
  get heldBytes(): number {
    return this.#joined.reduce((sum, values) => sum + values.bytes, this.#countBytes);
  }

  /** Known when `next` returned undefined. */
  get plan(): Plan {
    invariant(this.#plan !== undefined, 'a plan is asked for when it is resolved');
    return this.#plan;
  }

  /** Where rows are counted while their elements are read: the plan for so many. @throws empty_selection */
  get resolve(): ((usedRows: number) => Plan) | undefined {
    return this.#resolve;
  }

  *next(): Generator<void, Pass | undefined> {
    for (;;) {
      const step = this.#steps.next();
      if (!step.done && step.value) return step.value;
      if (!step.done) {
        yield;
        continue;
      }
      this.#plan = step.value;
      return undefined;
    }
  }

  combine(partial: SinkPartial): Generator<void, void> | void {
    return this.#take!(partial);
  }

  *#prepare(plan: Plan): Generator<Pass | void, Plan, void> {
    const open = this.#open;
    const filter = yield* this.#resolveFilter(open.kept);
    const { grouping } = open;
    if (countsFirst(plan, open) || (!grouping && filter.kind === 'constant')) {
      return resolvePlan(plan, open, filter, yield* this.#count(filter));
    }
    const { total } = open.kept;
    const countsOf = (used: number): KeptBefore => ({ pieceRows: total, counts: Float64Array.of(0, used) });
    if (!grouping) this.#resolve = used => resolvePlan(plan, open, filter, countsOf(used));
    return resolvePlan(plan, open, filter, undefined);
  }

  get #bounds(): PlanBounds {
    return { ...PLAN_BOUNDS, ...this.#open.options.bounds };
  }

  /** The filter with the values of its joins in the place of these. */
  *#resolveFilter({ filter, joins }: RowFilter): Generator<Pass | void, Filter, void> {
    const found: JoinValues[] = [];
    for (const join of joins) {
      const inner = yield* this.#resolveFilter(join);
      const values = new JoinValues(
        join.self!,
        found.reduce((sum, each) => sum + each.size, 0),
      );
      this.#joined.push(values);
      const isEmpty = join.total === 0 || (inner.kind === 'constant' && !inner.keeps);
      if (!isEmpty) {
        const columns = uniqueColumns([join.self!, ...columnsOf(inner)]);
        const scan = columnsScan(
          join.self!.source,
          join.total,
          1,
          { filter: inner, columns },
          groupedBounds(this.#bounds, 8),
        );
        this.#take = partial => values.combine(partial as GroupsPartial);
        yield { scan, spec: values.spec };
      }
      found.push(values);
    }
    return yield* withoutJoins(filter, found);
  }

  /** Rows that are kept before each piece of the scan, and behind the last. */
  *#count(filter: Filter): Generator<Pass, KeptBefore, void> {
    const { all } = this.#open;
    const { total } = this.#open.kept;
    const bytes = sizeOf(all.shape.slice(1)) * this.#itemsize;
    const row = { bytes, stride: all.strides[0]!, cells: this.#cellsPerRow };
    const pieceRows = multipleOf(total, row, this.#bounds);
    const pieces = Math.ceil(total / pieceRows);
    const counts = new Float64Array(new SharedArrayBuffer(8 * (pieces + 1)));
    this.#countBytes = counts.byteLength;
    const before: KeptBefore = { pieceRows, counts };
    if (filter.kind === 'constant') {
      for (let i = 1; i <= pieces; i++) counts[i] = filter.keeps ? Math.min(total, i * pieceRows) : 0;
      return before;
    }
    let piece = 0;
    this.#take = partial => {
      for (const count of (partial as RowCountPartial).counts) {
        counts[piece + 1] = counts[piece]! + count;
        piece++;
      }
    };
    const columns = uniqueColumns(columnsOf(filter));
    yield {
      scan: columnsScan(this.#source, total, pieceRows, { filter, columns }, this.#bounds),
      spec: { kind: 'row-counts', pieceRows },
    };
    return before;
  }
}

function* withoutJoins(filter: Filter, found: readonly JoinValues[]): Generator<void, Filter> {
  switch (filter.kind) {
    case 'constant':
    case 'test':
      return filter;
    case 'join':
      return yield* found[filter.join]!.testOf(filter.column);
    case 'not': {
      const of = yield* withoutJoins(filter.of, found);
      return of.kind === 'constant' ? { kind: 'constant', keeps: !of.keeps } : { kind: 'not', of };
    }
    case 'and':
    case 'or': {
      const of: Filter[] = [];
      for (const each of filter.of) of.push(yield* withoutJoins(each, found));
      return combined(filter.kind, of);
    }
  }
}

/**
 * What has to be read before a query that chooses rows can be planned: the values of its joins, and how many rows are
 * kept. Passes like those of any operator; in the end there is the plan.
 */
import { sizeOf } from '../layout/view.js';
import { hasTexts, newJoin, type Joined } from './join.js';
import { DistinctTexts } from './groups/distinct-texts.js';
import { textKey, type Grouping } from '../grouping/grouping.js';
import { columnsOf, combined, type Filter, type RowFilter } from '../filter/filter.js';
import { PLAN_BOUNDS, planChosen, type Plan, type PlanBounds, type RowsPlan } from './plan.js';
import { columnsScan, groupedBounds, multipleOf, uniqueColumns } from './plan-rows.js';
import type { PartialOf, SpecOf, SinkPartial } from './specs.js';
import type { Pass } from './pass.js';
import type { KeptBefore } from '../scan/scan.js';

export class Prepass {
  readonly #rows: RowsPlan;
  /** A pass over the data, or nothing where others should have a turn. */
  readonly #steps: Generator<Pass | void, Plan, void>;
  #take: ((partial: SinkPartial) => Generator<void, void> | void) | undefined;
  /** Values of joins, and texts that rows are grouped by. */
  readonly #joined: { readonly bytes: number }[] = [];
  #countBytes = 0;

  constructor(rows: RowsPlan) {
    this.#rows = rows;
    this.#steps = this.#prepare();
  }

  /** What was found so far: values of joins, and counts of rows. */
  get heldBytes(): number {
    return this.#joined.reduce((sum, values) => sum + values.bytes, this.#countBytes);
  }

  /** The next pass, or the plan when nothing more has to be read before; in turns. */
  *next(): Generator<void, Pass | Plan> {
    for (;;) {
      const { value } = this.#steps.next();
      if (value) return value;
      yield;
    }
  }

  combine(partial: SinkPartial): Generator<void, void> | void {
    return this.#take!(partial);
  }

  *#prepare(): Generator<Pass | void, Plan, void> {
    const { choice, countsFirst } = this.#rows;
    const filter = yield* this.#resolveFilter(choice.kept);
    const isKnown = !choice.grouping && filter.kind === 'constant';
    const before = countsFirst || isKnown ? yield* this.#count(filter) : undefined;
    const grouping = choice.grouping && (yield* this.#findTexts(choice.grouping, filter));
    return planChosen({ ...this.#rows, choice: { ...choice, grouping } }, filter, before);
  }

  /** Keys that are texts, with all that the rows have. */
  *#findTexts(grouping: Grouping, filter: Filter): Generator<Pass | void, Grouping, void> {
    const keys = [...grouping.keys];
    const forms = [...grouping.forms];
    for (const [i, { column }] of keys.entries()) {
      if (!column || !hasTexts(column) || column.texts) continue;
      const found = new DistinctTexts(column.dtype);
      this.#joined.push(found);
      yield* this.#readTexts({ kind: 'texts', column }, found, filter);
      const texts = yield* found.keys();
      keys[i] = yield* textKey(column, texts);
      forms[i] = { kind: 'texts', texts };
    }
    return { ...grouping, keys, forms };
  }

  *#readTexts(spec: SpecOf<'texts'>, found: DistinctTexts, filter: Filter): Generator<Pass, void, void> {
    const { total } = this.#rows.choice.kept;
    if (total === 0 || (filter.kind === 'constant' && !filter.keeps)) return;
    const columns = uniqueColumns([spec.column, ...columnsOf(filter)]);
    this.#take = partial => found.combine(partial as PartialOf<'texts'>);
    yield { scan: columnsScan(0, total, 1, { filter, columns }, groupedBounds(this.#bounds, 8)), spec };
  }

  get #bounds(): PlanBounds {
    return { ...PLAN_BOUNDS, ...this.#rows.options.bounds };
  }

  *#resolveFilter(kept: RowFilter): Generator<Pass | void, Filter, void> {
    const takes = (values: Joined): void => {
      this.#take = partial => values.combine(partial);
    };
    return yield* resolveJoins(kept, this.#bounds, this.#joined, takes);
  }

  /** Rows that are kept before each piece of the scan, and behind the last. */
  *#count(filter: Filter): Generator<Pass, KeptBefore, void> {
    const { view, dtype, query, choice } = this.#rows;
    const { total } = choice.kept;
    const shape = view.shape.slice(1);
    const { axis } = query;
    // Of rows that are kept in the answer.
    const isKept = axis !== null && !axis.includes(0);
    const cells = isKept ? sizeOf(shape.filter((_, i) => !axis.includes(i + 1))) : 0;
    const row = { bytes: sizeOf(shape) * dtype.itemsize, stride: view.strides[0]!, cells };
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
      for (const count of (partial as PartialOf<'row-counts'>).counts) {
        counts[piece + 1] = counts[piece]! + count;
        piece++;
      }
    };
    const columns = uniqueColumns(columnsOf(filter));
    yield {
      scan: columnsScan(0, total, pieceRows, { filter, columns }, this.#bounds),
      spec: { kind: 'row-counts', pieceRows },
    };
    return before;
  }
}

/**
 * A filter with the values of its joins in the place of these. Each pass finds values of one, which are added to `joined`,
 * and `takes` is told who combines its partials.
 */
export function* resolveJoins(
  { filter, joins }: RowFilter,
  bounds: PlanBounds,
  joined: Pick<Joined[], 'push'>,
  takes: (values: Joined) => void,
): Generator<Pass | void, Filter, void> {
  const found: Joined[] = [];
  for (const join of joins) {
    const inner = yield* resolveJoins(join, bounds, joined, takes);
    const values = newJoin(
      join.codes!,
      found.reduce((sum, each) => sum + each.size, 0),
    );
    joined.push(values);
    const isEmpty = join.total === 0 || (inner.kind === 'constant' && !inner.keeps);
    if (!isEmpty) {
      const { source } = join.codes!;
      const columns = uniqueColumns([join.codes!, ...columnsOf(inner)]);
      const scan = columnsScan(source, join.total, 1, { filter: inner, columns }, groupedBounds(bounds, 8));
      takes(values);
      yield { scan, spec: values.spec };
    }
    found.push(values);
  }
  return yield* withoutJoins(filter, found);
}

function* withoutJoins(filter: Filter, found: readonly Joined[]): Generator<void, Filter> {
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

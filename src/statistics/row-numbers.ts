/**
 * Which rows of a dataset a filter keeps, by their numbers. Passes like those of any statistic: first the values of the
 * filter's joins, then the columns that it compares, until as many rows as are wanted have been found.
 */
import { fail } from '../errors.js';
import { columnsOf, type Filter, type RowFilter, type RowSource } from '../filter/filter.js';
import { SourceList, type Elements, type FindSource } from '../filter/columns.js';
import { parseFilter } from '../filter/parse.js';
import { resolveFilter } from '../filter/resolve.js';
import { isTurnOver } from '../turns.js';
import type { SharedPass } from './computation.js';
import type { Joined } from './join.js';
import { PLAN_BOUNDS } from './plan.js';
import { bytesOfFilter, columnsScan, uniqueColumns } from './plan-rows.js';
import { resolveJoins } from './prepass.js';
import type { Pass } from './pass.js';
import type { PartialOf, SinkPartial } from './specs.js';

export interface RowNumbersPlan {
  readonly kept: RowFilter;
  /** The datasets that are read, by the numbers that columns use; the first is the one whose rows are chosen. */
  readonly sources: readonly RowSource[];
  /** Useful bytes of all passes. */
  readonly bytes: number;
}

/** @param own what `self` means, where it is not the dataset @throws bad_request, bad_operation, not_aligned and what else a filter may be refused for */
export function* planRowNumbers(
  where: unknown,
  self: RowSource,
  find: FindSource,
  own?: Elements,
): Generator<void, RowNumbersPlan> {
  if (self.shape.length === 0) {
    fail('bad_operation', 'where chooses rows, and a dataset of no axis has none. Leave it out.');
  }
  const sources = new SourceList(self, find);
  const kept = yield* resolveFilter(parseFilter(where), sources, { number: 0, own });
  return { kept, sources: sources.list, bytes: bytesOfFilter(kept) };
}

/** Entries that are added in one turn. */
const ENTRIES_PER_TURN = 256 * 1024;

export class RowNumbers {
  readonly #kept: RowFilter;
  readonly #rowsMax: number;
  readonly #joined: Joined[] = [];
  readonly #steps: Generator<Pass | void, void, void>;
  #take: ((partial: SinkPartial) => Generator<void, void> | void) | undefined;
  readonly #found: { readonly first: number; readonly numbers: Uint32Array }[] = [];
  /** Rows that have been looked at. */
  #seen = 0;
  count = 0;
  hasEnough = false;

  /** @param rowsMax nothing more is read when so many rows have been found; there may be some more then */
  constructor(kept: RowFilter, rowsMax: number) {
    this.#kept = kept;
    this.#rowsMax = rowsMax;
    this.#steps = this.#passes();
  }

  get heldBytes(): number {
    return this.#joined.reduce((sum, values) => sum + values.bytes, 4 * this.count);
  }

  /** The next pass, in turns; undefined at the end. */
  *next(): Generator<void, SharedPass | undefined> {
    for (;;) {
      const { value, done } = this.#steps.next();
      if (done) return undefined;
      if (value) return { scan: value.scan, specs: [value.spec], operators: [] };
      yield;
    }
  }

  *combine(_pass: SharedPass, [partial]: readonly (SinkPartial | undefined)[]): Generator<void, void> {
    const turns = partial && this.#take!(partial);
    if (turns) yield* turns;
  }

  /** The first rows, at most so many, ascending. */
  *rows(limit: number): Generator<void, Float64Array> {
    const rows = new Float64Array(Math.min(limit, this.count));
    let at = 0;
    for (const { first, numbers } of this.#found) {
      for (let i = 0; i < numbers.length && at < rows.length; i++) {
        rows[at++] = first + numbers[i]!;
        if (isTurnOver(i, ENTRIES_PER_TURN)) yield;
      }
    }
    return rows;
  }

  *#passes(): Generator<Pass | void, void, void> {
    const takes = (values: Joined): void => {
      this.#take = partial => values.combine(partial);
    };
    const filter = yield* resolveJoins(this.#kept, PLAN_BOUNDS, this.#joined, takes);
    const { total } = this.#kept;
    if (total === 0 || this.#rowsMax === 0) return;
    if (filter.kind === 'constant') yield* this.#takeAll(filter.keeps ? Math.min(total, this.#rowsMax) : 0);
    else yield this.#pass(filter, total);
  }

  #pass(filter: Filter, total: number): Pass {
    this.#take = partial => {
      const { numbers, rows } = partial as PartialOf<'row-numbers'>;
      if (numbers.length > 0) this.#found.push({ first: this.#seen, numbers });
      this.#seen += rows;
      this.count += numbers.length;
      this.hasEnough = this.count >= this.#rowsMax;
    };
    const scan = columnsScan(0, total, 1, { filter, columns: uniqueColumns(columnsOf(filter)) }, PLAN_BOUNDS);
    return { scan, spec: { kind: 'row-numbers' } };
  }

  /** The filter turned out to keep every row. */
  *#takeAll(count: number): Generator<void, void> {
    for (let first = 0; first < count; first += ENTRIES_PER_TURN) {
      const numbers = Uint32Array.from({ length: Math.min(ENTRIES_PER_TURN, count - first) }, (_, i) => i);
      this.#found.push({ first, numbers });
      yield;
    }
    this.count = count;
  }
}

/**
 * Median and quantiles of cells of axes: the operator that answers them. Cells that fit into memory are gathered whole, in
 * one pass; single cells of any size, and those too large to be gathered, are searched, a batch of them at a time. Memory:
 * the counters of a batch, here and in each partial on its way.
 */
import { boxAt, gridOf, UNBOUNDED } from '../../scan/box.js';
import { LIMITS } from '../../limits.js';
import { nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import type { Plan } from '../plan.js';
import { hasNan, seenIn } from '../accumulators/accumulator.js';
import { cellsOf, type ReduceOperator } from '../accumulators/operator.js';
import type { Scan } from '../../scan/scan.js';
import { QuantileResults } from './results.js';
import { extremeRange, rangesOf, wholeRange } from './key-ranges.js';
import {
  BITS_MAX,
  countersOf,
  elementsOf,
  narrowRanks,
  searchCells,
  searchOf,
  type Search,
  type Searched,
  turnsOf,
} from './search.js';
import type { QuantilePlan } from './strategy.js';
import { Places } from './wanted.js';
import type { OperationResult } from '../result.js';
import type { PartialOf, SinkPartial } from '../specs.js';
import { turnOf, type Operator, type Pass } from '../pass.js';
import { scanWithin } from '../../scan/chunks.js';

/** Cells that are searched together. */
interface Batch {
  readonly scan: Scan;
  readonly cellStart: number;
  readonly cellCount: number;
}

export class QuantileOperator implements Operator {
  /** The range of integers comes from the pass of the accumulators. */
  readonly after: Operator | undefined;
  readonly #plan: Plan;
  readonly #planned: QuantilePlan;
  readonly #places: Places;
  readonly #reduced: ReduceOperator;
  readonly #type: NativeType;
  readonly #results: QuantileResults;
  readonly #passes: Generator<Pass, void, void>;
  #take: (partial: SinkPartial) => Generator<void, void> | void = () => {};

  constructor(plan: Plan, planned: QuantilePlan, reduced: ReduceOperator) {
    this.#plan = plan;
    this.#planned = planned;
    this.#places = new Places(planned.wanted);
    this.#reduced = reduced;
    this.after = planned.usesExtent ? reduced : undefined;
    this.#type = nativeTypeOf(plan.dtype);
    this.#results = new QuantileResults(plan, planned.wanted);
    this.#passes = planned.isGathered ? this.#gather() : this.#search();
  }

  next(): Pass | undefined {
    // A computation without elements has no passes.
    const step = this.#plan.scan.chunkCount > 0 ? this.#passes.next() : undefined;
    return step?.value ?? undefined;
  }

  combine(partial: SinkPartial): Generator<void, void> | void {
    return this.#take(partial);
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return this.#results.finish(this.#plan.cellSize === 0);
  }

  *#gather(): Generator<Pass, void, void> {
    this.#take = partial => this.#results.combine(partial as PartialOf<'gather'>);
    const { wanted } = this.#planned;
    yield { scan: this.#plan.scan, spec: { kind: 'gather', wanted, omitsNan: this.#plan.query.nan === 'omit' } };
  }

  *#search(): Generator<Pass, void, void> {
    const { dtype, bounds } = this.#plan;
    const collectedMax = Math.min(bounds.search.collectedMax, LIMITS.searchCollectedMax);
    for (const batch of batchesOf(this.#plan, this.#planned.bounds.tablesMax)) {
      const searched: Searched = {
        type: this.#type,
        scan: batch.scan,
        groups: undefined,
        bounds: { ...bounds.search, collectedMax },
        turns: turnsOf(batch.scan),
        taken: take => {
          this.#take = take;
        },
      };
      const isFloat = dtype.kind === 'f';
      const searches = isFloat ? yield* this.#numbersOf(batch, searched) : this.#integersOf(batch);
      yield* searchCells(searches, searched, search => this.#answer(search));
    }
  }

  /** Of cells of integers and times the number is known; at most they are looked for between the extremes. */
  #integersOf({ cellStart, cellCount }: Batch): Search[] {
    const { cellSize } = this.#plan;
    const cells = this.#planned.usesExtent ? cellsOf(this.#plan, this.#reduced.fields, () => cellSize) : undefined;
    const searches: Search[] = [];
    for (let cell = cellStart; cell < cellStart + cellCount; cell++) {
      // Of times some may be NaT.
      const count = cells ? seenIn(cells, cell) : cellSize;
      if (count === 0 || (cells && hasNan(cells, cell))) continue;
      const range = cells ? extremeRange(cells, cell, count) : wholeRange(this.#type, count);
      searches.push(searchOf(cell, count, this.#places.ranksOf(count), range, count < cellSize));
    }
    return searches;
  }

  /** A pass over floats counts them by the high bits of their keys, so that NaN are known. */
  *#numbersOf({ scan, cellStart, cellCount }: Batch, searched: Searched): Generator<Pass, Search[], void> {
    const range = wholeRange(this.#type, 0);
    const ranges = Array.from({ length: cellCount }, () => range);
    const where = rangesOf(this.#type, cellStart, ranges);
    const length = 2 ** BITS_MAX;
    const counters = countersOf(cellCount * length, searched.taken);
    yield { scan, spec: { kind: 'key-counts', where, bits: BITS_MAX, isWhole: true, groups: undefined } };
    const searches: Search[] = [];
    for (let i = 0; i < cellCount; i++) {
      const table = counters.subarray(i * length, (i + 1) * length);
      const nans = table[length - 1]!;
      table[length - 1] = 0;
      const count = table.reduce((sum, each) => sum + each, 0);
      yield turnOf(scan);
      if (count === 0 || (nans > 0 && this.#plan.query.nan !== 'omit')) continue;
      const search = searchOf(cellStart + i, count, this.#places.ranksOf(count), range, nans > 0);
      yield* narrowRanks(searched, { search, range, from: 0, to: search.ranks.length }, table);
      searches.push(search);
    }
    return searches;
  }

  #answer(search: Search): void {
    this.#results.set(search.cell, this.#places.answersOf(search.count, elementsOf(this.#type, search)));
  }
}

/** All cells at once where the tables allow it; else boxes of whole cells, each with a scan of its own. */
function* batchesOf({ cells, scan, bounds }: Plan, cellsMax: number): Generator<Batch, void> {
  if (cells <= cellsMax) {
    yield { scan, cellStart: 0, cellCount: cells };
    return;
  }
  const grid = gridOf(scan.box.axes, Number.MAX_SAFE_INTEGER, { ...UNBOUNDED, cellsMax });
  for (let number = 0; number < grid.boxes; number++) {
    const part = scanWithin(scan, boxAt(scan.box, grid, number), bounds);
    if (part.cellCount > 0) yield part;
  }
}

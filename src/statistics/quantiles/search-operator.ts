/**
 * Median and quantiles by passes over the data: for single cells of any size, and for cells too large to be gathered, a
 * batch of them at a time. Memory: the tables of a batch, here and in each partial on its way.
 */
import { boxAt, gridOf, UNBOUNDED } from '../scan/box.js';
import { NAN_DIGIT } from '../../kernels/constants.js';
import { nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import type { Plan } from '../plan.js';
import type { ReduceOperator } from '../accumulators/operator.js';
import type { Scan } from '../scan/scan.js';
import { firstDigits, type FirstDigits } from './first-digits.js';
import { QuantileResults } from './results.js';
import { Search } from './search.js';
import type { QuantilePlan } from './strategy.js';
import { Places } from './wanted.js';
import type { OperationResult } from '../result.js';
import type { DigitsSpec, DigitsPartial, DigitsStep } from '../specs.js';
import type { Operator, Pass } from '../pass.js';
import { scanWithin } from '../scan/chunk-at.js';

/** Cells that are searched together. */
interface Batch {
  readonly scan: Scan;
  readonly cellStart: number;
  readonly cellCount: number;
}

export class SearchOperator implements Operator {
  readonly #plan: Plan;
  readonly #select: QuantilePlan;
  readonly #places: Places;
  readonly #reduced: ReduceOperator;
  readonly #type: NativeType;
  readonly #results: QuantileResults;
  readonly #batches: Iterator<Batch>;
  #batch: Batch | undefined;
  #search: Search | undefined;
  #first: FirstDigits | undefined;
  #step: DigitsStep | undefined;
  #tables = new Float64Array();
  #collected: bigint[][] = [];
  /** Elements behind each cell of the batch; 0 where the answer is NaN. */
  #counts = new Float64Array();
  #waited = false;

  constructor(plan: Plan, select: QuantilePlan, reduced: ReduceOperator) {
    const { wanted, bounds } = select;
    this.#plan = plan;
    this.#select = select;
    this.#places = new Places(wanted);
    this.#reduced = reduced;
    this.#type = nativeTypeOf(plan.dtype);
    this.#results = new QuantileResults(plan, wanted);
    this.#batches = batchesOf(plan, bounds.tablesMax);
  }

  next(): Pass | undefined {
    if (this.#select.usesExtent && !this.#waited) {
      // The range of integers comes from the pass of the accumulators.
      this.#waited = true;
      return undefined;
    }
    if (this.#step) this.#take(this.#step);
    for (;;) {
      const step = this.#search?.next();
      if (step) return this.#ask(step);
      if (this.#search) this.#answer();
      const batch = this.#batches.next();
      if (batch.done) return undefined;
      this.#batch = batch.value;
      this.#first = firstDigits(this.#type, this.#select.usesExtent ? this.#reduced.fields : undefined);
      return this.#ask(this.#first.step);
    }
  }

  combine({ counts, collected, lengths }: DigitsPartial): void {
    for (let i = 0; i < counts.length; i++) this.#tables[i]! += counts[i]!;
    let from = 0;
    for (const [i, length] of lengths.entries()) {
      for (const bits of collected.subarray(from, from + length)) this.#collected[i]!.push(bits);
      from += length;
    }
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return this.#results.finish();
  }

  #ask(step: DigitsStep): Pass {
    const { scan, cellStart, cellCount } = this.#batch!;
    this.#step = step;
    if (step.name === 'collect') this.#collected = step.intervals.map(() => []);
    else {
      const tables = step.name === 'refine' ? step.intervals.length : cellCount;
      this.#tables = new Float64Array(tables * step.tableLength);
    }
    const spec: DigitsSpec = { kind: 'digits', cellStart, cellCount, step };
    return { scan, spec };
  }

  #take(step: DigitsStep): void {
    this.#step = undefined;
    if (step.name === 'collect') this.#search!.takeCollected(this.#collected);
    else if (step.name === 'refine') this.#search!.takeTables(this.#tables);
    else this.#start(step.tableLength);
    this.#collected = [];
  }

  /** Looks for the ranks of every cell of the batch in the tables of the first pass. */
  #start(tableLength: number): void {
    const { cellStart, cellCount } = this.#batch!;
    this.#search = new Search(this.#type, this.#select.bounds);
    this.#counts = new Float64Array(cellCount);
    for (let i = 0; i < cellCount; i++) {
      const table = this.#tables.subarray(i * tableLength, (i + 1) * tableLength);
      let nans = 0;
      if (this.#plan.dtype.kind === 'f') {
        nans = table[NAN_DIGIT]!;
        table[NAN_DIGIT] = 0;
      }
      const count = table.reduce((sum, each) => sum + each, 0);
      const isShown = nans > 0 && this.#plan.query.nan !== 'omit';
      this.#counts[i] = isShown ? 0 : count;
      if (this.#counts[i] === 0) continue;
      this.#search.start(cellStart + i, table, this.#first!.digits, this.#places.ranksOf(count));
    }
  }

  #answer(): void {
    const { cellStart } = this.#batch!;
    const search = this.#search!;
    this.#search = undefined;
    for (const [i, count] of this.#counts.entries()) {
      const cell = cellStart + i;
      this.#results.set(
        cell,
        this.#places.answersOf(count, rank => search.elementAt(cell, rank)),
      );
    }
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

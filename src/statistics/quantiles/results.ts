/** The answers of all cells, in the order of the cells, until they are put into the order of the axes. */
import { numberDType, type DType } from '../../dtype/index.js';
import type { Plan } from '../plan.js';
import { newMedians, newQuantiles, newValues, setValue } from './gather-sink.js';
import { medianDType, quantileDType, type Answers, type Wanted } from './wanted.js';
import type { OperationResult } from '../result.js';
import type { PartialOf, Values } from '../specs.js';
import { positionsOf } from '../accumulators/operator.js';
import { placed } from '../accumulators/accumulator.js';

const FLOAT64 = numberDType('<f8');

export class QuantileResults {
  readonly #plan: Plan;
  readonly #wanted: Wanted;
  /** Undefined where the cells are those of axes. */
  readonly #groups: number | undefined;
  /** Cells of the first group, then of the next. */
  readonly #median: Values | undefined;
  /** The same of the first quantile, then of the next. */
  readonly #quantiles: Values | undefined;

  constructor(plan: Plan, wanted: Wanted, groups?: number) {
    this.#plan = plan;
    this.#wanted = wanted;
    this.#groups = groups;
    // What nothing is found of is NaN.
    this.#median = newMedians(wanted, this.#cells);
    this.#quantiles = newQuantiles(wanted, this.#cells);
  }

  get #cells(): number {
    return this.#plan.cells * (this.#groups ?? 1);
  }

  get bytes(): number {
    return (this.#median?.byteLength ?? 0) + (this.#quantiles?.byteLength ?? 0);
  }

  set(cell: number, { median, quantiles }: Answers): void {
    if (this.#median) setValue(this.#median, cell, median);
    for (const [i, value] of quantiles.entries()) setValue(this.#quantiles!, i * this.#cells + cell, value);
  }

  combine({ cellStart, cellCount, median, quantiles }: PartialOf<'gather'>): void {
    // A chunk of chosen rows may have none.
    if (cellCount === 0) return;
    if (median) this.#setMedians(median, cellStart);
    if (!quantiles) return;
    const width = quantiles.length / cellCount;
    for (let i = 0; i < width; i++) {
      const to = i * this.#cells + cellStart;
      for (let cell = 0; cell < cellCount; cell++) this.#quantiles![to + cell] = quantiles[cell * width + i]!;
    }
  }

  #setMedians(values: Values, at: number): void {
    for (let i = 0; i < values.length; i++) this.#median![at + i] = values[i]!;
  }

  /** By their position in the query, in turns. `isNothing`: no cell has an element. */
  *finish(isNothing: boolean): Generator<void, Map<number, OperationResult>> {
    const results = new Map<number, OperationResult>();
    const { dtype, quantile } = this.#wanted;
    const { shape } = this.#plan;
    for (const [at, op] of this.#plan.query.ops.entries()) {
      if (op === 'median') {
        results.set(at, yield* this.#finishOne(op, medianDType(dtype), this.#median!, shape));
      } else if (op === 'quantile') {
        const { isSingle, q } = quantile!;
        // Of nothing there is NaN, which integers have not.
        const found = quantileDType(dtype, quantile!);
        const own = isNothing && 'biu'.includes(found.kind) ? FLOAT64 : found;
        const values = isNothing ? newValues(own, this.#quantiles!.length) : this.#quantiles!;
        results.set(at, yield* this.#finishOne(op, own, values, isSingle ? shape : [q.length, ...shape]));
      }
    }
    return results;
  }

  *#finishOne(
    op: 'median' | 'quantile',
    dtype: DType,
    values: Values,
    shape: readonly number[],
  ): Generator<void, OperationResult> {
    const grouped = this.#groups === undefined ? shape : [this.#groups, ...shape];
    return { op, name: op, dtype, shape: grouped, values: yield* this.#placed(values) };
  }

  /** In the order of the answer; bigints where one of them is beyond 2 ** 53. */
  *#placed(values: Values): Generator<void, OperationResult['values']> {
    const { cells } = this.#plan;
    const positions = positionsOf(this.#plan);
    const groups = this.#groups ?? 1;
    const width = values.length / this.#cells;
    if (!positions && (groups === 1 || width === 1) && values instanceof Float64Array) return values;
    const placeOf = (i: number): number => {
      const cell = i % cells;
      const group = Math.floor(i / cells) % groups;
      return (group * width + Math.floor(i / this.#cells)) * cells + (positions ? positions[cell]! : cell);
    };
    return yield* placed(values.length, i => values[i]!, placeOf);
  }
}

/** The answers of all cells, in the order of the cells, until they are put into the order of the axes. */
import { parseDType } from '../../dtype.js';
import { LIMITS } from '../../limits.js';
import { positionsOf } from '../accumulators/finish.js';
import type { Plan } from '../plan.js';
import { newValues, setValue } from './gather-sink.js';
import { medianDType, quantileDType, type Answers, type Wanted } from './wanted.js';
import type { OperationResult } from '../result.js';
import type { GatherPartial, Values } from '../specs.js';

const FLOAT64 = parseDType('<f8');

export class QuantileResults {
  readonly #plan: Plan;
  readonly #wanted: Wanted;
  readonly #median: Float64Array<ArrayBuffer> | undefined;
  /** Cells of the first quantile, then of the next. */
  readonly #quantiles: Values | undefined;

  constructor(plan: Plan, wanted: Wanted) {
    this.#plan = plan;
    this.#wanted = wanted;
    // What nothing is found of is NaN.
    this.#median = wanted.median ? new Float64Array(plan.cells).fill(Number.NaN) : undefined;
    this.#quantiles = wanted.quantile ? newValues(wanted, plan.cells * wanted.quantile.q.length) : undefined;
  }

  set(cell: number, { median, quantiles }: Answers): void {
    if (this.#median) this.#median[cell] = median;
    for (const [i, value] of quantiles.entries()) setValue(this.#quantiles!, i * this.#plan.cells + cell, value);
  }

  combine({ cellStart, cellCount, median, quantiles }: GatherPartial): void {
    // A chunk of chosen rows may have none.
    if (cellCount === 0) return;
    if (median) this.#median!.set(median, cellStart);
    if (!quantiles) return;
    const width = quantiles.length / cellCount;
    for (let i = 0; i < width; i++) {
      const to = i * this.#plan.cells + cellStart;
      for (let cell = 0; cell < cellCount; cell++) this.#quantiles![to + cell] = quantiles[cell * width + i]!;
    }
  }

  /** By their position in the query, in turns. */
  *finish(): Generator<void, Map<number, OperationResult>> {
    const { query, cellSize, shape } = this.#plan;
    const results = new Map<number, OperationResult>();
    const { dtype, quantile } = this.#wanted;
    for (const [at, op] of query.ops.entries()) {
      if (op === 'median') {
        const values = (yield* this.#placed(this.#median!)) as Float64Array;
        results.set(at, { op, name: op, dtype: medianDType(dtype), shape, values });
      } else if (op === 'quantile') {
        // Of nothing there is NaN, which integers have not.
        const isNothing = cellSize === 0;
        const values = isNothing
          ? new Float64Array(this.#quantiles!.length).fill(Number.NaN)
          : yield* this.#placed(this.#quantiles!);
        results.set(at, {
          op,
          name: op,
          dtype: isNothing && dtype.kind !== 'f' ? FLOAT64 : quantileDType(dtype, quantile!),
          shape: quantile!.isSingle ? shape : [quantile!.q.length, ...shape],
          values,
        });
      }
    }
    return results;
  }

  /** In the order of the answer; bigints where one of them is beyond 2 ** 53. */
  *#placed(values: Values): Generator<void, OperationResult['values']> {
    const { cells } = this.#plan;
    const positions = positionsOf(this.#plan);
    const at = (i: number): number => (positions ? i - (i % cells) + positions[i % cells]! : i);
    if (values instanceof Float64Array) {
      if (!positions) return values;
      const placed = new Float64Array(values.length);
      for (let i = 0; i < values.length; i++) {
        if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
        placed[at(i)] = values[i]!;
      }
      return placed;
    }
    const placed = Array.from<bigint>({ length: values.length });
    let isLarge = false;
    for (let i = 0; i < values.length; i++) {
      if ((i + 1) % LIMITS.cellsPerTurn === 0) yield;
      placed[at(i)] = values[i]!;
      isLarge ||= !Number.isSafeInteger(Number(values[i]));
    }
    return isLarge ? placed : Float64Array.from(placed, Number);
  }
}

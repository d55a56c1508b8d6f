/** The operations that one pass of merged fields answers: sums, moments, extremes, positions, counts. */
import { finishReduced, type OperationResult } from './finish.js';
import type { ChunkPartial } from './fields.js';
import { mergePartial, newAccumulator, type Accumulator } from './merge.js';
import type { Part, Round } from './part.js';
import type { Plan } from './plan.js';

export class ReducePart implements Part {
  readonly #plan: Plan;
  readonly accumulator: Accumulator;
  #isRead = false;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.accumulator = newAccumulator(plan);
  }

  next(): Round | undefined {
    if (this.#isRead || !this.#plan.reduces || this.#plan.walk.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { walk: this.#plan.walk, measure: this.#plan.measure };
  }

  merge(partial: ChunkPartial): void {
    mergePartial(this.accumulator, partial);
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return finishReduced(this.#plan, this.accumulator);
  }
}

/** The operations that one pass of merged fields answers: sums, moments, extremes, positions, counts. */
import { finishReduced } from './finish.js';
import { mergePartial, newAccumulator, type Accumulator } from './merge.js';
import type { Plan } from './plan.js';
import type { OperationResult } from './result.js';
import type { ChunkPartial } from './specs.js';
import type { Part, Round } from './pass.js';

export class ReducePart implements Part {
  #plan: Plan;
  accumulator: Accumulator;
  #isRead = false;
  /** Elements of the first cell that were read. */
  #read = 0;

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
    if (partial.cellStart === 0) this.#read += partial.cellSize;
    mergePartial(this.accumulator, partial);
  }

  /** When all is read: the plan for the rows that were used, each of which adds the same to every cell. */
  settle(planFor: (usedRows: number) => Plan): Plan {
    const { cellSize } = this.#plan;
    const total = this.#plan.view.shape[0]!;
    this.#plan = planFor(cellSize === 0 ? 0 : this.#read / (cellSize / total));
    this.accumulator = { ...this.accumulator, plan: this.#plan };
    return this.#plan;
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return finishReduced(this.#plan, this.accumulator);
  }
}

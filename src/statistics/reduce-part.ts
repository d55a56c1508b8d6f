/** The statistics that are finished from accumulators: one pass over the data measures them all. */
import { combineCells, fieldsOf } from './accumulators/index.js';
import { newFields, type Fields } from './accumulators/fields.js';
import { fail } from '../errors.js';
import { finishReduced } from './finish.js';
import type { OperationResult } from './result.js';
import type { Plan } from './plan.js';
import type { ChunkPartial } from './specs.js';
import type { Part, Round } from './pass.js';

export class ReducePart implements Part {
  #plan: Plan;
  readonly fields: Fields;
  #isRead = false;
  /** Elements of the first cell that were read. */
  #read = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.fields = newFields(fieldsOf(plan.measure.accumulators, plan.dtype), plan.cells);
  }

  next(): Round | undefined {
    if (this.#isRead || !this.#plan.reduces || this.#plan.walk.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { walk: this.#plan.walk, measure: this.#plan.measure };
  }

  /**
   * Whatever order the chunks were computed in: partials come in the order of the chunks, so that the bits of the answer do
   * not depend on the number of workers. @throws nan_found when the query refuses NaN and the chunk held one
   */
  merge(partial: ChunkPartial): void {
    const { cellStart, cellCount, cellSize } = partial;
    if (cellStart === 0) this.#read += cellSize;
    const { query, measure, dtype } = this.#plan;
    if (query.nan === 'raise' && measure.countsNan) refuseNan(partial);
    if (cellSize === this.#plan.cellSize) {
      // The only chunk of these cells.
      for (const name of fieldsOf(measure.accumulators, dtype)) this.fields[name]!.set(partial[name]!, cellStart);
    } else combineCells(measure.accumulators, this.fields, cellStart, partial, 0, cellCount);
  }

  /** When all is read: the plan for the rows that were used, each of which adds the same to every cell. */
  settle(planFor: (usedRows: number) => Plan): Plan {
    const { cellSize } = this.#plan;
    const total = this.#plan.view.shape[0]!;
    this.#plan = planFor(cellSize === 0 ? 0 : this.#read / (cellSize / total));
    return this.#plan;
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return finishReduced(this.#plan, this.fields);
  }
}

function refuseNan({ count, cellSize }: ChunkPartial): void {
  if (count!.every(each => each === cellSize)) return;
  fail('nan_found', 'The selection holds NaN. Ask for nan=omit to leave them out, or nan=propagate.');
}

/** The statistics that are finished from accumulators: one pass over the data is enough for them all. */
import { combineCells, fieldsOf } from './index.js';
import { newFields, type Fields } from './fields.js';
import { fail } from '../../errors.js';
import { finishReduced } from './finish.js';
import type { OperationResult } from '../result.js';
import type { Plan } from '../plan.js';
import type { ChunkPartial } from '../specs.js';
import type { Operator, Pass } from '../pass.js';

export class ReduceOperator implements Operator {
  #plan: Plan;
  readonly fields: Fields;
  #isRead = false;
  /** Elements of the first cell that were read. */
  #read = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.fields = newFields(fieldsOf(plan.spec.accumulators, plan.dtype), plan.cells);
  }

  next(): Pass | undefined {
    if (this.#isRead || !this.#plan.reduces || this.#plan.scan.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { scan: this.#plan.scan, spec: this.#plan.spec };
  }

  /**
   * Whatever order the chunks were computed in: partials come in the order of the chunks, so that the bits of the answer do
   * not depend on the number of workers. @throws nan_found when the query refuses NaN and the chunk held one
   */
  combine(partial: ChunkPartial): void {
    const { cellStart, cellCount, cellSize } = partial;
    if (cellStart === 0) this.#read += cellSize;
    const { query, spec } = this.#plan;
    if (query.nan === 'raise' && spec.countsNan) refuseNan(partial);
    if (cellSize === this.#plan.cellSize) {
      // The only chunk of these cells.
      for (const name of Object.keys(this.fields)) this.fields[name]!.set(partial.fields[name]!, cellStart);
    } else combineCells(spec.accumulators, this.fields, cellStart, partial.fields, 0, cellCount);
  }

  /** When all is read: the plan for the rows that were used, each of which adds the same to every cell. */
  resolve(planFor: (usedRows: number) => Plan): Plan {
    const { cellSize } = this.#plan;
    const total = this.#plan.view.shape[0]!;
    this.#plan = planFor(cellSize === 0 ? 0 : this.#read / (cellSize / total));
    return this.#plan;
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return finishReduced(this.#plan, this.fields);
  }
}

function refuseNan({ fields, cellSize }: ChunkPartial): void {
  if (fields.count!.every(each => each === cellSize)) return;
  fail('nan_found', 'The selection holds NaN. Ask for nan=omit to leave them out, or nan=propagate.');
}

/** The statistics that are finished from accumulators: one pass over the data is enough for them all. */
import { combineCells, fieldsOf } from './index.js';
import { newFields, type Fields } from './fields.js';
import { fail } from '../../errors.js';
import { countOf, finishReduced } from './finish.js';
import type { OperationResult, StatisticsResult } from '../result.js';
import { checkRows, type Plan } from '../plan.js';
import type { ChunkPartial } from '../specs.js';
import type { Operator, Pass } from '../pass.js';

export class ReduceOperator implements Operator {
  readonly #plan: Plan;
  readonly fields: Fields;
  #isRead = false;
  /** Elements of the first cell that were read. */
  #firstSize = 0;

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
    if (cellStart === 0) this.#firstSize += cellSize;
    const { query, spec } = this.#plan;
    if (query.nan === 'raise' && spec.countsNan) refuseNan(partial);
    if (cellSize === this.#plan.cellSize) {
      // The only chunk of these cells.
      for (const name of Object.keys(this.fields)) this.fields[name]!.set(partial.fields[name]!, cellStart);
    } else combineCells(spec.accumulators, this.fields, cellStart, partial.fields, 0, cellCount);
  }

  /** The plan for the elements that were used. Each row adds the same to every cell. @throws empty_selection */
  #read(): Plan {
    const plan = this.#plan;
    if (!plan.countsRows) return plan;
    const total = plan.view.shape[0]!;
    checkRows(plan, plan.cellSize === 0 ? 0 : this.#firstSize / (plan.cellSize / total));
    return { ...plan, cellSize: this.#firstSize };
  }

  /** Elements that were used: one number, or one per cell where `omit` makes them differ. */
  count(): StatisticsResult['count'] {
    return countOf(this.#read(), this.fields);
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return finishReduced(this.#read(), this.fields);
  }
}

function refuseNan({ fields, cellSize }: ChunkPartial): void {
  if (fields.count!.every(each => each === cellSize)) return;
  fail('nan_found', 'The selection holds NaN. Ask for nan=omit to leave them out, or nan=propagate.');
}

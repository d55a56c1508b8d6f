/** Median and quantiles of cells that are gathered whole: one round, a chunk of which has all elements of its cells. */
import type { Plan } from '../plan.js';
import type { Walk } from '../walk.js';
import { QuantileResults } from './results.js';
import type { Wanted } from './wanted.js';
import type { OperationResult } from '../result.js';
import type { CellsPartial } from '../specs.js';
import type { Part, Round } from '../pass.js';

export class CellsPart implements Part {
  readonly #walk: Walk;
  readonly #wanted: Wanted;
  readonly #omitsNan: boolean;
  readonly #results: QuantileResults;
  #isRead = false;

  constructor(plan: Plan, wanted: Wanted) {
    this.#walk = plan.walk;
    this.#wanted = wanted;
    this.#omitsNan = plan.query.nan === 'omit';
    this.#results = new QuantileResults(plan, wanted);
  }

  next(): Round | undefined {
    if (this.#isRead || this.#walk.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { walk: this.#walk, measure: { kind: 'cells', wanted: this.#wanted, omitsNan: this.#omitsNan } };
  }

  merge(partial: CellsPartial): void {
    this.#results.merge(partial);
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return this.#results.finish();
  }
}

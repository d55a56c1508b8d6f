/** Median and quantiles of cells that are gathered whole: one pass, a chunk of which has all elements of its cells. */
import type { Plan } from '../plan.js';
import type { Scan } from '../scan/scan.js';
import { QuantileResults } from './results.js';
import type { Wanted } from './wanted.js';
import type { OperationResult } from '../result.js';
import type { GatherPartial } from '../specs.js';
import type { Operator, Pass } from '../pass.js';

export class GatherOperator implements Operator {
  readonly #scan: Scan;
  readonly #wanted: Wanted;
  readonly #omitsNan: boolean;
  readonly #results: QuantileResults;
  #isRead = false;

  constructor(plan: Plan, wanted: Wanted) {
    this.#scan = plan.scan;
    this.#wanted = wanted;
    this.#omitsNan = plan.query.nan === 'omit';
    this.#results = new QuantileResults(plan, wanted);
  }

  next(): Pass | undefined {
    if (this.#isRead || this.#scan.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { scan: this.#scan, spec: { kind: 'gather', wanted: this.#wanted, omitsNan: this.#omitsNan } };
  }

  combine(partial: GatherPartial): void {
    this.#results.combine(partial);
  }

  finish(): Generator<void, Map<number, OperationResult>> {
    return this.#results.finish();
  }
}

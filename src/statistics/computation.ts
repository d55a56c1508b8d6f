/**
 * A planned query while it is being computed: asks its operators what they need of the data next, and puts their results
 * together. Whoever drives it scans each pass's chunks and merges their partials in order (run.ts shows how).
 */
import { invariant } from '../errors.js';
import { countOf } from './accumulators/finish.js';
import { countAll } from './groups/cells.js';
import { GroupsOperator } from './groups/operator.js';
import type { Plan } from './plan.js';
import { HistogramOperator } from './histogram/operator.js';
import { QuantileOperator } from './quantiles/operator.js';
import { ReduceOperator } from './accumulators/operator.js';
import { RowsPreparation } from './prepass.js';
import type { Scan } from './scan/scan.js';
import type { StatisticsResult } from './result.js';
import type { SinkSpec, SinkPartial } from './specs.js';
import type { Operator } from './pass.js';

/** A scan over the data that one or more operators need now. */
export interface SharedPass {
  readonly scan: Scan;
  readonly specs: readonly SinkSpec[];
  readonly operators: readonly Pick<Operator, 'combine'>[];
}

export class Computation {
  /** Settled when all that it depends on has been read. */
  #plan: Plan;
  #preparation: RowsPreparation | undefined;
  /** The plan for so many rows, where they are counted while their elements are read. */
  #resolve: ((usedRows: number) => Plan) | undefined;
  #preparedBytes = 0;
  #reduced: ReduceOperator | undefined;
  #groups: GroupsOperator | undefined;
  #operators: readonly Operator[] = [];
  /** Passes that operators have asked for and that are still to come. */
  #pending: SharedPass[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
    if (plan.open) this.#preparation = new RowsPreparation(plan, plan.open);
    else this.#begin();
  }

  get plan(): Plan {
    return this.#plan;
  }

  /**
   * Memory of what was found in the data, which the plan could not know: groups with their answer, values of joins. It
   * grows with what is merged.
   */
  get heldBytes(): number {
    return this.#preparedBytes + (this.#preparation?.heldBytes ?? 0) + (this.#groups?.heldBytes ?? 0);
  }

  #begin(): void {
    const plan = this.#plan;
    if (plan.groups) {
      this.#groups = new GroupsOperator(plan, plan.groups);
      this.#operators = [this.#groups];
    } else {
      const reduced = new ReduceOperator(plan);
      const histogram = plan.query.parameters?.histogram;
      this.#reduced = reduced;
      this.#operators = [
        reduced,
        ...(plan.select ? [new QuantileOperator(plan, plan.select, reduced)] : []),
        ...(histogram ? [new HistogramOperator(plan, histogram, reduced)] : []),
      ];
    }
  }

  /** The next pass, in turns; undefined when all has been read. The pass before must have been combined whole. */
  *next(): Generator<void, SharedPass | undefined> {
    if (this.#preparation) {
      const pass = yield* this.#preparation.next();
      if (pass) return { scan: pass.scan, specs: [pass.spec], operators: [this.#preparation] };
      this.#plan = this.#preparation.plan;
      this.#resolve = this.#preparation.resolve;
      this.#preparedBytes = this.#preparation.heldBytes;
      this.#preparation = undefined;
      this.#begin();
    }
    if (this.#pending.length === 0) this.#ask();
    const pass = this.#pending.shift();
    if (!pass && this.#resolve) this.#plan = this.#reduced!.resolve(this.#resolve);
    return pass;
  }

  /** Takes what one chunk measured, in the order of the chunks, in turns. @throws nan_found */
  *combine({ operators }: SharedPass, partials: readonly (SinkPartial | undefined)[]): Generator<void, void> {
    for (const [i, operator] of operators.entries()) {
      const turns = partials[i] && operator.combine(partials[i]);
      if (turns) yield* turns;
    }
  }

  /** @throws empty_selection when argmin or argmax of a cell has nothing but NaN to choose from */
  *finish(): Generator<void, StatisticsResult> {
    const plan = this.#plan;
    const { ops, axis } = plan.query;
    const found = new Map<number, StatisticsResult['results'][number]>();
    for (const operator of this.#operators) for (const [at, result] of yield* operator.finish()) found.set(at, result);
    const results = ops.map((_, at) => {
      const result = found.get(at);
      invariant(result !== undefined, 'every operation belongs to an operator');
      return result;
    });
    if (!this.#groups) return { axis, count: countOf(plan, this.#reduced!.fields), results };
    const grouped = yield* this.#groups.grouped();
    return { axis, count: countAll(plan, grouped), results, grouped };
  }

  #ask(): void {
    const byScan = new Map<Scan, { specs: SinkSpec[]; operators: Operator[] }>();
    for (const operator of this.#operators) {
      const pass = operator.next();
      if (!pass) continue;
      const shared = byScan.get(pass.scan) ?? { specs: [], operators: [] };
      for (const spec of [pass.spec, ...(pass.also ?? [])]) {
        shared.specs.push(spec);
        shared.operators.push(operator);
      }
      byScan.set(pass.scan, shared);
    }
    this.#pending = [...byScan].map(([scan, { specs, operators }]) => ({ scan, specs, operators }));
  }
}

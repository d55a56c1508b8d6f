/**
 * A planned query while it is being computed: asks its parts what they need of the data next, and puts their results
 * together. Whoever drives it walks each round's chunks and merges their partials in order (run.ts shows how).
 */
import { invariant } from '../errors.js';
import { countOf } from './finish.js';
import { countAll } from './groups/formulas.js';
import { GroupsPart } from './groups/groups-part.js';
import type { Plan } from './plan.js';
import { HistogramPart } from './histogram/histogram-part.js';
import { selectPart } from './quantiles/select-part.js';
import { ReducePart } from './reduce-part.js';
import { RowsPreparation } from './rows/preparation.js';
import type { Walk } from './walk.js';
import type { StatisticsResult } from './result.js';
import type { Measure, SinkPartial } from './specs.js';
import type { Part } from './pass.js';

/** A walk over the data that one or more parts need now. */
export interface SharedRound {
  readonly walk: Walk;
  readonly measures: readonly Measure[];
  readonly parts: readonly Pick<Part, 'merge'>[];
}

export class Computation {
  /** Settled when all that it depends on has been read. */
  #plan: Plan;
  #preparation: RowsPreparation | undefined;
  /** The plan for so many rows, where they are counted while their elements are read. */
  #settle: ((usedRows: number) => Plan) | undefined;
  #preparedBytes = 0;
  #reduced: ReducePart | undefined;
  #groups: GroupsPart | undefined;
  #parts: readonly Part[] = [];
  /** Rounds that parts have asked for and that are still to be walked. */
  #pending: SharedRound[] = [];

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
      this.#groups = new GroupsPart(plan, plan.groups);
      this.#parts = [this.#groups];
    } else {
      const reduced = new ReducePart(plan);
      const histogram = plan.query.parameters?.histogram;
      this.#reduced = reduced;
      this.#parts = [
        reduced,
        ...(plan.select ? [selectPart(plan, plan.select, reduced)] : []),
        ...(histogram ? [new HistogramPart(plan, histogram, reduced)] : []),
      ];
    }
  }

  /** The next round, in turns; undefined when all has been read. The round before must have been merged whole. */
  *next(): Generator<void, SharedRound | undefined> {
    if (this.#preparation) {
      const round = yield* this.#preparation.next();
      if (round) return { walk: round.walk, measures: [round.measure], parts: [this.#preparation] };
      this.#plan = this.#preparation.plan;
      this.#settle = this.#preparation.settle;
      this.#preparedBytes = this.#preparation.heldBytes;
      this.#preparation = undefined;
      this.#begin();
    }
    if (this.#pending.length === 0) this.#ask();
    const round = this.#pending.shift();
    if (!round && this.#settle) this.#plan = this.#reduced!.settle(this.#settle);
    return round;
  }

  /** Takes what one chunk measured, in the order of the chunks, in turns. @throws nan_found */
  *merge({ parts }: SharedRound, partials: readonly (SinkPartial | undefined)[]): Generator<void, void> {
    for (const [i, part] of parts.entries()) {
      const turns = partials[i] && part.merge(partials[i]);
      if (turns) yield* turns;
    }
  }

  /** @throws empty_selection when argmin or argmax of a cell has nothing but NaN to choose from */
  *finish(): Generator<void, StatisticsResult> {
    const plan = this.#plan;
    const { ops, axis } = plan.query;
    const found = new Map<number, StatisticsResult['results'][number]>();
    for (const part of this.#parts) for (const [at, result] of yield* part.finish()) found.set(at, result);
    const results = ops.map((_, at) => {
      const result = found.get(at);
      invariant(result !== undefined, 'every operation belongs to a part');
      return result;
    });
    if (!this.#groups) return { axis, count: countOf(plan, this.#reduced!.fields), results };
    const grouped = yield* this.#groups.grouped();
    return { axis, count: countAll(plan, grouped), results, grouped };
  }

  #ask(): void {
    const byWalk = new Map<Walk, { measures: Measure[]; parts: Part[] }>();
    for (const part of this.#parts) {
      const round = part.next();
      if (!round) continue;
      const shared = byWalk.get(round.walk) ?? { measures: [], parts: [] };
      for (const measure of [round.measure, ...(round.also ?? [])]) {
        shared.measures.push(measure);
        shared.parts.push(part);
      }
      byWalk.set(round.walk, shared);
    }
    this.#pending = [...byWalk].map(([walk, { measures, parts }]) => ({ walk, measures, parts }));
  }
}

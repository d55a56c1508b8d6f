/**
 * A planned query while it is being computed: asks its parts what they need of the data next, and puts their results
 * together. Whoever drives it walks each round's chunks and merges their partials in order (run.ts shows how).
 */
import { invariant } from '../errors.js';
import { countOf, type StatisticsResult } from './finish.js';
import type { Measure, Part, Partial } from './part.js';
import type { Plan } from './plan.js';
import { ReducePart } from './reduce-part.js';
import type { Walk } from './walk.js';

/** A walk over the data that one or more parts need now. */
export interface SharedRound {
  readonly walk: Walk;
  readonly measures: readonly Measure[];
  readonly parts: readonly Part[];
}

export class Computation {
  readonly plan: Plan;
  readonly #reduced: ReducePart;
  readonly #parts: readonly Part[];
  /** Rounds that parts have asked for and that are still to be walked. */
  #pending: SharedRound[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
    this.#reduced = new ReducePart(plan);
    this.#parts = [this.#reduced];
  }

  /** The next round; undefined when all has been read. The round before must have been merged whole. */
  next(): SharedRound | undefined {
    if (this.#pending.length === 0) this.#ask();
    return this.#pending.shift();
  }

  /** Takes what one chunk measured, in the order of the chunks. @throws nan_found */
  merge({ parts }: SharedRound, partials: readonly (Partial | undefined)[]): void {
    for (const [i, part] of parts.entries()) if (partials[i]) part.merge(partials[i]);
  }

  /** @throws empty_selection when argmin or argmax of a cell has nothing but NaN to choose from */
  *finish(): Generator<void, StatisticsResult> {
    const { ops, axis } = this.plan.query;
    const found = new Map<number, StatisticsResult['results'][number]>();
    for (const part of this.#parts) for (const [at, result] of yield* part.finish()) found.set(at, result);
    const results = ops.map((_, at) => {
      const result = found.get(at);
      invariant(result !== undefined, 'every operation belongs to a part');
      return result;
    });
    return { axis, count: countOf(this.plan, this.#reduced.accumulator), results };
  }

  #ask(): void {
    const byWalk = new Map<Walk, { measures: Measure[]; parts: Part[] }>();
    for (const part of this.#parts) {
      const round = part.next();
      if (!round) continue;
      const shared = byWalk.get(round.walk) ?? { measures: [], parts: [] };
      shared.measures.push(round.measure);
      shared.parts.push(part);
      byWalk.set(round.walk, shared);
    }
    this.#pending = [...byWalk].map(([walk, { measures, parts }]) => ({ walk, measures, parts }));
  }
}

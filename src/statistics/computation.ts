/**
 * A planned query while it is being computed: asks its operators what they need of the data next, and puts their results
 * together. Whoever drives it scans each pass's chunks and combines their partials in order: `computePlan` does so in this
 * thread, over files in memory, and is the reference for whoever spreads chunks over threads.
 */
import { ColumnsOperator } from '../columns/index.js';
import { invariant } from '../errors.js';
import { GroupsOperator } from './groups/operator.js';
import { type Plan, type PlanBounds, planStatistics, type QueryPlan } from './plan.js';
import { areOfColumns } from './ops.js';
import { HistogramOperator } from './histogram/operator.js';
import { QuantileOperator } from './quantiles/operator.js';
import { ReduceOperator } from './accumulators/operator.js';
import { Prepass } from './prepass.js';
import type { Scan } from '../scan/scan.js';
import type { StatisticsResult } from './result.js';
import type { SinkSpec, SinkPartial } from './specs.js';
import type { Operator } from './pass.js';
import { UniqueOperator } from './groups/unique.js';
import { countAll } from './groups/store.js';
import type { DType } from '../dtype/index.js';
import { sizeOf, type View } from '../layout/view.js';
import { type Engine, newEngine } from '../kernels/engine.js';
import { scanChunks } from './worker.js';
import type { Query } from './query.js';
import { atOnce } from '../turns.js';
import type { TileSource } from '../scan/native-view.js';
import { chunkAt } from '../scan/chunks.js';

/** A scan over the data that one or more operators need now. */
export interface SharedPass {
  readonly scan: Scan;
  readonly specs: readonly SinkSpec[];
  readonly operators: readonly Pick<Operator, 'combine'>[];
}

export class Computation {
  /** Until there is a plan. */
  #prepass: Prepass | undefined;
  #plan: Plan | undefined;
  #prepassBytes = 0;
  #reduced: ReduceOperator | undefined;
  #groups: GroupsOperator | undefined;
  #columns: ColumnsOperator | undefined;
  #operators: readonly Operator[] = [];
  /** Passes that operators have asked for and that are still to come. */
  #pending: SharedPass[] = [];

  constructor(plan: QueryPlan) {
    if ('choice' in plan) this.#prepass = new Prepass(plan);
    else this.#begin(plan);
  }

  /**
   * Memory of what was found in the data, which the plan could not know: groups and distinct values with their answer, values of joins. It
   * grows with what is merged.
   */
  get heldBytes(): number {
    const found = this.#operators.reduce((sum, { heldBytes = 0 }) => sum + heldBytes, 0);
    return this.#prepassBytes + (this.#prepass?.heldBytes ?? 0) + found;
  }

  #begin(plan: Plan): void {
    this.#plan = plan;
    if (plan.groups) {
      this.#groups = new GroupsOperator(plan, plan.groups);
      this.#operators = [this.#groups];
    } else {
      const reduced = new ReduceOperator(plan);
      const histogram = plan.query.parameters?.histogram;
      this.#reduced = reduced;
      this.#columns = columnsOperator(plan);
      this.#operators = [
        reduced,
        ...(plan.quantiles ? [new QuantileOperator(plan, plan.quantiles, reduced)] : []),
        ...(histogram ? [new HistogramOperator(plan, histogram, reduced)] : []),
        ...(plan.query.ops.includes('unique') ? [new UniqueOperator(plan)] : []),
        ...(this.#columns ? [this.#columns] : []),
      ];
    }
  }

  /** The next pass, in turns; undefined when all has been read. The pass before must have been combined whole. */
  *next(): Generator<void, SharedPass | undefined> {
    if (this.#prepass) {
      const next = yield* this.#prepass.next();
      if (!('cells' in next)) return { scan: next.scan, specs: [next.spec], operators: [this.#prepass] };
      this.#prepassBytes = this.#prepass.heldBytes;
      this.#begin(next);
      this.#prepass = undefined;
    }
    if (this.#pending.length === 0) this.#ask();
    return this.#pending.shift();
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
    const plan = this.#plan!;
    const { ops, axis } = plan.query;
    const found = new Map<number, StatisticsResult['results'][number]>();
    for (const operator of this.#operators) for (const [at, result] of yield* operator.finish()) found.set(at, result);
    const results = ops.map((_, at) => {
      const result = found.get(at);
      invariant(result !== undefined, 'every operation belongs to an operator');
      return result;
    });
    // Rows with NaN are left out whole.
    const ofRows = areOfColumns(ops) && plan.query.nan === 'omit' ? this.#columns!.count : undefined;
    if (!this.#groups) return { axis, count: ofRows ?? this.#reduced!.count(), results };
    const grouped = yield* this.#groups.grouped();
    return { axis, count: countAll(plan, grouped), results, grouped };
  }

  #ask(): void {
    const byScan = new Map<Scan, { specs: SinkSpec[]; operators: Operator[] }>();
    const asking = new Set<Operator>();
    for (const operator of this.#operators) {
      if (operator.after && asking.has(operator.after)) continue;
      const pass = operator.next();
      if (!pass) continue;
      asking.add(operator);
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

function columnsOperator({ columns, query }: Plan): ColumnsOperator | undefined {
  if (!columns) return undefined;
  const { ops, nan, parameters } = query;
  return new ColumnsOperator(columns, { ops, ddof: parameters?.cov?.ddof ?? 1, refusesNan: nan === 'raise' });
}

let engine: Engine | undefined;

export function computeInProcess(
  query: Query,
  dtype: DType,
  view: View,
  file: Uint8Array,
  bounds?: Partial<PlanBounds>,
): StatisticsResult {
  return computePlan(planStatistics(query, dtype, view, { bounds }), [sourceFrom(file)]);
}

/** Every pass of a plan. `shuffle` may put the numbers of chunks in another order: that in which they are measured. */
export function computePlan(
  plan: QueryPlan,
  sources: readonly TileSource[],
  shuffle = (numbers: readonly number[]): readonly number[] => numbers,
  on: Engine = (engine ??= newEngine()),
): StatisticsResult {
  const computation = new Computation(plan);
  for (let pass = atOnce(computation.next()); pass; pass = atOnce(computation.next())) {
    const partials: (SinkPartial | undefined)[][] = [];
    for (const number of shuffle(Array.from({ length: pass.scan.chunkCount }, (_, i) => i))) {
      [partials[number]] = scanChunks(on, pass.specs, [chunkAt(pass.scan, number)], sources) as [never];
    }
    for (const each of partials) atOnce(computation.combine(pass, each));
  }
  return atOnce(computation.finish());
}

/** A file in memory, gathered byte by byte. */
export function sourceFrom(file: Uint8Array): TileSource {
  return {
    read({ shape, strides, offset }, itemsize, into) {
      let to = 0;
      const walk = (axis: number, from: number): void => {
        if (axis === shape.length) {
          for (let i = 0; i < itemsize; i++) into[to++] = file[from + i]!;
        } else for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, from + i * strides[axis]!);
      };
      if (sizeOf(shape) > 0) walk(0, offset);
    },
    kept: () => undefined,
  };
}

/**
 * The histogram of a selection. Short integers are counted value by value and put into bins in the end; everything else is
 * put into bins by the workers, once the edges are known: a range that comes from the data is measured by the accumulators
 * in a pass before. Memory: the edges, the counters, and those of each partial on its way.
 */
import { isWide, numberDType } from '../../dtype/index.js';
import { fail } from '../../errors.js';
import { lowerBound } from '../../lower-bound.js';
import { elementOf } from '../../kernels/sort-keys.js';
import { NATIVE_BYTES, nativeTypeOf } from '../../kernels/native-types.js';
import type { Plan } from '../plan.js';
import { rangesOf, wholeRange } from '../quantiles/key-ranges.js';
import { addCounts } from '../quantiles/search.js';
import type { ReduceOperator } from '../accumulators/operator.js';
import { type Edges, edgesOverData, edgesOverRange, startsOf } from './edges.js';
import { type HistogramParameters, isCountedByValue, needsRange } from './parameters.js';
import { binSpec, closedEdges } from './spec.js';
import type { OperationResult } from '../result.js';
import type { PartialOf, SinkPartial } from '../specs.js';
import type { Operator, Pass } from '../pass.js';

const FLOAT64 = numberDType('<f8');
const INT64 = numberDType('<i8');

export class HistogramOperator implements Operator {
  readonly #plan: Plan;
  readonly #parameters: HistogramParameters;
  readonly #reduced: ReduceOperator;
  /** Counters as the kernels have them: below, of each bin, above; or of each value, by its sort key. */
  #counts: Float64Array | undefined;
  readonly after: Operator | undefined;

  constructor(plan: Plan, parameters: HistogramParameters, reduced: ReduceOperator) {
    this.#plan = plan;
    this.#parameters = parameters;
    this.#reduced = reduced;
    this.after = needsRange(parameters) && !isCountedByValue(plan.dtype) ? reduced : undefined;
  }

  next(): Pass | undefined {
    const { scan, dtype } = this.#plan;
    if (this.#counts || scan.chunkCount === 0) return undefined;
    if (isCountedByValue(dtype)) {
      const type = nativeTypeOf(dtype);
      const bits = 8 * NATIVE_BYTES[type];
      this.#counts = new Float64Array(2 ** bits);
      const where = rangesOf(type, 0, [wholeRange(type, 0)]);
      return { scan, spec: { kind: 'key-counts', where, bits, isWhole: true, groups: undefined } };
    }
    const counted = this.#reduced.fields.count;
    if (this.after && counted) this.#refuseNan(this.#plan.cellSize - counted[0]!);
    const { values } = this.#edges();
    this.#counts = new Float64Array(values.length + 1);
    const spec = isRising(values) ? binSpec(values, nativeTypeOf(dtype) === 'f32') : undefined;
    const isEqual = spec && (this.#parameters.kind === 'equal' || spec.counting !== 'exactly');
    const edges = shared(closedEdges(values), Float64Array);
    const starts = isEqual ? undefined : shared(startsOf(edges), Uint32Array);
    return { scan, spec: { kind: 'histogram', edges, spec: isEqual ? spec : undefined, starts } };
  }

  *combine(partial: SinkPartial): Generator<void, void> {
    const found = partial as PartialOf<'histogram'> | PartialOf<'key-counts'>;
    yield* addCounts(this.#counts!, { isPacked: false, ...found });
    if ('nans' in found) this.#refuseNan(found.nans);
  }

  // oxlint-disable-next-line require-yield
  *finish(): Generator<void, Map<number, OperationResult>> {
    const { values, dtype } = this.#edges();
    const counts = new Float64Array(values.length - 1);
    if (this.#counts && isCountedByValue(this.#plan.dtype)) this.#putIntoBins(values, counts);
    else if (this.#counts) counts.set(this.#counts.subarray(1, values.length));
    const at = this.#plan.query.ops.indexOf('histogram');
    const edges = { dtype, shape: [values.length], values };
    const result: OperationResult = {
      op: 'histogram',
      name: 'histogram',
      dtype: INT64,
      shape: [counts.length],
      values: counts,
      edges,
    };
    return new Map([[at, result]]);
  }

  #edges(): Edges {
    const { dtype } = this.#plan;
    const parameters = this.#parameters;
    if (parameters.kind === 'edges') return { values: Float64Array.from(parameters.edges), dtype: FLOAT64 };
    const { bins, range } = parameters;
    return range ? edgesOverRange(dtype, bins, range) : edgesOverData(dtype, bins, ...this.#extent());
  }

  /** The smallest and the largest element; nothing where there is none. */
  #extent(): readonly [number, number] | readonly [] {
    const { dtype, scan } = this.#plan;
    if (scan.chunkCount === 0) return [];
    if (isCountedByValue(dtype)) {
      const values = this.#valuesSeen();
      return values.length > 0 ? [Math.min(...values), Math.max(...values)] : [];
    }
    const { count, min, minLow, max, maxLow } = this.#reduced.fields;
    if (count?.[0] === 0) return [];
    if (!isWide(dtype)) return [min![0]!, max![0]!];
    return [wideNumber(min![0]!, minLow![0]!), wideNumber(max![0]!, maxLow![0]!)];
  }

  /** Of short integers. */
  #valuesSeen(): number[] {
    const type = nativeTypeOf(this.#plan.dtype);
    const values: number[] = [];
    for (const [key, count] of this.#counts!.entries()) {
      if (count > 0) values.push(Number(elementOf(type, key)));
    }
    return values;
  }

  #putIntoBins(edges: Float64Array, counts: Float64Array): void {
    const type = nativeTypeOf(this.#plan.dtype);
    const closed = closedEdges(edges);
    for (const [key, count] of this.#counts!.entries()) {
      if (count === 0) continue;
      const value = Number(elementOf(type, key));
      const above = lowerBound(closed.length, i => !(closed[i]! <= value));
      if (above > 0 && above < closed.length) counts[above - 1]! += count;
    }
  }

  #refuseNan(nans: number): void {
    if (nans === 0 || this.#plan.query.nan === 'omit') return;
    fail('nan_found', 'The selection holds NaN, which belong into no bin. Ask for nan=omit to leave them out.');
  }
}

function isRising(edges: Float64Array): boolean {
  return edges.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > edges[i - 1]!));
}

/** A 64-bit integer, as float64. */
function wideNumber(high: number, low: number): number {
  return Number((BigInt(high) << 32n) + BigInt(low));
}

/** The same numbers in memory that threads share. */
function shared<T extends Float64Array | Uint32Array>(values: T, Shared: new (buffer: SharedArrayBuffer) => T): T {
  const copy = new Shared(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

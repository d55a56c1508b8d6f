/**
 * What is wanted of the sorted elements of a cell: which ranks, and the answers that are made of them. Whoever finds
 * elements (in a gathered cell, or in passes over the data) asks here for ranks and hands the elements in.
 */
import { isTime, NAT, numberDType, withByteOrder, type DType } from '../../dtype/index.js';
import { narrowTo } from '../../narrow.js';
import type { ExactNumber } from '../../kernels/sort-keys.js';
import { medianPosition, METHODS, type Position, positionOf, type QuantileParameters } from './methods.js';

/** Plain data. */
export interface Wanted {
  readonly dtype: DType;
  readonly median: boolean;
  readonly quantile: QuantileParameters | undefined;
}

/** The answers of one cell; NaN, or NaT, where there is no element. */
export interface Answers {
  readonly median: ExactNumber;
  readonly quantiles: readonly ExactNumber[];
}

const FLOAT64 = numberDType('<f8');

/** The dtypes of the answers, as numpy's: a pick keeps the dtype of the data, as a float does where numpy computes in it. */
export function medianDType(dtype: DType): DType {
  return dtype.kind === 'f' || isTime(dtype) ? withByteOrder(dtype, '<') : FLOAT64;
}

export function quantileDType(dtype: DType, { method, isSingle }: QuantileParameters): DType {
  const isOwn = METHODS[method].picks || (dtype.kind === 'f' && isSingle) || isTime(dtype);
  return isOwn ? withByteOrder(dtype, '<') : FLOAT64;
}

/** Where the answers of a cell of `count` elements lie; counts of neighbouring cells are often the same. */
export class Places {
  readonly #wanted: Wanted;
  readonly #middle: (lower: ExactNumber, upper: ExactNumber, isPair: boolean) => ExactNumber;
  readonly #interpolate: Interpolate;
  readonly #nothing: ExactNumber;
  #count = -1;
  #median: Position | undefined;
  #quantiles: readonly Position[] = [];
  #ranks: readonly number[] = [];

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    const { dtype, quantile } = wanted;
    this.#nothing = isTime(dtype) ? NAT : Number.NaN;
    this.#middle = isTime(dtype) ? (lower, upper) => truncated(lower, upper, 0.5) : middle(dtype);
    this.#interpolate = isTime(dtype) ? truncated : interpolation(dtype, quantile?.isSingle ?? false);
  }

  /** The ranks that are looked at, from 0, ascending and distinct. `count` is at least one. */
  ranksOf(count: number): readonly number[] {
    this.#locate(count);
    return this.#ranks;
  }

  answersOf(count: number, elementAt: (rank: number) => ExactNumber): Answers {
    if (count === 0) return this.nothing();
    this.#locate(count);
    const median = this.#median;
    return {
      median: median ? this.#middle(elementAt(median.lower), elementAt(median.upper), count % 2 === 0) : this.#nothing,
      quantiles: this.#quantiles.map(({ lower, upper, weight }) => {
        const element = elementAt(lower);
        if (this.#picks) return element;
        return this.#interpolate(element, upper === lower ? element : elementAt(upper), weight);
      }),
    };
  }

  /** The answers where there is nothing, or a NaN that shows. */
  nothing(): Answers {
    const { quantile } = this.#wanted;
    return { median: this.#nothing, quantiles: (quantile?.q ?? []).map(() => this.#nothing) };
  }

  get #picks(): boolean {
    const { quantile } = this.#wanted;
    return quantile !== undefined && METHODS[quantile.method].picks;
  }

  #locate(count: number): void {
    if (count === this.#count) return;
    const { median, quantile } = this.#wanted;
    this.#count = count;
    this.#median = median ? medianPosition(count) : undefined;
    this.#quantiles = quantile ? quantile.q.map(q => positionOf(quantile.method, count, q)) : [];
    const all = [...this.#quantiles, ...(this.#median ? [this.#median] : [])];
    this.#ranks = [...new Set(all.flatMap(({ lower, upper }) => [lower, upper]))].sort((a, b) => a - b);
  }
}

/**
 * From two neighbours of a sorted sample to the quantile between them, in the arithmetic that numpy uses for the dtype.
 * For floats it is followed to the bit, infinities and overflow included (between infinite neighbours numpy answers NaN).
 * Differences of integers are exact here, where numpy's wrap around in the dtype.
 */
type Interpolate = (lower: ExactNumber, upper: ExactNumber, weight: number) => ExactNumber;

/**
 * Lerp as numpy.quantile does: from the nearer neighbour, so that it never passes the other. A single q leaves floats in
 * their dtype (`inOwnDType`); under a list of them the weights are float64, and so is everything after the difference.
 */
function interpolation(dtype: DType, inOwnDType: boolean): Interpolate {
  if (dtype.kind !== 'f') {
    return (lower, upper, weight) => lerp(Number(lower), Number(upper), differenceOf(lower, upper), weight, same);
  }
  const narrow = narrowTo(dtype);
  const round = inOwnDType ? narrow : same;
  return (lower, upper, weight) =>
    lerp(Number(lower), Number(upper), narrow(Number(upper) - Number(lower)), weight, round);
}

/** Of dates and durations: lower + (upper - lower) * weight, exactly, truncated toward zero. */
function truncated(lower: ExactNumber, upper: ExactNumber, weight: number): bigint {
  const from = BigInt(lower);
  if (weight === 0) return from;
  const { units, shift } = exactWeight(weight);
  return ((from << shift) + (BigInt(upper) - from) * units) / (1n << shift);
}

/** A weight above 0 and of at most 1 as units of 2 ** -shift: a double has 53 bits, and the logarithm is rounded. */
function exactWeight(weight: number): { units: bigint; shift: bigint } {
  const shift = Math.min(1074, 54 - Math.floor(Math.log2(weight)));
  const half = Math.floor(shift / 2);
  return { units: BigInt(weight * 2 ** half * 2 ** (shift - half)), shift: BigInt(shift) };
}

function lerp(
  lower: number,
  upper: number,
  difference: number,
  weight: number,
  round: (value: number) => number,
): number {
  if (weight >= 0.5) return round(upper - round(difference * round(1 - weight)));
  return round(lower + round(difference * round(weight)));
}

/**
 * The mean of the two middle elements, or of one with itself where their number is odd, as numpy.median. float16 is
 * added as float32, as numpy's mean does.
 */
function middle(dtype: DType): (lower: ExactNumber, upper: ExactNumber, isPair: boolean) => number {
  const narrow = narrowTo(dtype);
  const add = dtype.kind === 'f' && dtype.itemsize < 8 ? Math.fround : same;
  return (lower, upper, isPair) =>
    isPair ? narrow(add(add(Number(lower) + Number(upper)) / 2)) : narrow(Number(upper));
}

function differenceOf(lower: ExactNumber, upper: ExactNumber): number {
  return typeof lower === 'bigint' ? Number(BigInt(upper) - lower) : Number(upper) - lower;
}

function same(value: number): number {
  return value;
}

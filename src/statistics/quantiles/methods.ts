/**
 * Between which elements of the sorted sample a quantile lies: the methods of numpy.quantile by name. Nine are those of
 * Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), four are numpy's own. Every product and sum below
 * is rounded as numpy rounds it, since one unit in the last place may decide between two elements.
 */

/** Ranks count from 0. A quantile is the element at `lower`, moved towards that at `upper` by `weight`. */
export interface Position {
  readonly lower: number;
  readonly upper: number;
  readonly weight: number;
}

interface MethodRow {
  /** It picks an element, so that the answer has the dtype of the data. */
  readonly picks: boolean;
  /** For a sample of `count` elements, at least one, and q from 0 to 1. */
  readonly position: (count: number, q: number) => Position;
}

export const METHODS = {
  inverted_cdf: picking((count, q) => steppedAfter(count * q - 1, weight => weight === 0)),
  averaged_inverted_cdf: between(
    (count, q) => count * q - 1,
    weight => (weight === 0 ? 0.5 : 1),
  ),
  closest_observation: picking((count, q) =>
    steppedAfter(count * q - 1 - 0.5, (weight, floor) => weight === 0 && Math.abs(floor) % 2 === 1),
  ),
  interpolated_inverted_cdf: between(plotted(0, 1)),
  hazen: between(plotted(0.5, 0.5)),
  weibull: between(plotted(0, 0)),
  linear: between((count, q) => (count - 1) * q),
  median_unbiased: between(plotted(1 / 3, 1 / 3)),
  normal_unbiased: between(plotted(3 / 8, 3 / 8)),
  lower: picking((count, q) => Math.floor((count - 1) * q)),
  higher: picking((count, q) => Math.ceil((count - 1) * q)),
  midpoint: between(
    (count, q) => 0.5 * (Math.floor((count - 1) * q) + Math.ceil((count - 1) * q)),
    (_, index) => (Number.isInteger(index) ? 0 : 0.5),
  ),
  nearest: picking((count, q) => halfToEven((count - 1) * q)),
} as const satisfies Record<string, MethodRow>;

export type Method = keyof typeof METHODS;

export const METHOD_NAMES = Object.keys(METHODS) as readonly Method[];

export function isMethod(text: string): text is Method {
  return Object.hasOwn(METHODS, text);
}

export function positionOf(method: Method, count: number, q: number): Position {
  return METHODS[method].position(count, q);
}

/** Where the median of `count` elements, at least one, lies: numpy's is the mean of one or two. */
export function medianPosition(count: number): Position {
  const upper = Math.floor(count / 2);
  return { lower: count % 2 === 0 ? upper - 1 : upper, upper, weight: 0.5 };
}

function picking(rankOf: (count: number, q: number) => number): MethodRow {
  return {
    picks: true,
    position: (count, q) => {
      const rank = rankOf(count, q);
      return { lower: rank, upper: rank, weight: 0 };
    },
  };
}

/** A method with a place between elements, which is clipped to the first and the last. */
function between(
  indexOf: (count: number, q: number) => number,
  weightOf: (weight: number, index: number) => number = weight => weight,
): MethodRow {
  return {
    picks: false,
    position: (count, q) => {
      const index = indexOf(count, q);
      if (index >= count - 1) return { lower: count - 1, upper: count - 1, weight: 0 };
      if (index < 0) return { lower: 0, upper: 0, weight: 0 };
      const lower = Math.floor(index);
      return { lower, upper: lower + 1, weight: weightOf(index - lower, index) };
    },
  };
}

/** Plotting positions with the constants alpha and beta. */
function plotted(alpha: number, beta: number): (count: number, q: number) => number {
  const slope = 1 - alpha - beta;
  return (count, q) => count * q + (alpha + q * slope) - 1;
}

/** The element after a place, or the one before it where that is asked for; never before the first. */
function steppedAfter(index: number, staysAt: (weight: number, floor: number) => boolean): number {
  const floor = Math.floor(index);
  return Math.max(0, staysAt(index - floor, floor) ? floor : floor + 1);
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

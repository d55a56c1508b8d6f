/**
 * Between which elements of the sorted sample a quantile lies: the methods of numpy.quantile by name. Nine are those of
 * Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), four are numpy's own. Every product and sum below
 * is rounded as numpy rounds it, since one unit in the last place may decide between two elements.
 */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { didYouMean } from '../../near.js';
import { listed, shown } from '../../shown.js';

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

const METHOD_NAMES = Object.keys(METHODS) as readonly Method[];

function isMethod(text: string): text is Method {
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

/** Plain data. */
export interface QuantileParameters {
  /** Each from 0 to 1, at least one. */
  readonly q: readonly number[];
  /** True where one number was given instead of a list: the answer then has no axis for it. */
  readonly isSingle: boolean;
  readonly method: Method;
}

const EXAMPLE = '{"quantile": {"q": [0.1, 0.5], "method": "linear"}}';

/** @throws bad_operation, too_large */
export function parseQuantile(given: Readonly<Record<string, unknown>>): QuantileParameters {
  const { q, method = 'linear', ...rest } = given;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) {
    const detail = `quantile has no ${shown(unknown)}; it takes q and method: ${EXAMPLE}.${didYouMean(unknown.slice(0, 60), ['q', 'method'])}`;
    fail('bad_operation', detail, { op: 'quantile', unsupported: unknown });
  }
  if (q === undefined) fail('bad_operation', `quantile needs q, a number or a list: ${EXAMPLE}.`, { op: 'quantile' });
  if (typeof method !== 'string' || !isMethod(method)) {
    const near = typeof method === 'string' ? didYouMean(method.slice(0, 60), METHOD_NAMES) : '';
    const detail = `method is ${shown(method)}; it takes ${listed(METHOD_NAMES)}.${near}`;
    return fail('bad_operation', detail, { op: 'quantile', supported: METHOD_NAMES });
  }
  const list: readonly unknown[] = Array.isArray(q) ? q : [q];
  if (list.length === 0)
    fail('bad_operation', 'q is an empty list; it takes a number from 0 to 1, or a list of them.', { op: 'quantile' });
  if (list.length > LIMITS.quantilesMax) {
    const detail = `q has ${list.length} quantiles; at most ${LIMITS.quantilesMax} are computed at once. Ask for the others in another query.`;
    fail('too_large', detail, { limit: LIMITS.quantilesMax, asked: list.length });
  }
  return { q: list.map(checkedFraction), isSingle: !Array.isArray(q), method };
}

function checkedFraction(q: unknown): number {
  if (typeof q === 'number' && q >= 0 && q <= 1) return q;
  return fail(
    'bad_operation',
    `q has ${shown(q)}; it takes numbers from 0 to 1. Percentiles are divided by 100: 0.25 for the 25th.`,
    { op: 'quantile' },
  );
}

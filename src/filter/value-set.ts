/**
 * Which values of a column a comparison keeps: closed intervals of ranks, ascending and apart, and whether NaN is kept.
 * Sealed, they are native numbers that kernels compare with.
 */
import { isTurnOver } from '../turns.js';
import type { Place } from './places.js';
import type { NativeType } from '../kernels/native-types.js';
import { codeOfRank, nanCodeOf, ranksOf, valueOfRank, type ExactNumber, type ValueType } from '../kernels/sort-keys.js';

/** Both ends are kept. */
export type Interval = readonly [low: bigint, high: bigint];

export interface ValueSet {
  readonly intervals: readonly Interval[];
  readonly nan: boolean;
}

export const NOTHING: ValueSet = { intervals: [], nan: false };

export function everyNumber(type: ValueType, nan: boolean): ValueSet {
  const { min, max } = ranksOf(type);
  return { intervals: [[min, max]], nan };
}

export function isEveryNumber(type: ValueType, { intervals }: ValueSet): boolean {
  const { min, max } = ranksOf(type);
  const [only] = intervals;
  return intervals.length === 1 && only![0] <= min && only![1] >= max;
}

/** Intervals in any order, overlapping, empty or outside the type → a set without NaN. */
export function setOf(type: ValueType, intervals: readonly Interval[]): ValueSet {
  const { min, max } = ranksOf(type);
  const clipped = intervals
    .map(([low, high]): Interval => [low < min ? min : low, high > max ? max : high])
    .filter(([low, high]) => low <= high)
    .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const joined: Interval[] = [];
  for (const [low, high] of clipped) {
    const last = joined.at(-1);
    if (last && low <= last[1] + 1n) joined[joined.length - 1] = [last[0], high > last[1] ? high : last[1]];
    else joined.push([low, high]);
  }
  return { intervals: joined, nan: false };
}

/** The values of the type that stand at places in any order → a set without NaN. Sorted as native numbers, in turns. */
export function* setOfPoints(type: ValueType, places: readonly (Place | undefined)[]): Generator<void, ValueSet> {
  const { min, max } = ranksOf(type);
  const inside = new (min < 0n ? BigInt64Array : BigUint64Array)(places.length);
  let count = 0;
  for (let i = 0; i < places.length; i++) {
    const place = places[i];
    if (place?.floor === place?.ceil && place && place.floor >= min && place.floor <= max)
      inside[count++] = place.floor;
    if (isTurnOver(i)) yield;
  }
  const sorted = inside.subarray(0, count).sort();
  const joined: [low: bigint, high: bigint][] = [];
  let last: [low: bigint, high: bigint] | undefined;
  for (let i = 0; i < count; i++) {
    if (isTurnOver(i)) yield;
    const point = sorted[i]!;
    if (last && point <= last[1] + 1n) last[1] = point;
    else joined.push((last = [point, point]));
  }
  return { intervals: joined, nan: false };
}

/** Every value that is not in the set, NaN included. */
export function complement(type: ValueType, { intervals, nan }: ValueSet): ValueSet {
  const { min, max } = ranksOf(type);
  const gaps: Interval[] = [];
  let from = min;
  for (const [low, high] of intervals) {
    if (from < low) gaps.push([from, low - 1n]);
    from = high + 1n;
  }
  if (from <= max) gaps.push([from, max]);
  return { intervals: gaps, nan: !nan };
}

export function intersection(a: ValueSet, b: ValueSet): ValueSet {
  const common: Interval[] = [];
  for (let i = 0, j = 0; i < a.intervals.length && j < b.intervals.length;) {
    const [lowA, highA] = a.intervals[i]!;
    const [lowB, highB] = b.intervals[j]!;
    const low = lowA > lowB ? lowA : lowB;
    const high = highA < highB ? highA : highB;
    if (low <= high) common.push([low, high]);
    if (highA < highB) i++;
    else j++;
  }
  return { intervals: common, nan: a.nan && b.nan };
}

/**
 * A set as kernels take it: what one comparison of native numbers decides, or the ends of its intervals as codes, the
 * low ones first, in shared memory so that large sets cross threads without a copy.
 */
export type SealedSet =
  | {
      readonly kind: 'range';
      readonly low: ExactNumber;
      readonly high: ExactNumber;
      /** 1: what lies outside is kept, and NaN. */
      readonly flip: 0 | 1;
    }
  | { readonly kind: 'codes'; readonly ends: BigUint64Array; readonly points: boolean };

export function* sealSet(type: ValueType, set: ValueSet): Generator<void, SealedSet> {
  if (type === 'time') return yield* sealSet('i64', asCounts(set));
  return rangeOf(type, set) ?? (yield* codesOf(type, set));
}

/** Dates as the counts that they are: NaT is the least of these. */
function asCounts({ intervals, nan }: ValueSet): ValueSet {
  if (!nan) return { intervals, nan };
  const { min } = ranksOf('i64');
  const [first, ...others] = intervals;
  const joins = first !== undefined && first[0] === min + 1n;
  return { intervals: joins ? [[min, first[1]], ...others] : [[min, min], ...intervals], nan: false };
}

/** Integers have no NaN, so what a set says of it means nothing. */
function rangeOf(type: NativeType, set: ValueSet): SealedSet | undefined {
  // One gap has an interval on each side of it at most.
  if (set.intervals.length > 2) return undefined;
  const inside = set.intervals.length === 1 && !(set.nan && type.startsWith('f'));
  const gaps = complement(type, set);
  const outside = gaps.intervals.length === 1 && !(gaps.nan && type.startsWith('f'));
  if (!inside && !outside) return undefined;
  const [low, high] = (inside ? set : gaps).intervals[0]!;
  return { kind: 'range', low: valueOfRank(type, low), high: valueOfRank(type, high), flip: inside ? 0 : 1 };
}

function* codesOf(type: NativeType, { intervals, nan }: ValueSet): Generator<void, SealedSet> {
  const hasNan = nan && type.startsWith('f');
  const count = intervals.length + (hasNan ? 1 : 0);
  const ends = new BigUint64Array(new SharedArrayBuffer(16 * count));
  for (let i = 0; i < intervals.length; i++) {
    ends[i] = codeOfRank(type, intervals[i]![0]);
    ends[count + i] = codeOfRank(type, intervals[i]![1]);
    if (isTurnOver(i)) yield;
  }
  if (hasNan) ends[count - 1] = ends[2 * count - 1] = nanCodeOf(type);
  return { kind: 'codes', ends, points: intervals.every(([low, high]) => low === high) };
}

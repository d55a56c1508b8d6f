/** The comparisons of a filter as a table: what each takes, and which values of a column it keeps. */
import { ranksOf, type ValueType } from '../kernels/sort-keys.js';
import type { Place } from './places.js';
import { complement, everyNumber, NOTHING, setOf, setOfPoints, type ValueSet } from './value-set.js';

/** `undefined` is the place of NaN, which no comparison finds. */
type Places = readonly (Place | undefined)[];

/** One value, two, or a list of them, which may be long and is gone through in turns. */
type ComparisonRow =
  | { readonly takes: 'value' | 'pair'; readonly keeps: (places: Places, type: ValueType) => ValueSet }
  | { readonly takes: 'list'; readonly keeps: (places: Places, type: ValueType) => Generator<void, ValueSet> };

const equal = ([place]: Places, type: ValueType): ValueSet =>
  place && place.ceil === place.floor ? setOf(type, [[place.floor, place.floor]]) : NOTHING;

/** A row for values from `low` to `high`, both kept. */
function between(
  takes: 'value' | 'pair',
  low: (places: readonly Place[], min: bigint) => bigint,
  high: (places: readonly Place[], max: bigint) => bigint,
): ComparisonRow {
  return {
    takes,
    keeps(places, type) {
      const { min, max } = ranksOf(type);
      const known = places.filter(place => place !== undefined);
      return known.length < places.length ? NOTHING : setOf(type, [[low(known, min), high(known, max)]]);
    },
  };
}

export const COMPARISONS = {
  eq: { takes: 'value', keeps: equal },
  ne: { takes: 'value', keeps: (places, type) => complement(type, equal(places, type)) },
  lt: between(
    'value',
    (_, min) => min,
    ([place]) => place!.ceil - 1n,
  ),
  le: between(
    'value',
    (_, min) => min,
    ([place]) => place!.floor,
  ),
  gt: between(
    'value',
    ([place]) => place!.floor + 1n,
    (_, max) => max,
  ),
  ge: between(
    'value',
    ([place]) => place!.ceil,
    (_, max) => max,
  ),
  between: between(
    'pair',
    ([from]) => from!.ceil,
    ([, to]) => to!.floor,
  ),
  in: { takes: 'list', keeps: (places, type) => setOfPoints(type, places) },
} as const satisfies Record<string, ComparisonRow>;

export type ComparisonName = keyof typeof COMPARISONS;

export function comparisonRow(name: ComparisonName): ComparisonRow {
  return COMPARISONS[name];
}

export function isComparison(name: string): name is ComparisonName {
  return Object.hasOwn(COMPARISONS, name);
}

/** What `is_nan` keeps. */
export function nanSet(type: ValueType, wanted: boolean): ValueSet {
  return wanted ? { intervals: [], nan: true } : everyNumber(type, false);
}

/**
 * What may become what: numpy's `np.can_cast`, as rules by kind. A pair has the mildest casting that allows it, or none
 * where there is no conversion at all.
 */
import { isStructure, type DType, type Field, type LeafDType, type TimeDType } from '../dtype/index.js';
import { divides, isCalendar } from './time-units.js';

export const CASTINGS = ['safe', 'same_kind', 'unsafe'] as const;

/** From the strictest to the one that allows everything. */
export type Casting = (typeof CASTINGS)[number];

/** numpy's `np.can_cast(from, to, casting)`. */
export function canCast(from: DType, to: DType, casting: Casting): boolean {
  const needed = castingOf(from, to);
  return needed !== undefined && CASTINGS.indexOf(needed) <= CASTINGS.indexOf(casting);
}

/** The rule for elements of two dtypes that are no structures. */
export type LeafRule = (from: LeafDType, to: LeafDType) => Casting;

/** The strictest casting that allows it; undefined where the fields of two structures cannot be paired. */
export function castingOf(from: DType, to: DType, leaf: LeafRule = leafCasting): Casting | undefined {
  if (isStructure(from) && isStructure(to)) {
    if (from.fields.length !== to.fields.length) return undefined;
    return mildest(from.fields.map((field, i) => ofFields(field, to.fields[i]!, leaf)));
  }
  if (isStructure(to)) {
    return mildest(['unsafe', ...to.fields.map(field => castingOf(from, field.dtype, leaf))]);
  }
  if (isStructure(from)) {
    const [only, second] = from.fields;
    return only && !second ? mildest(['unsafe', castingOf(only.dtype, to, leaf)]) : undefined;
  }
  return leaf(from, to);
}

export function leafCasting(from: LeafDType, to: LeafDType): Casting {
  if (from.typestr === to.typestr) return 'safe';
  const rule = RULES[`${classOf(from)}${classOf(to)}`];
  return rule ? rule(from, to) : 'unsafe';
}

/** Sub-arrays of another shape are broadcast, filled up and cut: unsafe, but for one value that is repeated. */
function ofFields(from: Field, to: Field, leaf: LeafRule): Casting | undefined {
  const base = castingOf(from.dtype, to.dtype, leaf);
  if (from.shape.join() === to.shape.join()) return base;
  const isRepeated = from.shape.length === 0 && from.dtype.kind !== 'V';
  return isRepeated ? base : mildest(['unsafe', base]);
}

/** What all of them are allowed by. */
function mildest(castings: readonly (Casting | undefined)[]): Casting | undefined {
  let most = 0;
  for (const casting of castings) {
    if (casting === undefined) return undefined;
    most = Math.max(most, CASTINGS.indexOf(casting));
  }
  return CASTINGS[most];
}

type Rule = (from: DType, to: DType) => Casting;
type Class = 'n' | 'M' | 'm' | 'S' | 'U' | 'V';

/** Numbers of all kinds are one class. */
function classOf({ kind }: DType): Class {
  return kind === 'M' || kind === 'm' || kind === 'S' || kind === 'U' || kind === 'V' ? kind : 'n';
}

const isNoShorter: Rule = (from, to) => (to.itemsize >= from.itemsize ? 'safe' : 'same_kind');
const isView: Rule = (from, to) => (to.itemsize >= from.itemsize ? 'safe' : 'unsafe');

/** By the classes of both; what has no rule is unsafe. */
const RULES: Readonly<Partial<Record<`${Class}${Class}`, Rule>>> = {
  nn: (from, to) => {
    if (isExact(from, to)) return 'safe';
    return GENERALITY[from.kind]! <= GENERALITY[to.kind]! ? 'same_kind' : 'unsafe';
  },
  // Counts of a duration are int64.
  nm: from => {
    if (!'biu'.includes(from.kind)) return 'unsafe';
    return from.kind === 'u' && from.itemsize === 8 ? 'same_kind' : 'safe';
  },
  MM: (from, to) => betweenUnits(from as TimeDType, to as TimeDType),
  mm: (from, to) => betweenUnits(from as TimeDType, to as TimeDType),
  SS: isNoShorter,
  UU: isNoShorter,
  SU: (from, to) => (to.itemsize >= 4 * from.itemsize ? 'safe' : 'same_kind'),
  VV: isNoShorter,
  nV: isView,
  MV: isView,
  mV: isView,
  SV: isView,
  UV: isView,
};

const GENERALITY: Readonly<Record<string, number>> = { b: 0, u: 1, i: 2, f: 3, g: 3, c: 4, G: 4 };

/** Bytes of the float that holds an integer well enough for numpy, by the bytes of the integer. */
const FLOAT_BYTES: Readonly<Record<number, number>> = { 1: 2, 2: 4, 4: 8, 8: 8 };

/** What numpy takes for exact: 64-bit integers in a double are, too. */
function isExact(from: DType, to: DType): boolean {
  if (from.kind === 'b') return true;
  const bytes = 'cG'.includes(to.kind) ? to.itemsize / 2 : to.itemsize;
  if (from.kind === 'u' || from.kind === 'i') {
    if (GENERALITY[to.kind]! >= GENERALITY['f']!) return bytes >= FLOAT_BYTES[from.itemsize]!;
    if (from.kind === to.kind) return bytes >= from.itemsize;
    return from.kind === 'u' && to.kind === 'i' && bytes > from.itemsize;
  }
  const own = 'cG'.includes(from.kind) ? from.itemsize / 2 : from.itemsize;
  return GENERALITY[from.kind]! <= GENERALITY[to.kind]! && bytes >= own;
}

/** Among units: into finer ones that divide it safe; years and months of a duration have no number of days. */
function betweenUnits(from: TimeDType, to: TimeDType): Casting {
  if (!from.unit || !to.unit) return from.unit ? 'unsafe' : 'safe';
  const answer = divides(from.unit, to.unit);
  if (answer === 'nonlinear') {
    if (from.kind === 'm') return 'unsafe';
    return isCalendar(from.unit) ? 'safe' : 'same_kind';
  }
  return answer === 'yes' ? 'safe' : 'same_kind';
}

export function isInteger({ kind }: DType): boolean {
  return kind === 'i' || kind === 'u';
}

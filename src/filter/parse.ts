/**
 * The grammar of `where` and of keys: JSON → a tree of known members, bounded in size and depth, before anything is
 * known of the datasets. Values are still as they came.
 */
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { didYouMean } from '../near.js';
import { presentMembers } from '../present.js';
import { listed, shown } from '../shown.js';
import { comparisonRow, COMPARISONS, isComparison, type ComparisonName } from './comparisons.js';

/**
 * Whose values are looked at: a column of the dataset, the dataset itself, another one or a field of it, or a field, which a
 * column that has a name is, too.
 */
export type Subject =
  | { readonly kind: 'column'; readonly column: number }
  | { readonly kind: 'self' }
  | { readonly kind: 'dataset'; readonly name: string; readonly field: string | undefined }
  | { readonly kind: 'field'; readonly field: string };

export interface Comparison {
  readonly name: ComparisonName;
  /** One value, a pair, or a list. */
  readonly values: readonly unknown[];
}

/** The values that `in` takes from a dataset, or from a field of it. */
export interface JoinTree {
  readonly dataset: string;
  readonly field: string | undefined;
  readonly where: FilterTree | undefined;
  readonly at: string;
}

/** `at` says where in the query a node stands, for errors. */
export type FilterTree =
  | { readonly kind: 'and' | 'or'; readonly of: readonly FilterTree[] }
  | { readonly kind: 'not'; readonly of: FilterTree }
  | {
      readonly kind: 'test';
      readonly at: string;
      readonly subject: Subject;
      readonly comparisons: readonly Comparison[];
      readonly isNan: boolean | undefined;
      readonly join: JoinTree | undefined;
    };

/** The members that say whose values are meant. */
export const SUBJECTS = ['column', 'self', 'dataset', 'field'] as const;
const NAMES = [...Object.keys(COMPARISONS), 'is_nan'];
const SHAPE =
  'a filter is {"column": 3, "gt": 0.5}, with column, self, dataset or field and one comparison or more, or {"and": […]}, {"or": […]}, {"not": …}';

/** Counts what a query has of something that is bounded. */
interface Counter {
  nodes: number;
}

/** @throws bad_request, too_large */
export function parseFilter(input: unknown, at = 'where'): FilterTree {
  return parseNode(input, at, 1, { nodes: 0 });
}

function parseNode(input: unknown, at: string, depth: number, counter: Counter): FilterTree {
  if (depth > LIMITS.filterDepthMax) refuseSize(at, 'is nested', 'levels deep', LIMITS.filterDepthMax, depth);
  if (++counter.nodes > LIMITS.filterNodesMax)
    refuseSize(at, 'comes as number', 'of the parts of the filter', LIMITS.filterNodesMax, counter.nodes);
  const object = membersOf(input, at, SHAPE);
  const [key, ...others] = Object.keys(object);
  if (key === 'and' || key === 'or' || key === 'not') {
    if (others.length > 0) refuse(at, `${key} stands alone, without ${shown(others[0]!)}`);
    const under = `${at}.${key}`;
    if (key === 'not') return { kind: key, of: parseNode(object[key], under, depth + 1, counter) };
    const list = listOf(object[key], under, 'a list of filters');
    return { kind: key, of: list.map((each, i) => parseNode(each, `${under}[${i}]`, depth + 1, counter)) };
  }
  // A list of no values is one where no other comparison stands: it keeps nothing.
  const isNone = !Object.keys(object).some(name => NAMES.includes(name)) && isNoList(input);
  return parseTest(isNone ? { ...object, in: [] } : object, at, depth, counter);
}

function isNoList(input: unknown): boolean {
  const { in: list } = input as { readonly in?: unknown };
  return Array.isArray(list) && list.length === 0;
}

function parseTest(object: Record<string, unknown>, at: string, depth: number, counter: Counter): FilterTree {
  const comparisons: Comparison[] = [];
  let isNan: boolean | undefined;
  let join: JoinTree | undefined;
  for (const [name, value] of Object.entries(object)) {
    const under = `${at}.${name}`;
    if ((SUBJECTS as readonly string[]).includes(name)) continue;
    if (name === 'is_nan') {
      isNan =
        typeof value === 'boolean' ? value : refuse(under, `true or false should stand there, not ${shown(value)}`);
    } else if (name === 'in' && !Array.isArray(value)) join = parseJoin(value, under, depth, counter);
    else if (isComparison(name)) comparisons.push({ name, values: valuesOf(name, value, under) });
    else {
      const near = didYouMean(name.slice(0, 60), [...NAMES, ...SUBJECTS, 'and', 'or', 'not']);
      refuse(at, `${shown(name)} is no comparison; there are ${listed(NAMES, 'and')}.${near}`);
    }
  }
  const subject = parseSubject(object, at);
  if (comparisons.length === 0 && isNan === undefined && !join) {
    refuse(at, `a comparison is missing; there are ${listed(NAMES, 'and')}`);
  }
  return { kind: 'test', at, subject, comparisons, isNan, join };
}

function parseJoin(value: unknown, at: string, depth: number, counter: Counter): JoinTree {
  const object = membersOf(value, at, 'in takes a list of values, or {"dataset": "codes"}');
  const { dataset, field, where, ...others } = object;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    refuse(
      at,
      `${shown(unknown)} is not known here; there are dataset, field and where.${didYouMean(unknown, ['dataset', 'field', 'where'])}`,
    );
  if (typeof dataset !== 'string')
    return refuse(at, `dataset is ${shown(dataset)}; it takes the name of a one-dimensional dataset`);
  return {
    dataset,
    field: field === undefined ? undefined : textAt(`${at}.field`, field, 'field'),
    where: where === undefined ? undefined : parseNode(where, `${at}.where`, depth + 1, counter),
    at,
  };
}

function valuesOf(name: ComparisonName, value: unknown, at: string): readonly unknown[] {
  const { takes } = comparisonRow(name);
  if (takes === 'value') return [named(value)];
  if (!Array.isArray(value))
    return refuse(at, `a list of ${takes === 'pair' ? 'two ' : ''}values should stand there, not ${shown(value)}`);
  const list = value as unknown[];
  if (takes === 'pair' && list.length !== 2)
    refuse(at, `a list of two values should stand there, not of ${list.length}`);
  if (list.length > LIMITS.filterListMax) refuseSize(at, 'has', 'values', LIMITS.filterListMax, list.length);
  return list.map(named);
}

/** Infinities by their names, since JSON has no numbers for them. */
export function named(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** The one member of an object that says whose values are meant. @throws bad_request */
export function parseSubject(object: Record<string, unknown>, at: string): Subject {
  const named = SUBJECTS.filter(name => object[name] !== undefined);
  const isOfAnother = named.join() === 'dataset,field';
  const [kind] = named;
  if (kind === undefined || (named.length > 1 && !isOfAnother)) {
    return refuse(
      at,
      `${named.length > 1 ? 'only ' : ''}one of ${listed(SUBJECTS)} should say whose values are meant, ${named.length > 1 ? `not ${listed(named, 'and')} together` : `and none of them does in ${shown(object)}`}`,
    );
  }
  const value = object[kind];
  switch (kind) {
    case 'column':
      if (typeof value === 'string') return { kind: 'field', field: value };
      if (!Number.isSafeInteger(value))
        refuse(`${at}.column`, `an integer or a name should stand there, not ${shown(value)}`);
      return { kind, column: value as number };
    case 'self':
      if (value !== true) refuse(`${at}.self`, `true should stand there, not ${shown(value)}`);
      return { kind };
    case 'dataset':
      return {
        kind,
        name: textAt(`${at}.dataset`, value, 'dataset'),
        field: isOfAnother ? textAt(`${at}.field`, object['field'], 'field') : undefined,
      };
    case 'field':
      return { kind, field: textAt(`${at}.field`, value, 'field') };
  }
}

function textAt(at: string, value: unknown, of: string): string {
  return typeof value === 'string' ? value : refuse(at, `the name of a ${of} should stand there, not ${shown(value)}`);
}

/** The members of an object that are not empty. @throws bad_request */
export function membersOf(input: unknown, at: string, expected: string): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return refuse(at, `${shown(input)} stands there, and ${expected}`);
  return presentMembers(input as Record<string, unknown>);
}

/** @throws bad_request where it is not a list, or an empty one */
export function listOf(input: unknown, at: string, expected: string): readonly unknown[] {
  if (!Array.isArray(input) || input.length === 0)
    return refuse(at, `${expected}, not empty, should stand there, not ${shown(input)}`);
  return input as unknown[];
}

/** @throws bad_request */
export function refuse(at: string, why: string): never {
  return fail('bad_request', `${at} cannot be read: ${why}${/[.?]$/.test(why) ? '' : '.'}`, { at });
}

function refuseSize(at: string, verb: string, unit: string, limit: number, asked: number): never {
  const detail = `${at} ${verb} ${asked} ${unit}; at most ${limit} are possible. A list of values may stand in a dataset: {"in": {"dataset": "codes"}}.`;
  return fail('too_large', detail, { at, limit, asked });
}

/** The keys of `group_by`: JSON → columns, bins and blocks, and what an answer shows of their codes. */
import type { ColumnKey, GroupKey } from './keys.js';
import { dateText, isText, isTime, type NumberDType, type TextDType, type TimeDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { didYouMean } from '../near.js';
import { listed, shown } from '../shown.js';
import { mapTurns } from '../turns.js';
import { codeBitsOf, codeOfRank, ranksOf, type ExactNumber } from '../kernels/sort-keys.js';
import { both, KEEPS_ALL, valueTypeOf, type Filter, type RowColumn } from '../filter/filter.js';
import { resolveColumn, type Rows, type SourceList } from '../filter/columns.js';
import { listOf, named, membersOf, parseSubject, refuse, SUBJECTS, type Subject } from '../filter/parse.js';
import { numberOf, placeExact, placeOf, refuseValue, type Place } from '../filter/places.js';
import { testOf } from '../filter/tests.js';
import { keyOfText, sealTexts, type TextKey } from '../filter/texts.js';
import { setOf } from '../filter/value-set.js';
import { parseEvery, planEvery, type Every } from './every.js';

/** A key as it was asked for: a subject, perhaps in bins or blocks of time, or stretches of rows. */
type KeyTree =
  | {
      readonly at: string;
      readonly subject: Subject;
      readonly bins?: readonly unknown[] | undefined;
      readonly every?: Every | undefined;
    }
  | { readonly at: string; readonly rows: number };

/** Keys as they were asked for. */
export interface GroupingTree {
  readonly keys: readonly KeyTree[];
  /** They came as a list, and are answered as lists. */
  readonly isList: boolean;
}

/** An edge of a bin as it is answered: numbers as they were given, dates and texts as texts. */
export type Edge = ExactNumber | string;

/** What an answer shows of the codes of a key. */
export type KeyForm =
  | { readonly kind: 'values' }
  | { readonly kind: 'bins'; readonly edges: readonly Edge[] }
  /** The number of the first row of each stretch. */
  | { readonly kind: 'rows'; readonly length: number }
  | { readonly kind: 'blocks'; readonly textOf: (block: bigint) => string }
  /** Undefined until they are found. */
  | { readonly kind: 'texts'; readonly texts: readonly TextKey[] | undefined };

export interface Grouping {
  readonly keys: readonly GroupKey[];
  /** Of each key. */
  readonly forms: readonly KeyForm[];
  readonly isList: boolean;
}

/** @throws bad_request, too_large */
export function parseGrouping(input: unknown): GroupingTree {
  const isList = Array.isArray(input);
  const list = isList ? listOf(input, 'group_by', 'a key such as {"column": 3}, or a list of keys') : [input];
  if (list.length > LIMITS.groupKeysMax) {
    fail(
      'too_large',
      `group_by has ${list.length} keys; at most ${LIMITS.groupKeysMax} are possible. Leave some out.`,
      {
        limit: LIMITS.groupKeysMax,
        asked: list.length,
      },
    );
  }
  return { keys: list.map((key, i) => parseKey(key, isList ? `group_by[${i}]` : 'group_by')), isList };
}

function parseKey(input: unknown, at: string): KeyTree {
  const object = membersOf(
    input,
    at,
    `a key is {"column": 3}, with ${listed(SUBJECTS)}, and with bins or every where they are wanted, or {"rows": 1000}`,
  );
  const { bins, every, rows, ...rest } = object;
  if (rows !== undefined) return parseRows(object, at);
  const subject = parseSubject(rest, at);
  const isMember = (name: string): boolean =>
    name === subject.kind ||
    (name === 'field' && subject.kind === 'dataset') ||
    (name === 'column' && subject.kind === 'field');
  const unknown = Object.keys(rest).find(name => !isMember(name));
  if (unknown !== undefined) {
    const near = didYouMean(unknown.slice(0, 60), [...SUBJECTS, 'bins', 'every', 'rows']);
    const isSubject = (SUBJECTS as readonly string[]).includes(unknown);
    const why = `${shown(unknown)} is no member of a key; a key has one of ${listed(SUBJECTS)}, and perhaps bins or every.`;
    refuse(at, isSubject ? why : `${why}${near}`);
  }
  if (every !== undefined) {
    if (bins !== undefined) refuse(at, 'bins and every stand there together, and a key has one of them');
    return { at, subject, every: parseEvery(every, `${at}.every`) };
  }
  if (bins === undefined) return { at, subject };
  const edges = listOf(bins, `${at}.bins`, 'a list of edges such as [0, 1, 10]');
  if (edges.length < 2) refuse(`${at}.bins`, `at least two edges should stand there, not ${shown(bins)}`);
  if (edges.length > LIMITS.binEdgesMax) {
    fail(
      'too_large',
      `${at}.bins has ${edges.length} edges; at most ${LIMITS.binEdgesMax} are possible. Take wider bins.`,
      {
        at,
        limit: LIMITS.binEdgesMax,
        asked: edges.length,
      },
    );
  }
  return { at, subject, bins: edges.map(named) };
}

function parseRows({ rows, ...others }: Record<string, unknown>, at: string): KeyTree {
  const [other] = Object.keys(others);
  if (other !== undefined) refuse(at, `rows stands alone, without ${shown(other)}`);
  if (!Number.isSafeInteger(rows) || (rows as number) < 1)
    refuse(`${at}.rows`, `a number of rows, at least 1, should stand there, not ${shown(rows)}`);
  return { at, rows: rows as number };
}

/**
 * Keys of rows of a dataset, and what keeps the rows that lie in a bin of each. Those that are texts are read first.
 * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, unknown_field, unsupported_dtype, too_large
 */
export function* resolveGrouping(
  tree: GroupingTree,
  sources: SourceList,
  rows: Rows,
): Generator<void, { grouping: Grouping; within: Filter }> {
  const keys: GroupKey[] = [];
  const forms: KeyForm[] = [];
  let within: Filter = KEEPS_ALL;
  for (const asked of tree.keys) {
    const resolved = yield* resolveKey(asked, sources, rows);
    keys.push(resolved.key);
    forms.push(resolved.form);
    if (resolved.within) within = both(within, resolved.within);
  }
  return { grouping: { keys, forms, isList: tree.isList }, within };
}

interface ResolvedKey {
  readonly key: GroupKey;
  readonly form: KeyForm;
  readonly within?: Filter;
}

function* resolveKey(asked: KeyTree, sources: SourceList, rows: Rows): Generator<void, ResolvedKey> {
  if ('rows' in asked) return rowsKey(asked.rows, sources.list[rows.number]!.shape[0] ?? 1);
  const { at, subject, bins, every } = asked;
  const column = resolveColumn(subject, sources, rows, at);
  const { dtype } = column;
  if (every) return blocksKey(column, every, `${at}.every`);
  if (bins) {
    if (dtype.kind === 'b')
      fail('bad_operation', `${at}.bins: bool has no bins. Leave them out, to group by its values.`, {
        at: `${at}.bins`,
      });
    if (isText(dtype)) return yield* textBins({ ...column, dtype }, bins, `${at}.bins`);
    return yield* binnedKey({ ...column, dtype }, bins, `${at}.bins`);
  }
  const key = { column, bits: codeBitsOf(valueTypeOf(column)) };
  return { key, form: isText(dtype) ? { kind: 'texts', texts: undefined } : { kind: 'values' } };
}

function rowsKey(length: number, total: number): ResolvedKey {
  return { key: { rows: length, bits: bitsFor(Math.ceil(total / length)) }, form: { kind: 'rows', length } };
}

/** Of so many codes. */
function bitsFor(codes: number): number {
  return Math.max(1, Math.ceil(Math.log2(codes)));
}

function blocksKey(column: RowColumn, every: Every, at: string): ResolvedKey {
  if (!isTime(column.dtype)) {
    return fail(
      'bad_operation',
      `${at}: elements of ${column.dtype.name} are no dates. Name a field of datetime64, or group by bins.`,
      { at, dtype: column.dtype.typestr },
    );
  }
  const { blocks, textOf } = planEvery(every, column.dtype, at);
  return { key: { column, bits: codeBitsOf('time'), blocks }, form: { kind: 'blocks', textOf } };
}

/** A key that is a text, of those that its column has, ascending. */
export function* textKey(
  column: RowColumn & { readonly dtype: TextDType },
  keys: readonly TextKey[],
): Generator<void, ColumnKey> {
  const { texts } = yield* sealTexts(column.dtype, keys);
  return { column: { ...column, texts }, bits: bitsFor(2 * keys.length + 1) };
}

type Number = NumberDType | TimeDType;

/** Bin i is of the values from its lower end on; edges are compared exactly, as numpy.histogram does. */
function* binnedKey(
  column: RowColumn & { readonly dtype: Number },
  bins: readonly unknown[],
  at: string,
): Generator<void, ResolvedKey> {
  const { dtype } = column;
  const edges: Edge[] = [];
  const places: (Place | undefined)[] = yield* mapTurns(bins, (edge, i) => {
    const under = `${at}[${i}]`;
    edges.push(isTime(dtype) ? timeEdge(dtype, edge) : numberOf(dtype, edge, under));
    return isTime(dtype) ? placeOf(dtype, edge, under) : placeExact(dtype, edges[i] as ExactNumber);
  });
  for (let i = 0; i < places.length; i++) {
    const isAbove = isTime(dtype) ? isBelow(places[i - 1], places[i]) : edges[i - 1]! < edges[i]!;
    if (i > 0 ? !isAbove : places[i] === undefined) failOrder(edges, Math.max(1, i), at);
  }
  return yield* keyOfBins(column, places as Place[], edges);
}

/** Between two counts the same place may be that of several moments, which no element tells apart. */
function isBelow(low: Place | undefined, high: Place | undefined): boolean {
  return low !== undefined && high !== undefined && (low.floor < high.floor || low.ceil < high.ceil);
}

/** Text as it was given; counts of dates as the text that they stand for. */
function timeEdge({ kind, unit }: TimeDType, edge: unknown): Edge {
  if (kind === 'M' && unit && (typeof edge === 'number' || typeof edge === 'bigint') && Number.isInteger(Number(edge)))
    return dateText(BigInt(edge), unit);
  return edge as Edge;
}

function failOrder(edges: readonly Edge[], i: number, at: string): never {
  return fail(
    'bad_operation',
    `${at} has to ascend: ${edges[i - 1]} is not below ${edges[i]}. Sort the edges, and give each once.`,
    { at: `${at}[${i}]` },
  );
}

/** Bins of texts: those between two of them. */
function* textBins(
  column: RowColumn & { readonly dtype: TextDType },
  bins: readonly unknown[],
  at: string,
): Generator<void, ResolvedKey> {
  const edges = yield* mapTurns(bins, (edge, i) =>
    typeof edge === 'string' ? edge : refuseValue(column.dtype, edge, `${at}[${i}]`, 'text'),
  );
  const keys = yield* mapTurns(edges, keyOfText);
  for (let i = 1; i < keys.length; i++) if (!(keys[i - 1]! < keys[i]!)) failOrder(edges, i, at);
  const { texts, placeOf: placeAt } = yield* sealTexts(column.dtype, keys);
  const places = yield* mapTurns(keys, (_, i) => placeAt(i));
  return yield* keyOfBins({ ...column, texts }, places, edges);
}

function* keyOfBins(column: RowColumn, places: readonly Place[], edges: readonly Edge[]): Generator<void, ResolvedKey> {
  const type = valueTypeOf(column);
  const { min, max } = ranksOf(type);
  // Bins that begin beyond all values are never met.
  const met = places.slice(0, -1).filter(({ ceil }) => ceil <= max);
  const codes = yield* mapTurns(met, ({ ceil }) => codeOfRank(type, ceil < min ? min : ceil));
  const bins = new BigUint64Array(new SharedArrayBuffer(8 * Math.max(1, codes.length)));
  bins.set(codes);
  const within = yield* testOf(column, setOf(type, [[places[0]!.ceil, places.at(-1)!.floor]]));
  return { key: { column, bits: bitsFor(places.length - 1), bins }, form: { kind: 'bins', edges }, within };
}

/** The keys of `group_by`: JSON → columns and bins, and back from codes to what an answer shows. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { didYouMean } from '../../near.js';
import { listed, shown } from '../../shown.js';
import { mapTurns } from '../../turns.js';
import { codeBitsOf, codeOfRank, ranksOf, type ExactNumber } from '../../kernels/sort-keys.js';
import { both, KEEPS_ALL, type Filter, type RowColumn } from '../../filter/filter.js';
import { listOf, named, membersOf, parseSubject, refuse, SUBJECTS, type Subject } from '../../filter/parse.js';
import { numberOf, placeExact } from '../../filter/places.js';
import { resolveColumn, testOf, type SourceList } from '../../filter/resolve.js';
import { setOf } from '../../filter/value-set.js';
import { nativeTypeOf } from '../../kernels/native-types.js';
import type { GroupKey } from '../specs.js';

/** Keys as they were asked for. */
export interface GroupingTree {
  readonly keys: readonly { readonly at: string; readonly subject: Subject; readonly bins?: readonly unknown[] }[];
  /** They came as a list, and are answered as lists. */
  readonly isList: boolean;
}

export interface Grouping {
  readonly keys: readonly GroupKey[];
  /** Per key, the edges of its bins as they were given. */
  readonly edges: readonly (readonly ExactNumber[] | undefined)[];
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

function parseKey(input: unknown, at: string): GroupingTree['keys'][number] {
  const object = membersOf(
    input,
    at,
    `a key is {"column": 3}, with ${listed(SUBJECTS)}, and with bins where they are wanted`,
  );
  const { bins, ...rest } = object;
  const subject = parseSubject(rest, at);
  const unknown = Object.keys(rest).find(name => name !== subject.kind);
  if (unknown !== undefined) {
    const near = didYouMean(unknown.slice(0, 60), [...SUBJECTS, 'bins']);
    const isSubject = (SUBJECTS as readonly string[]).includes(unknown);
    const why = `${shown(unknown)} is no member of a key; a key has one of ${listed(SUBJECTS)}, and perhaps bins.`;
    refuse(at, isSubject ? why : `${why}${near}`);
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

/**
 * Keys of the rows of dataset `number`, and what keeps the rows that lie in a bin of each.
 * @throws bad_operation, index_out_of_bounds, not_aligned, unknown_dataset, too_large
 */
export function* resolveGrouping(
  tree: GroupingTree,
  sources: SourceList,
  number: number,
): Generator<void, { grouping: Grouping; within: Filter }> {
  const keys: GroupKey[] = [];
  const edges: (readonly ExactNumber[] | undefined)[] = [];
  let within: Filter = KEEPS_ALL;
  for (const { at, subject, bins } of tree.keys) {
    const column = resolveColumn(subject, sources, number, at);
    const own = bins && (yield* edgesOf(column, bins, `${at}.bins`));
    edges.push(own);
    if (own) {
      keys.push(yield* binnedKey(column, own));
      within = both(within, yield* inBins(column, own));
    } else keys.push({ column, bits: codeBitsOf(nativeTypeOf(column.dtype)), bins: undefined });
  }
  return { grouping: { keys, edges, isList: tree.isList }, within };
}

function* edgesOf({ dtype }: RowColumn, bins: readonly unknown[], at: string): Generator<void, readonly ExactNumber[]> {
  if (dtype.kind === 'b')
    fail('bad_operation', `${at}: bool has no bins. Leave them out, to group by its values.`, { at });
  const edges = yield* mapTurns(bins, (edge, i) => numberOf(dtype, edge, `${at}[${i}]`));
  for (let i = 1; i < edges.length; i++) {
    // False for NaN as well.
    if (!(edges[i - 1]! < edges[i]!)) {
      fail(
        'bad_operation',
        `${at} has to ascend: ${edges[i - 1]} is not below ${edges[i]}. Sort the edges, and give each once.`,
        { at: `${at}[${i}]` },
      );
    }
  }
  return edges;
}

/** Bin i is of the values from its lower end on; edges are compared exactly, as numpy.histogram does. */
function* binnedKey(column: RowColumn, edges: readonly ExactNumber[]): Generator<void, GroupKey> {
  const type = nativeTypeOf(column.dtype);
  const { min, max } = ranksOf(type);
  const lows = yield* mapTurns(edges.slice(0, -1), edge => placeExact(column.dtype, edge)!.ceil);
  // Bins that begin beyond all values are never met.
  const met = lows.filter(low => low <= max);
  const codes = yield* mapTurns(met, low => codeOfRank(type, low < min ? min : low));
  const bins = new BigUint64Array(new SharedArrayBuffer(8 * Math.max(1, codes.length)));
  bins.set(codes);
  return { column, bits: Math.max(1, Math.ceil(Math.log2(lows.length))), bins };
}

function inBins(column: RowColumn, edges: readonly ExactNumber[]): Generator<void, Filter> {
  const type = nativeTypeOf(column.dtype);
  const [first, last] = [placeExact(column.dtype, edges[0]!)!, placeExact(column.dtype, edges.at(-1)!)!];
  return testOf(column, setOf(type, [[first.ceil, last.floor]]));
}

/**
 * Exact elements by rank for many cells, in bounded memory: each wanted rank has a range of sort keys that it lies in. Ranges
 * are narrowed by counting how their elements spread over buckets, until the elements that are left fit into memory; those
 * are collected and sorted. For example the median of 1,001 float32 is the key of rank 500: counted by their 16 high bits,
 * 480 keys lie before those that begin with 0xbf80, of which there are 70; these are counted by their low bits, of which the
 * 21st is the answer. Cells are taken in batches of bounded size. Nothing here knows whether a cell is one of axes or of
 * groups.
 */
import { fail } from '../../errors.js';
import { lowerBound } from '../../lower-bound.js';
import { elementOf, type ExactNumber } from '../../kernels/sort-keys.js';
import { NATIVE_BYTES, type NativeType } from '../../kernels/native-types.js';
import { isTurnOver } from '../../turns.js';
import type { Scan } from '../../scan/scan.js';
import { bitsOf, PlacedRanges, wholeRange, within, type KeyRange } from './key-ranges.js';
import type { KeyRanges, KnownGroups, PartialOf, SinkPartial } from '../specs.js';
import { turnOf, type Pass } from '../pass.js';

/** Bounds that tests lower. */
export interface SearchBounds {
  /** Ranges, and wanted ranks, of a batch of cells: a worker holds 36 bytes for each. */
  readonly rangesMax: number;
  /** Counters of a pass: each worker holds as many, and so does each partial on its way. */
  readonly countersMax: number;
  /** Keys that are collected in one pass, and of one range, which is sorted at once. */
  readonly collectedMax: number;
  readonly sortedMax: number;
  /** Elements of groups from which on a sample is taken. */
  readonly sampledMin: number;
}

export const SEARCH_BOUNDS: SearchBounds = {
  rangesMax: 256 * 1024,
  countersMax: 1024 * 1024,
  collectedMax: 2 * 1024 * 1024,
  sortedMax: 64 * 1024,
  sampledMin: 1024 * 1024,
};

/** A cell with its wanted ranks, ascending, and the range of each. */
export interface Search {
  readonly cell: number;
  /** Elements of the cell that are numbers, and whether there are others. */
  readonly count: number;
  readonly hasNan: boolean;
  readonly ranks: readonly number[];
  readonly ranges: KeyRange[];
  /** Keys of the elements, as they are found. */
  readonly found: (bigint | undefined)[];
}

/** The elements that a search has found, by their rank. */
export function elementsOf(type: NativeType, { ranks, found }: Search): (rank: number) => ExactNumber {
  return rank => elementOf(type, found[lowerBound(ranks.length, i => ranks[i]! >= rank)]!);
}

/** Ranges that are narrowed between two turns of the event loop: each takes some ten microseconds while code is cold. */
const RANGES_PER_TURN = 256;
/** What takes as long as one range: ranges or ranks that are looked at, counters, keys that are sorted. */
const LOOKS_PER_RANGE = 16;
const COUNTERS_PER_RANGE = 1024;
const KEYS_PER_RANGE = 64;
/** Counters that are added, or keys that are placed, in one turn. */
const ITEMS_PER_TURN = 32 * 1024;
/** Bits of keys that a pass finds at most. */
export const BITS_MAX = 16;
/** Ranges that a pass of counting ends are collected where they have no more elements, which are soon sorted. */
const SOON_SORTED = 4096;

/** A turn of the event loop where it is due, after what takes as long as so many ranges. */
type Turns = (ranges: number) => Generator<Pass, void, void>;

export function turnsOf(scan: Scan): Turns {
  let done = 0;
  return function* (ranges) {
    done += ranges;
    if (done < RANGES_PER_TURN) return;
    done = 0;
    yield turnOf(scan);
  };
}

/** What a search looks through. */
export interface Searched {
  /** Of the elements. */
  readonly type: NativeType;
  readonly scan: Scan;
  readonly groups: KnownGroups | undefined;
  readonly bounds: SearchBounds;
  readonly turns: Turns;
  /** Says who takes the partials of the next pass. */
  readonly taken: (take: (partial: SinkPartial) => Generator<void, void> | void) => void;
}

/** A search that begins with one range for all ranks. */
export function searchOf(
  cell: number,
  count: number,
  ranks: readonly number[],
  range: KeyRange,
  hasNan = false,
): Search {
  return { cell, count, hasNan, ranks, ranges: ranks.map(() => range), found: ranks.map(() => undefined) };
}

/**
 * Finds all wanted elements of cells, in the order of their numbers, and hands each cell over when it is done. Where a cell
 * has nothing to look for there is undefined in its place.
 */
export function* searchCells(
  cells: Iterable<Search | undefined>,
  searched: Searched,
  done: (search: Search) => void,
): Generator<Pass, void, void> {
  let batch: Search[] = [];
  let ranks = 0;
  for (const search of cells) {
    const own = search?.ranks.length ?? 0;
    if (search) batch.push(search);
    ranks += own;
    yield* searched.turns(1 + own / LOOKS_PER_RANGE);
    if (ranks < searched.bounds.rangesMax) continue;
    yield* searchBatch(batch, searched, done);
    batch = [];
    ranks = 0;
  }
  yield* searchBatch(batch, searched, done);
}

function* searchBatch(
  searches: readonly Search[],
  searched: Searched,
  done: (search: Search) => void,
): Generator<Pass, void, void> {
  const { type, turns } = searched;
  const { collectedMax, sortedMax, countersMax } = searched.bounds;
  for (;;) {
    const open = yield* openRanges(searches, turns);
    if (open.length === 0) break;
    const placing = new PlacedRanges(type, open[0]!.search.cell, open.at(-1)!.search.cell, open.length);
    let [total, largest, spanBits] = [0, 0, 1];
    for (const { search, range } of open) {
      placing.put(search.cell, range);
      total += range.count;
      largest = Math.max(largest, range.count);
      spanBits = Math.max(spanBits, bitsOf(range));
      yield* turns(1);
    }
    const where = placing.end();
    const bits = Math.max(1, Math.min(BITS_MAX, spanBits, Math.floor(Math.log2(countersMax / open.length))));
    const few = spanBits <= bits ? Math.min(SOON_SORTED, sortedMax) : sortedMax;
    if (total <= collectedMax && largest <= few) yield* collect(open, where, searched);
    else yield* narrow(open, where, bits, searched);
  }
  for (const search of searches) {
    done(search);
    yield* turns(1 + search.ranks.length / 2);
  }
}

/** A range that is looked into, with the ranks of its cell that lie in it: `[from, to)`. */
interface OpenRange {
  readonly search: Search;
  readonly range: KeyRange;
  readonly from: number;
  readonly to: number;
}

/** Ranges that are left; those of a single key are what is looked for. */
function* openRanges(searches: readonly Search[], turns: Turns): Generator<Pass, OpenRange[], void> {
  const open: OpenRange[] = [];
  for (const search of searches) {
    const { ranges, found } = search;
    for (let from = 0, to = 1; from < ranges.length; from = to, to++) {
      while (to < ranges.length && ranges[to] === ranges[from]) to++;
      const range = ranges[from]!;
      if (found[from] !== undefined) continue;
      if (range.span === 0n) found.fill(range.low, from, to);
      else open.push({ search, range, from, to });
    }
    yield* turns(ranges.length / LOOKS_PER_RANGE);
  }
  return open;
}

function* narrow(
  open: readonly OpenRange[],
  where: KeyRanges,
  bits: number,
  searched: Searched,
): Generator<Pass, void, void> {
  const { type, scan, groups, taken } = searched;
  const counters = countersOf(open.length * 2 ** bits, taken);
  const isWhole = groups === undefined && open.every(({ search, range }) => isAll(type, search, range, bits));
  yield { scan, spec: { kind: 'key-counts', where, bits, isWhole, groups } };
  for (const [number, each] of open.entries()) {
    yield* narrowRanks(searched, each, counters.subarray(number * 2 ** bits, (number + 1) * 2 ** bits));
  }
}

/** True where the range has all elements of its cell, whose buckets can be counted as in a first pass. */
function isAll(type: NativeType, { count, hasNan }: Search, range: KeyRange, bits: number): boolean {
  if (hasNan || range.count !== count) return false;
  if (NATIVE_BYTES[type] > 2) return !type.startsWith('f') || range.low > 0n;
  return range.span === wholeRange(type, 0).span && bits === 8 * NATIVE_BYTES[type];
}

/** Sums of the counters of a pass. */
export function countersOf(length: number, taken: Searched['taken']): Float64Array {
  const counters = new Float64Array(length);
  taken(partial => addCounts(counters, partial as PartialOf<'key-counts'>));
  return counters;
}

/** Adds what one worker counted, in turns. */
export function* addCounts(
  counters: Float64Array,
  { counts, isPacked }: PartialOf<'key-counts'>,
): Generator<void, void> {
  const length = isPacked ? counts.length : counters.length;
  for (let from = 0; from < length; from += ITEMS_PER_TURN) {
    if (from > 0) yield;
    const to = Math.min(length, from + ITEMS_PER_TURN);
    if (isPacked) for (let i = from; i < to; i += 2) counters[counts[i]!]! += counts[i + 1]!;
    else for (let i = from; i < to; i++) counters[i]! += counts[i]!;
  }
}

/**
 * Gives the ranks that lie in a range the bucket of it that they lie in, in turns.
 * @throws file_changed
 */
export function* narrowRanks(
  { type, turns }: Searched,
  { search, range, from, to }: OpenRange,
  counts: Float64Array,
): Generator<Pass, void, void> {
  const shift = BigInt(Math.max(0, bitsOf(range) - Math.log2(counts.length)));
  let { below } = range;
  let bucket = 0;
  let last: KeyRange | undefined;
  for (let i = from; i < to; i++) {
    const rank = search.ranks[i]!;
    const first = bucket;
    for (; bucket < counts.length && below + counts[bucket]! <= rank; bucket++) {
      below += counts[bucket]!;
      last = undefined;
    }
    // Only data that changed between two passes has fewer elements than before.
    if (bucket === counts.length) failChanged();
    last ??= within(type, range, BigInt(bucket) << shift, (1n << shift) - 1n, below, counts[bucket]!);
    search.ranges[i] = last;
    yield* turns(1 + (bucket - first) / COUNTERS_PER_RANGE);
  }
}

function* collect(
  open: readonly OpenRange[],
  where: KeyRanges,
  { type, scan, groups, turns, taken }: Searched,
): Generator<Pass, void, void> {
  const ends = new Uint32Array(open.length);
  const left = new Uint32Array(open.length);
  let total = 0;
  for (const [number, { range }] of open.entries()) {
    ends[number] = total;
    left[number] = range.count;
    total += range.count;
    yield* turns(1 / LOOKS_PER_RANGE);
  }
  const keys = NATIVE_BYTES[type] === 8 ? new BigUint64Array(total) : new Uint32Array(total);
  const wordsPerKey = keys.BYTES_PER_ELEMENT / 4;
  const into = new Uint32Array(keys.buffer);
  taken(function* (partial) {
    const { keys: own, ranges } = partial as PartialOf<'keys'>;
    const words = new Uint32Array(own.buffer);
    for (let i = 0; i < ranges.length; i++) {
      if (left[ranges[i]!]!-- === 0) failChanged();
      const to = wordsPerKey * ends[ranges[i]!]!++;
      for (let word = 0; word < wordsPerKey; word++) into[to + word] = words[wordsPerKey * i + word]!;
      if (isTurnOver(i, ITEMS_PER_TURN)) yield;
    }
  });
  yield { scan, spec: { kind: 'keys', where, groups } };
  if (left.some(count => count > 0)) failChanged();
  for (const [number, { search, range, from, to }] of open.entries()) {
    const end = ends[number]!;
    const own = keys.subarray(end - range.count, end).sort();
    for (let i = from; i < to; i++) search.found[i] = BigInt(own[search.ranks[i]! - range.below]!);
    yield* turns(1 + (to - from) / LOOKS_PER_RANGE + range.count / KEYS_PER_RANGE);
  }
}

function failChanged(): never {
  return fail('file_changed', 'The file was changed while it was read. Repeat the request to read what it holds now.', {
    reason: 'changed',
  });
}

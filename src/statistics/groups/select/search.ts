/**
 * Exact elements by rank for many cells, in bounded memory: each wanted rank has a range of codes that it lies in. Ranges
 * are narrowed by counting how their elements spread over buckets, until the elements that are left fit into memory; those
 * are collected and sorted. Cells are taken in batches of bounded size; a pass is a pass over the data.
 */
import { invariant } from '../../../errors.js';
import { ranksOf, valueOfCode, valueOfRank } from '../../codes.js';
import { NATIVE_BYTES, NATIVE_WRITERS, type NativeType } from '../../../kernels/native-types.js';
import type { CodesPartial, GroupDigitsPartial, SinkSpec, Ranges, SinkPartial } from '../../specs.js';
import type { Pass } from '../../pass.js';

/** Bounds that tests lower. */
export interface GroupSearchBounds {
  /** Ranges, and wanted ranks, of a batch of cells: a worker holds 36 bytes for each. */
  readonly rangesMax: number;
  /** Counters of a pass: each worker holds as many, and so does each partial on its way. */
  readonly countersMax: number;
  /** Elements that are collected in one pass, and of one range, which is sorted at once. */
  readonly collectedMax: number;
  readonly sortedMax: number;
  /** Elements from which on a sample is taken. */
  readonly sampledMin: number;
}

export const GROUP_SEARCH_BOUNDS: GroupSearchBounds = {
  rangesMax: 256 * 1024,
  countersMax: 1024 * 1024,
  collectedMax: 2 * 1024 * 1024,
  sortedMax: 128 * 1024,
  sampledMin: 1024 * 1024,
};

/** Where an element of a rank may be: codes from `low` to `low + span`, `count` elements, `below` of the cell before them. */
export interface CodeRange {
  readonly low: bigint;
  readonly span: bigint;
  readonly below: number;
  readonly count: number;
}

/** A cell with its wanted ranks, ascending, and the range of each. */
export interface Search {
  readonly cell: number;
  readonly ranks: readonly number[];
  readonly ranges: CodeRange[];
  /** Codes of the elements, as they are found. */
  readonly found: (bigint | undefined)[];
}

/** Cells narrowed between two turns of the event loop. */
const CELLS_PER_TURN = 2048;
const BITS_MAX = 12;

/** What a pass is made of, beside what it looks for. */
export interface SearchPasses {
  /** Of the elements. */
  readonly type: NativeType;
  readonly digits: (where: Ranges, bits: number) => SinkSpec;
  readonly codes: (where: Ranges) => SinkSpec;
  readonly passOf: (spec: SinkSpec) => Pass;
  readonly turn: Pass;
  /** Says who takes the partials of the next pass. */
  readonly taken: (take: (partial: SinkPartial) => void) => void;
}

/** Finds all wanted elements of a batch of cells, in the order of their numbers. */
export function* searchBatch(
  searches: readonly Search[],
  bounds: GroupSearchBounds,
  passes: SearchPasses,
): Generator<Pass, void, void> {
  for (;;) {
    const open = openRanges(searches);
    if (open.length === 0) return;
    const total = open.reduce((sum, { range }) => sum + range.count, 0);
    const largest = open.reduce((most, { range }) => Math.max(most, range.count), 0);
    const where = yield* placeRanges(open, passes);
    yield passes.turn;
    if (total <= bounds.collectedMax && largest <= bounds.sortedMax) yield* collect(open, where, passes);
    else yield* narrow(open, where, bounds, passes);
  }
}

/** A range that is looked into, with the ranks of its cell that lie in it: `[from, to)`. */
interface OpenRange {
  readonly search: Search;
  readonly range: CodeRange;
  readonly from: number;
  readonly to: number;
}

/** Ranges that are left; those of a single code are what is looked for. */
function openRanges(searches: readonly Search[]): OpenRange[] {
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
  }
  return open;
}

function* placeRanges(open: readonly OpenRange[], { type, turn }: SearchPasses): Generator<Pass, Ranges, void> {
  const firstCell = open[0]!.search.cell;
  const cellCount = open.at(-1)!.search.cell - firstCell + 1;
  const starts = new Uint32Array(new SharedArrayBuffer(4 * (cellCount + 1)));
  const hulls = new Hulls(type, cellCount);
  const ranges = new BigUint64Array(new SharedArrayBuffer(16 * open.length));
  for (const [number, { search, range }] of open.entries()) {
    const own = search.cell - firstCell;
    ranges[2 * number] = range.low;
    ranges[2 * number + 1] = range.span;
    if (starts[own + 1] === 0) hulls.putLow(own, range.low);
    hulls.putHigh(own, range.low + range.span);
    starts[own + 1]!++;
    if ((number + 1) % CELLS_PER_TURN === 0) yield turn;
  }
  for (let cell = 0; cell < cellCount; cell++) starts[cell + 1]! += starts[cell]!;
  return { firstCell, cellCount, hulls: hulls.bytes, starts, ranges };
}

/** The lowest and the highest value in the ranges of each cell. No value lies in the hull of a cell that has no range. */
class Hulls {
  readonly bytes: Uint8Array;
  readonly #type: NativeType;
  readonly #view: DataView;

  constructor(type: NativeType, cells: number) {
    const itemBytes = NATIVE_BYTES[type];
    this.#type = type;
    this.bytes = new Uint8Array(new SharedArrayBuffer(2 * itemBytes * cells));
    this.#view = new DataView(this.bytes.buffer);
    const { min, max } = ranksOf(type);
    const none = new Uint8Array(2 * itemBytes);
    const view = new DataView(none.buffer);
    NATIVE_WRITERS[type](view, 0, valueOfRank(type, max));
    NATIVE_WRITERS[type](view, itemBytes, valueOfRank(type, min));
    for (let cell = 0; cell < cells; cell++) this.bytes.set(none, 2 * itemBytes * cell);
  }

  putLow(cell: number, code: bigint): void {
    this.#put(2 * cell, code);
  }

  putHigh(cell: number, code: bigint): void {
    this.#put(2 * cell + 1, code);
  }

  #put(item: number, code: bigint): void {
    NATIVE_WRITERS[this.#type](this.#view, NATIVE_BYTES[this.#type] * item, valueOfCode(this.#type, code));
  }
}

function* narrow(
  open: readonly OpenRange[],
  where: Ranges,
  { countersMax }: GroupSearchBounds,
  passes: SearchPasses,
): Generator<Pass, void, void> {
  const bits = Math.max(1, Math.min(BITS_MAX, Math.floor(Math.log2(countersMax / open.length))));
  const counters = new Float64Array(open.length * 2 ** bits);
  passes.taken(partial => {
    const { counts } = partial as GroupDigitsPartial;
    for (let i = 0; i < counts.length; i++) counters[i]! += counts[i]!;
  });
  yield passes.passOf(passes.digits(where, bits));
  for (const [number, each] of open.entries()) {
    narrowOne(each, counters.subarray(number * 2 ** bits, (number + 1) * 2 ** bits), bits);
    if ((number + 1) % CELLS_PER_TURN === 0) yield passes.turn;
  }
}

function narrowOne({ search, range, from, to }: OpenRange, counts: Float64Array, bits: number): void {
  const shift = BigInt(Math.max(0, range.span.toString(2).length - bits));
  let { below } = range;
  let bucket = 0;
  let last: CodeRange | undefined;
  for (let i = from; i < to; i++) {
    const rank = search.ranks[i]!;
    invariant(rank < range.below + range.count, 'a rank lies in its range');
    for (; below + counts[bucket]! <= rank; bucket++) {
      below += counts[bucket]!;
      last = undefined;
    }
    invariant(bucket < counts.length, 'as many elements are counted as a range has');
    last ??= within(range, BigInt(bucket) << shift, (1n << shift) - 1n, below, counts[bucket]!);
    search.ranges[i] = last;
  }
}

function within({ low, span }: CodeRange, from: bigint, length: bigint, below: number, count: number): CodeRange {
  return { low: low + from, span: from + length > span ? span - from : length, below, count };
}

function* collect(open: readonly OpenRange[], where: Ranges, passes: SearchPasses): Generator<Pass, void, void> {
  const ends = new Uint32Array(open.length);
  let total = 0;
  for (const [number, { range }] of open.entries()) {
    ends[number] = total;
    total += range.count;
  }
  const codes = codesFor(passes.type, total);
  const wordsPerCode = codes.BYTES_PER_ELEMENT / 4;
  const into = new Uint32Array(codes.buffer);
  passes.taken(partial => {
    const { codes: taken, ranges } = partial as CodesPartial;
    const words = new Uint32Array(taken.buffer);
    for (let i = 0; i < ranges.length; i++) {
      const to = wordsPerCode * ends[ranges[i]!]!++;
      for (let word = 0; word < wordsPerCode; word++) into[to + word] = words[wordsPerCode * i + word]!;
    }
  });
  yield passes.passOf(passes.codes(where));
  for (const [number, { search, range, from, to }] of open.entries()) {
    const end = ends[number]!;
    const own = codes.subarray(end - range.count, end).sort();
    for (let i = from; i < to; i++) search.found[i] = BigInt(own[search.ranks[i]! - range.below]!);
    if ((number + 1) % CELLS_PER_TURN === 0 || range.count > CELLS_PER_TURN) yield passes.turn;
  }
  invariant(ends.at(-1) === total, 'as many elements are collected as were counted');
}

function codesFor(type: NativeType, length: number): Uint32Array<ArrayBuffer> | BigUint64Array<ArrayBuffer> {
  return NATIVE_BYTES[type] === 8 ? new BigUint64Array(length) : new Uint32Array(length);
}

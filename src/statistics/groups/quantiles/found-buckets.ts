/** How many values of each cell lie in each bucket of a scale, merged: 4 bytes a bucket, 8 where there are 2 ** 32 values. */
import { lowerBound } from '../../../lower-bound.js';
import type { GroupStore } from '../store.js';
import type { Scale } from './scale.js';
import type { BucketsSegment, Counters, PartialOf } from '../../specs.js';

/** More would not be worth their memory: the groups are more than a sample has told. */
const COUNTERS_MAX = 8 * 1024 * 1024;

type Counts = Uint32Array | Float64Array;

interface Findings {
  /** Elements of all rows. */
  readonly elements: number;
  /** Elements that a row has in each cell of its group. */
  readonly perRow: number;
  /** Groups come from here, or are known before. */
  readonly findsGroups: boolean;
}

export class FoundBuckets {
  readonly scale: Scale;
  readonly #store: GroupStore;
  readonly #findsGroups: boolean;
  readonly #perRow: number;
  readonly #Counts: Uint32ArrayConstructor | Float64ArrayConstructor;
  #counts: Counts;
  #isLost = false;

  constructor(scale: Scale, store: GroupStore, { elements, perRow, findsGroups }: Findings) {
    this.scale = scale;
    this.#Counts = elements < 2 ** 32 ? Uint32Array : Float64Array;
    this.#perRow = perRow;
    this.#store = store;
    this.#findsGroups = findsGroups;
    this.#counts = new this.#Counts(Math.min(COUNTERS_MAX, 256 * store.cells * scale.buckets));
  }

  /** True where there are too many to be kept. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What it holds. */
  get bytes(): number {
    return this.#counts.byteLength;
  }

  /** In turns. @throws too_large */
  *combine({ counted }: PartialOf<'group-buckets'>): Generator<void, void> {
    for (const segment of counted) yield* this.#combineSegment(segment);
  }

  *#combineSegment(segment: BucketsSegment): Generator<void, void> {
    const { groups, keys, counters } = segment;
    const groupIndices = yield* this.#store.groupIndicesOf(keys, groups);
    if (this.#findsGroups) this.#addSizes(groupIndices, segment);
    const width = this.#store.cells * this.scale.buckets;
    if (counters) this.#grow(width);
    else this.#lose();
    if (this.#isLost || !counters) return;
    for (const [i, groupIndex] of groupIndices.entries())
      add(this.#counts, groupIndex * width, counters, i * width, width);
  }

  /** Rows of groups, and elements of cells. */
  #addSizes(groupIndices: Uint32Array, { missing, present }: BucketsSegment): void {
    const own = this.#store.fields.count;
    const { rows, cells } = this.#store;
    for (const [i, groupIndex] of groupIndices.entries()) {
      // Each cell has as many elements of a row as the others.
      rows[groupIndex]! += (missing[i * cells]! + present[i * cells]!) / this.#perRow;
      if (own) for (let cell = 0; cell < cells; cell++) own[groupIndex * cells + cell]! += present[i * cells + cell]!;
    }
  }

  #lose(): void {
    this.#isLost = true;
    this.#counts = new this.#Counts();
  }

  #grow(width: number): void {
    const needed = this.#store.table.size * width;
    if (needed > COUNTERS_MAX) this.#lose();
    if (this.#isLost || needed <= this.#counts.length) return;
    const larger = new this.#Counts(Math.min(COUNTERS_MAX, Math.max(needed, 2 * this.#counts.length)));
    larger.set(this.#counts);
    this.#counts = larger;
  }

  /** The running counts of a cell: how many values lie in buckets up to each, NaN left out. */
  runningOf(cell: number): Float64Array {
    const { buckets } = this.scale;
    const running = new Float64Array(this.#counts.subarray(cell * buckets, (cell + 1) * buckets));
    running[0] = 0;
    for (let bucket = 1; bucket < buckets; bucket++) running[bucket]! += running[bucket - 1]!;
    return running;
  }
}

function add(into: Counts, to: number, from: Counters, start: number, count: number): void {
  for (let i = 0; i < count; i++) into[to + i]! += from[start + i]!;
}

/** The bucket of the value at a rank, from the running counts of a cell. */
export function bucketOfRank(running: Float64Array, rank: number): number {
  return lowerBound(running.length, bucket => running[bucket]! > rank);
}

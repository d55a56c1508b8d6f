/** How many values of each cell lie in each bucket of a scale, merged: 4 bytes a bucket. */
import { lowerBound } from '../../../lower-bound.js';
import type { GroupStore } from '../store.js';
import type { BucketsPartial } from './measures.js';
import type { Scale } from './scale.js';

/** More would not be worth their memory: the groups are more than a sample has told. */
const COUNTERS_MAX = 8 * 1024 * 1024;

export class FoundBuckets {
  readonly scale: Scale;
  readonly #store: GroupStore;
  /** Groups come from here, or are known before. */
  readonly #findsGroups: boolean;
  #counts: Float64Array;
  #isLost = false;

  constructor(scale: Scale, store: GroupStore, findsGroups: boolean) {
    this.scale = scale;
    this.#store = store;
    this.#findsGroups = findsGroups;
    this.#counts = new Float64Array(Math.min(COUNTERS_MAX, 256 * store.cells * scale.buckets));
  }

  /** True where there are too many to be kept. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** What it holds. */
  get bytes(): number {
    return this.#counts.byteLength;
  }

  /** @throws too_large */
  merge({ groups, keys, rows, counts }: BucketsPartial): void {
    const ordinals = this.#findsGroups
      ? this.#store.mergeGroups(keys, rows, groups)
      : this.#store.ordinalsOf(keys, groups);
    const width = this.#store.cells * this.scale.buckets;
    if (this.#findsGroups) this.#countPresent(ordinals, counts);
    this.#grow(width);
    if (this.#isLost) return;
    for (const [i, ordinal] of ordinals.entries()) {
      for (let from = i * width, to = ordinal * width; from < (i + 1) * width; from++, to++) {
        this.#counts[to]! += counts[from]!;
      }
    }
  }

  #countPresent(ordinals: Uint32Array, counts: Uint32Array): void {
    const present = this.#store.optional('present');
    if (!present) return;
    const { buckets } = this.scale;
    const { cells } = this.#store;
    for (const [i, ordinal] of ordinals.entries()) {
      for (let cell = 0; cell < cells; cell++) {
        const from = (i * cells + cell) * buckets;
        let sum = 0;
        for (let bucket = 1; bucket < buckets; bucket++) sum += counts[from + bucket]!;
        present[ordinal * cells + cell]! += sum;
      }
    }
  }

  #grow(width: number): void {
    const needed = this.#store.table.size * width;
    if (needed > COUNTERS_MAX) {
      this.#isLost = true;
      this.#counts = new Float64Array();
    }
    if (this.#isLost || needed <= this.#counts.length) return;
    const larger = new Float64Array(Math.min(COUNTERS_MAX, Math.max(needed, 2 * this.#counts.length)));
    larger.set(this.#counts);
    this.#counts = larger;
  }

  /** The running counts of a cell: how many values lie in buckets up to each, NaN left out. */
  runningOf(cell: number): Float64Array {
    const { buckets } = this.scale;
    const running = this.#counts.slice(cell * buckets, (cell + 1) * buckets);
    running[0] = 0;
    for (let bucket = 1; bucket < buckets; bucket++) running[bucket]! += running[bucket - 1]!;
    return running;
  }
}

/** The bucket of the value at a rank, from the running counts of a cell. */
export function bucketOfRank(running: Float64Array, rank: number): number {
  return lowerBound(running.length, bucket => running[bucket]! > rank);
}

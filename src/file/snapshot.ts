/**
 * A reader's claim on the state of a file at one moment: what it still needs, and what writers saved of it since.
 * For every byte that is needed: either it is saved here, or nobody has written it since the snapshot was opened.
 */
import type { Patch } from '../descriptor.js';
import { HyperslabError } from '../errors.js';
import type { Extent } from '../layout/runs.js';
import { lowerBound } from '../lower-bound.js';

/** Memory of pre-images: counted from when it is made until no snapshot holds a part of it. */
export class Block {
  readonly bytes: Uint8Array;
  readonly #count: (bytes: number) => void;
  #holders = 0;

  constructor(length: number, count: (bytes: number) => void) {
    this.bytes = new Uint8Array(new SharedArrayBuffer(length));
    this.#count = count;
    count(length);
    this.hold();
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders === 0) this.#count(-this.bytes.byteLength);
  }
}

interface Saved extends Extent {
  readonly block: Block;
  /** Position in the file of the block's first byte. */
  readonly blockStart: number;
  /** What `saves` was with it. */
  readonly number: number;
}

export class Snapshot {
  /** Which file's bytes: another may stand under the same name by now. */
  readonly identity: { readonly dev: bigint; readonly ino: bigint };
  readonly #onEnd: () => void;
  readonly #onCut = new Set<() => void>();
  /** Ascending, not overlapping. */
  #saved: Saved[] = [];
  #need: Extent;
  #isCut = false;
  /**
   * Grows, in shared memory, with what is saved, and at the end: who reads the file in another thread, and finds it
   * unchanged afterwards, has read no byte that was written since.
   */
  readonly saves = new Int32Array(new SharedArrayBuffer(4));

  constructor(identity: Snapshot['identity'], need: Extent, onEnd: () => void) {
    this.identity = identity;
    this.#need = need;
    this.#onEnd = onEnd;
  }

  get need(): Extent {
    return this.#need;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get savedCount(): number {
    return this.#saved.length;
  }

  /** What to throw at whoever goes on reading after `cut`. */
  static cutError(): HyperslabError {
    return new HyperslabError(
      'busy_writing',
      'More was written while the answer was being sent than is kept for slow readers. Repeat the request.',
    );
  }

  /** Calls back when the snapshot is given up, at once if it already is. Returns how to take that back. */
  onCut(callback: () => void): () => void {
    if (this.#isCut) callback();
    else this.#onCut.add(callback);
    return () => this.#onCut.delete(callback);
  }

  /** Says that only bytes inside `extent`, which must lie inside what was needed before, are needed from now on. */
  shrink(extent: Extent): void {
    this.#need = extent;
    const isNeeded = ({ start, end }: Extent): boolean => start < extent.end && end > extent.start;
    if (this.#saved.every(isNeeded)) return;
    const before = this.#saved;
    this.#saved = before.filter(isNeeded);
    for (const saved of before) if (!isNeeded(saved)) saved.block.release();
  }

  /** The parts of `runs` (ascending, not overlapping) that are needed and not saved yet. */
  missing(runs: readonly Extent[]): Extent[] {
    const found: Extent[] = [];
    for (const run of runs) {
      let start = Math.max(run.start, this.#need.start);
      const end = Math.min(run.end, this.#need.end);
      for (let i = this.#firstEndingAfter(start); start < end; i++) {
        const saved = this.#saved[i];
        const gapEnd = Math.min(end, saved?.start ?? end);
        if (start < gapEnd) found.push({ start, end: gapEnd });
        start = saved?.end ?? end;
      }
    }
    return found;
  }

  /** Takes from a block, whose bytes stood at `blockStart`, what is missing here. */
  save(block: Block, blockStart: number): void {
    const number = Atomics.add(this.saves, 0, 1) + 1;
    for (const extent of this.missing([{ start: blockStart, end: blockStart + block.bytes.byteLength }])) {
      block.hold();
      this.#saved.splice(this.#firstEndingAfter(extent.start), 0, { ...extent, block, blockStart, number });
    }
  }

  /** What was saved of `[start, end)`. */
  patches({ start, end }: Extent): Patch[] {
    const patches: Patch[] = [];
    for (let i = this.#firstEndingAfter(start); i < this.#saved.length && this.#saved[i]!.start < end; i++) {
      const saved = this.#saved[i]!;
      const bytes = saved.block.bytes.subarray(saved.start - saved.blockStart, saved.end - saved.blockStart);
      patches.push({ start: saved.start, bytes });
    }
    return patches;
  }

  /** How many ranges were saved of `[start, end)`. */
  patchCount({ start, end }: Extent): number {
    const first = this.#firstEndingAfter(start);
    return Math.max(0, lowerBound(this.#saved.length, i => this.#saved[i]!.start >= end) - first);
  }

  /** Whether anything of `[start, end)` was saved since `saves` was a number. */
  isSavedSince({ start, end }: Extent, number: number): boolean {
    for (let i = this.#firstEndingAfter(start); i < this.#saved.length && this.#saved[i]!.start < end; i++) {
      if (this.#saved[i]!.number > number) return true;
    }
    return false;
  }

  /** Gives the snapshot up: the reader ends its answer visibly. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    Atomics.add(this.saves, 0, 1);
    this.close();
    for (const callback of this.#onCut) callback();
    this.#onCut.clear();
  }

  /** Nothing is needed any more. */
  close(): void {
    this.shrink({ start: 0, end: 0 });
    this.#onEnd();
  }

  /** Index of the first saved range that ends behind a position. */
  #firstEndingAfter(position: number): number {
    return lowerBound(this.#saved.length, i => this.#saved[i]!.end > position);
  }
}

/**
 * The different items among many, such as texts, and how often each of them is there, in the kernels' memory. Bounded: where
 * the table is full, what was found is set aside, so that an item may come up twice.
 */
import type { Engine } from './engine.js';

const ITEMS_BYTES_MAX = 4 * 1024 * 1024;
const ITEMS_MAX = 64 * 1024;

/** Packed items, and how often each of them was there; in several parts. */
export interface CountedItems {
  readonly items: readonly Uint8Array<ArrayBuffer>[];
  readonly counts: readonly Uint32Array<ArrayBuffer>[];
}

export class DistinctItems {
  readonly #engine: Engine;
  readonly #itemsize: number;
  readonly #knownMax: number;
  readonly #bits: number;
  readonly #slots: number;
  readonly #entries: number;
  readonly #counts: number;
  readonly #state: number;
  readonly #items: Uint8Array<ArrayBuffer>[] = [];
  readonly #itemCounts: Uint32Array<ArrayBuffer>[] = [];

  constructor(engine: Engine, itemsize: number) {
    const { scratch } = engine;
    this.#engine = engine;
    this.#itemsize = itemsize;
    this.#knownMax = Math.max(1, Math.min(ITEMS_MAX, Math.floor(ITEMS_BYTES_MAX / itemsize)));
    this.#bits = Math.ceil(Math.log2(2 * this.#knownMax));
    this.#slots = scratch.alloc(4 * 2 ** this.#bits);
    this.#entries = scratch.alloc(this.#knownMax * itemsize);
    this.#counts = scratch.alloc(4 * this.#knownMax);
    this.#state = scratch.alloc(4);
    this.#clear();
  }

  /** `count` items, `stride` bytes apart; `picked` is where the numbers of those that are meant stand, or 0 for all. */
  add(from: number, stride: number, picked: number, count: number): void {
    const { kernels } = this.#engine;
    for (let done = 0; done < count;) {
      done += kernels.distinctItems(
        picked === 0 ? from + done * stride : from,
        stride,
        picked === 0 ? 0 : picked + 4 * done,
        count - done,
        this.#itemsize,
        this.#slots,
        this.#bits,
        this.#entries,
        this.#counts,
        this.#knownMax,
        this.#state,
      );
      if (done < count) this.#setAside();
    }
  }

  /** All that was found, in memory of its own. */
  take(): CountedItems {
    this.#setAside();
    return { items: this.#items, counts: this.#itemCounts };
  }

  #setAside(): void {
    const { scratch } = this.#engine;
    const known = scratch.u32(this.#state, 1)[0]!;
    if (known > 0) {
      this.#items.push(scratch.u8(this.#entries, known * this.#itemsize).slice());
      this.#itemCounts.push(scratch.u32(this.#counts, known).slice());
    }
    this.#clear();
  }

  #clear(): void {
    const { scratch } = this.#engine;
    scratch.u32(this.#state, 1)[0] = 0;
    scratch.u8(this.#slots, 4 * 2 ** this.#bits).fill(0);
  }
}

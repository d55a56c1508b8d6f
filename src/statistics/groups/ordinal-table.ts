/** Codes → ordinals in the order of their first appearance, in the kernels' memory. */
import type { Engine } from '../engine.js';

/** 2 ** bits slots at first: 8 KiB, which stay in the first-level cache. */
const FIRST_BITS = 11;

export class OrdinalTable {
  readonly #engine: Engine;
  readonly #knownMax: number;
  readonly #bitsMax: number;
  readonly #slots: number;
  readonly #state: number;
  /** Address of the codes, by ordinal. */
  readonly entries: number;
  #bits: number;

  /** Takes scratch memory for `knownMax` codes; what is not used of it is never touched. */
  constructor(engine: Engine, knownMax: number) {
    this.#engine = engine;
    this.#knownMax = knownMax;
    this.#bitsMax = bitsFor(knownMax);
    this.#bits = Math.min(FIRST_BITS, this.#bitsMax);
    this.#slots = engine.scratch.alloc(4 * 2 ** this.#bitsMax);
    this.entries = engine.scratch.alloc(8 * knownMax);
    this.#state = engine.scratch.alloc(4);
    this.clear();
  }

  get known(): number {
    return this.#engine.scratch.u32(this.#state, 1)[0]!;
  }

  clear(): void {
    this.#engine.scratch.u32(this.#state, 1)[0] = 0;
    this.#clearSlots();
  }

  /** Writes u32 ordinals; answers of how many codes: fewer than `count` where the table is full. */
  assign(codes: number, count: number, ordinals: number): number {
    const { kernels } = this.#engine;
    let done = 0;
    for (;;) {
      // Half full at most, so that a search meets a free slot soon.
      const knownMax = Math.min(this.#knownMax, 2 ** (this.#bits - 1));
      done += kernels.assignOrdinals(
        codes + 8 * done,
        count - done,
        this.#slots,
        this.#bits,
        this.entries,
        knownMax,
        this.#state,
        ordinals + 4 * done,
      );
      if (done === count || knownMax === this.#knownMax) return done;
      this.#bits = Math.min(this.#bitsMax, this.#bits + 2);
      this.#clearSlots();
      kernels.fillSlots(this.#slots, this.#bits, this.entries, this.known);
    }
  }

  #clearSlots(): void {
    this.#engine.scratch.u8(this.#slots, 4 * 2 ** this.#bits).fill(0);
  }
}

/** Slots, as a power of two, of which half are enough. */
function bitsFor(knownMax: number): number {
  return Math.max(1, Math.ceil(Math.log2(2 * knownMax)));
}

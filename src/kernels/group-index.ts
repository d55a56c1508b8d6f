/**
 * Values → group indices in the order of their first appearance, in the kernels' memory; values that have one code have one
 * group index. Codes that lie close together have a slot each, which is three times as fast as a search; when one lies
 * elsewhere, the table becomes a hash table.
 */
import type { Engine } from './engine.js';
import { NATIVE_TYPES } from './native-types.js';

/** Values in the kernels' memory, as kernels take them: `picked` are the numbers of those that are meant, or 0 for all. */
export interface KernelValues {
  readonly typeNumber: number;
  /** Address of the first, and bytes from one to the next. */
  readonly from: number;
  readonly stride: number;
  readonly picked: number;
}

/** Codes that are there already. */
export function packedCodes(from: number): KernelValues {
  return { typeNumber: CODES, from, stride: 8, picked: 0 };
}

/** An unsigned integer of 64 bits is its own code. */
const CODES = NATIVE_TYPES.indexOf('u64');

/** 2 ** bits slots at first: 8 KiB, which stay in the first-level cache. */
const FIRST_BITS = 11;
/** Codes in a window. */
const WINDOW = 64 * 1024;

export class GroupIndexTable {
  readonly #engine: Engine;
  readonly #knownMax: number;
  readonly #bitsMax: number;
  readonly #slots: number;
  readonly #state: number;
  readonly #first: number;
  readonly #tryWindow: boolean;
  /** Address of the codes, by group index. */
  readonly entries: number;
  #bits = 0;
  /** The first code of the window; undefined before the first one, and when there is none. */
  #base: bigint | undefined;
  #isHashed = false;

  /** Takes scratch memory for `knownMax` codes; what is not used of it is never touched. */
  constructor(engine: Engine, knownMax: number, tryWindow: boolean) {
    this.#engine = engine;
    this.#knownMax = knownMax;
    this.#tryWindow = tryWindow;
    this.#bitsMax = bitsFor(knownMax);
    const slots = Math.max(2 ** this.#bitsMax, tryWindow ? WINDOW : 0);
    this.#slots = engine.scratch.alloc(4 * slots);
    this.entries = engine.scratch.alloc(8 * knownMax);
    this.#state = engine.scratch.alloc(4);
    this.#first = engine.scratch.alloc(8);
    this.clear();
  }

  get known(): number {
    return this.#engine.scratch.u32(this.#state, 1)[0]!;
  }

  clear(): void {
    this.#engine.scratch.u32(this.#state, 1)[0] = 0;
    this.#base = undefined;
    this.#isHashed = !this.#tryWindow;
    if (this.#isHashed) this.#hash();
  }

  /** Begins with known codes, ascending and all different, whose group indices are their positions. */
  preload(codes: BigUint64Array): void {
    const { scratch } = this.#engine;
    scratch.u64(this.entries, codes.length).set(codes);
    scratch.u32(this.#state, 1)[0] = codes.length;
    this.#isHashed = codes.length === 0 || codes.at(-1)! - codes[0]! >= WINDOW;
    if (this.#isHashed || !this.#tryWindow) {
      this.#hash();
      return;
    }
    this.#base = codes[0]!;
    const slots = scratch.u32(this.#slots, WINDOW).fill(0);
    // The less significant words tell codes of a window apart.
    const words = scratch.u32(this.entries, 2 * codes.length);
    const first = words[0]!;
    for (let i = 0; i < codes.length; i++) slots[(words[2 * i]! - first) >>> 0] = i + 1;
  }

  /** Writes u32 group indices; answers of how many values: fewer than `count` where the table is full. */
  assign(values: KernelValues, count: number, groupIndices: number): number {
    let done = 0;
    if (!this.#isHashed && count > 0) {
      done = this.#assignNear(values, count, groupIndices);
      if (done === count || this.known === this.#knownMax) return done;
      this.#hash();
    }
    return this.#assignHashed(values, count, groupIndices, done);
  }

  #assignNear({ typeNumber, from, stride, picked }: KernelValues, count: number, groupIndices: number): number {
    const { kernels, scratch } = this.#engine;
    if (this.#base === undefined) {
      kernels.codes(typeNumber, from, stride, picked, 1, this.#first);
      const first = scratch.u64(this.#first, 1)[0]!;
      this.#base = first > BigInt(WINDOW / 2) ? first - BigInt(WINDOW / 2) : 0n;
      scratch.u8(this.#slots, 4 * WINDOW).fill(0);
    }
    return kernels.assignNear(
      typeNumber,
      from,
      stride,
      picked,
      count,
      this.#base,
      WINDOW,
      this.#slots,
      this.entries,
      this.#knownMax,
      this.#state,
      groupIndices,
    );
  }

  #assignHashed(values: KernelValues, count: number, groupIndices: number, done: number): number {
    const { kernels } = this.#engine;
    const { typeNumber, stride } = values;
    for (;;) {
      // Half full at most, so that a search meets a free slot soon.
      const knownMax = Math.min(this.#knownMax, 2 ** (this.#bits - 1));
      const { from, picked } = behind(values, done);
      done += kernels.assignGroupIndices(
        typeNumber,
        from,
        stride,
        picked,
        count - done,
        this.#slots,
        this.#bits,
        this.entries,
        knownMax,
        this.#state,
        groupIndices + 4 * done,
      );
      if (done === count || knownMax === this.#knownMax) return done;
      this.#hash(this.#bits + 2);
    }
  }

  /** A hash table of at least 2 ** bits slots over what is known. */
  #hash(bits = FIRST_BITS): void {
    const { known } = this;
    const { scratch, kernels } = this.#engine;
    this.#isHashed = true;
    this.#bits = Math.min(this.#bitsMax, Math.max(bits, bitsFor(known + 1)));
    scratch.u8(this.#slots, 4 * 2 ** this.#bits).fill(0);
    kernels.fillSlots(this.#slots, this.#bits, this.entries, known);
  }
}

/** The values without the first ones. */
function behind(values: KernelValues, done: number): KernelValues {
  if (done === 0) return values;
  const { typeNumber, from, stride, picked } = values;
  return picked === 0
    ? { typeNumber, from: from + done * stride, stride, picked }
    : { typeNumber, from, stride, picked: picked + 4 * done };
}

/** Slots, as a power of two, of which half are enough. */
function bitsFor(known: number): number {
  return Math.max(1, Math.ceil(Math.log2(2 * known)));
}

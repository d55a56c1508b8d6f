/**
 * What a dataset of mode c has written: whole pages of its file, copied at the first write to them, as numpy.memmap's
 * mode c does it. A write makes new pages and then, in one step, another table of them; readers that hold an earlier table
 * see it to their end. What is replaced is used again when nobody holds it any more.
 * Memory: the pages of the table and those of a write under way; both within the bound of PrivateMemory.
 */
import type { PageTable } from '../descriptor.js';
import type { Release } from '../budget.js';
import { PAGE_BYTES } from '../layout/boxes.js';
import { LIMITS } from '../limits.js';
import { lowerBound } from '../lower-bound.js';
import { givingTurns, isTurnOver, runTurns } from '../turns.js';
import { slotBytes } from './page-table.js';
import type { PrivateMemory } from './private-memory.js';
import { failChanged } from './refusals.js';
import { Turnstile } from './turnstile.js';

/** A reader of one table. */
interface Holder {
  readonly version: number;
  /** Gives the reader up; without it the reader ends soon by itself. */
  readonly cut: (() => void) | undefined;
}

export interface HeldTable {
  readonly table: PageTable | undefined;
  /** Must be called when the reader has ended. */
  readonly release: () => void;
}

/** New pages of a write, until it ends. */
export interface Draft {
  /** The memory of a page, which is not cleared; undefined where the page is none of the write's. */
  page(number: number): Uint8Array | undefined;
  /** Makes the table that has them, in turns. What it answers makes that what readers see from now on. */
  prepare(): Promise<() => void>;
  /** Gives them back. */
  abort(): void;
}

export class PrivatePages {
  /** Whoever writes or discards takes a turn here. */
  readonly writers = new Turnstile();
  readonly memory: PrivateMemory;
  #store: PageStore;

  constructor(memory: PrivateMemory) {
    this.memory = memory;
    this.#store = new PageStore(memory);
  }

  /** What is private now. */
  get table(): PageTable | undefined {
    return this.#store.table;
  }

  /** Keeps the present table as it is until it is released, or given up by `cut` because a write needs its memory. */
  hold(cut?: () => void): HeldTable {
    return this.#store.hold(cut);
  }

  /** Finds room for new versions of pages (ascending), before anything is changed. @throws too_large, private_memory_full, busy */
  begin(numbers: Float64Array, signal?: AbortSignal): Promise<Draft> {
    return this.#store.begin(numbers, signal);
  }

  /** Drops all pages; their memory is given back when the last reader of them has ended. */
  clear(): void {
    this.#store.end();
    this.#store = new PageStore(this.memory);
  }
}

/** Pages from the first write to the next discard. */
class PageStore {
  readonly #memory: PrivateMemory;
  readonly #arenas: Uint8Array[] = [];
  table: PageTable | undefined;
  /** Counts tables. */
  #version = 0;
  readonly #holders = new Set<Holder>();
  /** Slots that no table has. */
  readonly #free: number[] = [];
  #slotCount = 0;
  /** Slots that tables up to a version have; those in order. */
  #replaced: { readonly version: number; readonly slots: readonly number[] }[] = [];
  readonly #releases: Release[] = [];
  #isOver = false;

  constructor(memory: PrivateMemory) {
    this.#memory = memory;
  }

  hold(cut: (() => void) | undefined): HeldTable {
    const holder: Holder = { version: this.#version, cut };
    this.#holders.add(holder);
    return { table: this.table, release: () => this.#letGo(holder) };
  }

  async begin(numbers: Float64Array, signal: AbortSignal | undefined): Promise<Draft> {
    const lacking = this.#lackingFor(numbers.length);
    if (lacking > 0) {
      const release = await this.#memory.take(lacking * PAGE_BYTES, signal);
      this.#releases.push(release);
      if (this.#isOver) this.#giveBackWhenUnread();
      await this.#grow(lacking);
    }
    const slots = await this.#takeSlots(numbers.length);
    return {
      page: number => {
        const at = lowerBound(numbers.length, i => numbers[i]! >= number);
        return numbers[at] === number ? slotBytes(this.#arenas, slots[at]!) : undefined;
      },
      // Whoever writes has the turn: the table stays what it is meanwhile.
      prepare: async () => {
        const { table, replaced } = await runTurns(merged(this.table, numbers, slots, this.#arenas));
        return () => {
          this.#checkGoingOn();
          this.table = table;
          this.#replaced.push({ version: this.#version++, slots: replaced });
        };
      },
      abort: () => {
        for (const slot of slots) this.#free.push(slot);
      },
    };
  }

  end(): void {
    this.table = undefined;
    this.#isOver = true;
    this.#giveBackWhenUnread();
  }

  /** Slots that have to be made so that so many are free; readers are given up for them where memory is short. */
  #lackingFor(count: number): number {
    for (;;) {
      this.#reclaim();
      const lacking = Math.max(0, count - this.#free.length);
      if (lacking === 0 || this.#memory.hasRoomFor(lacking * PAGE_BYTES) || !this.#cutOldest()) return lacking;
    }
  }

  /** Takes back what no reader can see any more. */
  #reclaim(): void {
    let oldest = this.#version;
    for (const { version } of this.#holders) oldest = Math.min(oldest, version);
    const isSeen = (version: number): boolean => version >= oldest;
    for (const { version, slots } of this.#replaced)
      if (!isSeen(version)) for (const slot of slots) this.#free.push(slot);
    this.#replaced = this.#replaced.filter(({ version }) => isSeen(version));
  }

  /** False where nobody holds what was replaced, or can be given up. */
  #cutOldest(): boolean {
    if (this.#replaced.length === 0) return false;
    const oldest = [...this.#holders].filter(({ cut }) => cut).sort((a, b) => a.version - b.version)[0];
    if (!oldest || oldest.version === this.#version) return false;
    this.#holders.delete(oldest);
    oldest.cut!();
    return true;
  }

  /** Of the free ones, which are as many at least; a stretch of them ascends, so that pages stay beside each other. */
  async #takeSlots(count: number): Promise<Int32Array> {
    const slots = new Int32Array(count);
    const takeTurns = givingTurns();
    for (let done = 0; done < count; done += PAGES_PER_TURN) {
      const some = slots.subarray(done, done + PAGES_PER_TURN);
      for (let i = 0; i < some.length; i++) some[i] = this.#free.pop()!;
      some.sort();
      // oxlint-disable-next-line no-await-in-loop
      await takeTurns();
    }
    return slots;
  }

  /** In turns: the system clears what it gives. */
  async #grow(count: number): Promise<void> {
    const takeTurns = givingTurns();
    const end = this.#slotCount + count;
    while (this.#arenas.length * LIMITS.arenaPages < end) {
      this.#checkGoingOn();
      this.#arenas.push(new Uint8Array(new SharedArrayBuffer(LIMITS.arenaPages * PAGE_BYTES)));
      // oxlint-disable-next-line no-await-in-loop
      await takeTurns();
    }
    this.#checkGoingOn();
    for (; this.#slotCount < end; this.#slotCount++) this.#free.push(this.#slotCount);
  }

  #letGo(holder: Holder): void {
    this.#holders.delete(holder);
    if (this.#isOver) this.#giveBackWhenUnread();
  }

  #giveBackWhenUnread(): void {
    if (this.#holders.size > 0) return;
    for (const release of this.#releases.splice(0)) release();
  }

  /** @throws file_changed */
  #checkGoingOn(): void {
    if (this.#isOver) failChanged('replaced', 'The dataset was changed while the write waited. Repeat the request.');
  }
}

/** Pages that are counted in one turn: a millisecond or less. */
const PAGES_PER_TURN = 4096;

/** A table with new pages, and the slots of those that they replace; in turns. */
function* merged(
  before: PageTable | undefined,
  numbers: Float64Array,
  slots: Int32Array,
  arenas: readonly Uint8Array[],
): Generator<void, { table: PageTable; replaced: number[] }> {
  const old = before ?? { numbers: new Float64Array(0), slots: new Int32Array(0) };
  const count = old.numbers.length + numbers.length;
  // In memory that crosses threads without a copy.
  const into = {
    numbers: new Float64Array(new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT)),
    slots: new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT)),
  };
  const replaced: number[] = [];
  let length = 0;
  let taken = 0;
  const takeOld = (end: number): void => {
    into.numbers.set(old.numbers.subarray(taken, end), length);
    into.slots.set(old.slots.subarray(taken, end), length);
    length += end - taken;
    taken = end;
  };
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    if (old.numbers[taken]! < number) takeOld(lowerBound(old.numbers.length, at => old.numbers[at]! >= number));
    if (old.numbers[taken] === number) replaced.push(old.slots[taken++]!);
    into.numbers[length] = number;
    into.slots[length++] = slots[i]!;
    if (isTurnOver(i, PAGES_PER_TURN)) yield;
  }
  takeOld(old.numbers.length);
  const table = {
    numbers: into.numbers.subarray(0, length),
    slots: into.slots.subarray(0, length),
    arenas: [...arenas],
  };
  return { table, replaced };
}

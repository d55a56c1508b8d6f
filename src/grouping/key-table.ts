/**
 * All groups of a query, by their codes, on the thread that merges: open addressing over 32-bit words. A lookup costs 20
 * to 50 ns. Group indices are given in the order of first appearance. A table of many groups is several tables, told apart
 * by bits of the hash: each grows by itself, since to grow one of a million at once would take a tenth of a second.
 */
import type { GroupKey } from './keys.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';

const FIRST_SLOTS = 1024;
/** Tables that a table of so many slots becomes. */
const PARTS = 64;
const SLOTS_OF_ONE_MAX = 64 * 1024;

/** Slots hold 1 + a group index, or 0; at most half of them are taken. */
interface Slots {
  slots: Uint32Array<ArrayBuffer>;
  taken: number;
}

export class KeyTable {
  /** Words of a key, the less significant one of each part first. */
  readonly words: number;
  /** Words of all keys, by group index. */
  keys: Uint32Array;
  #parts: Slots[] = [{ slots: new Uint32Array(FIRST_SLOTS), taken: 0 }];
  #slotCount = FIRST_SLOTS;
  #size = 0;

  constructor(parts: number) {
    this.words = 2 * parts;
    this.keys = new Uint32Array((FIRST_SLOTS / 2) * this.words);
  }

  get size(): number {
    return this.#size;
  }

  /** What it holds. */
  get bytes(): number {
    return this.keys.byteLength + 4 * this.#slotCount;
  }

  /** The group index of the key whose words begin at `at`; it gets the next one where it is new. @throws too_large */
  groupIndexOf(from: Uint32Array, at: number): number {
    const hash = hashOf(from, at, this.words);
    const part = this.#partOf(hash);
    const slot = this.#slotIn(part.slots, hash, from, at);
    const known = part.slots[slot]!;
    if (known > 0) return known - 1;
    if (this.#size === LIMITS.groupsMax) {
      fail('too_large', `There are more than ${LIMITS.groupsMax} groups. Group by fewer keys, or by bins.`, {
        limit: LIMITS.groupsMax,
      });
    }
    this.#keep(from, at);
    part.slots[slot] = this.#size;
    if (2 * ++part.taken === part.slots.length) this.#grow(part);
    return this.#size - 1;
  }

  /** As the next group. */
  #keep(from: Uint32Array, at: number): void {
    const own = this.#size++ * this.words;
    if (own === this.keys.length) {
      const keys = new Uint32Array(2 * own);
      keys.set(this.keys);
      this.keys = keys;
    }
    for (let i = 0; i < this.words; i++) this.keys[own + i] = from[at + i]!;
  }

  #partOf(hash: number): Slots {
    return this.#parts[(hash >>> 20) & (this.#parts.length - 1)]!;
  }

  /** Where a key is, or where it would be. */
  #slotIn(slots: Uint32Array, hash: number, from: Uint32Array, at: number): number {
    const { words, keys } = this;
    const last = slots.length - 1;
    for (let slot = hash & last; ; slot = (slot + 1) & last) {
      const known = slots[slot]!;
      if (known === 0) return slot;
      const own = (known - 1) * words;
      let i = 0;
      while (i < words && keys[own + i] === from[at + i]) i++;
      if (i === words) return slot;
    }
  }

  #grow(part: Slots): void {
    const { slots } = part;
    if (this.#parts.length === 1 && slots.length === SLOTS_OF_ONE_MAX) {
      const length = slots.length / (PARTS / 2);
      this.#parts = Array.from({ length: PARTS }, () => ({ slots: new Uint32Array(length), taken: 0 }));
      this.#slotCount = PARTS * length;
    } else {
      part.slots = new Uint32Array(2 * slots.length);
      part.taken = 0;
      this.#slotCount += slots.length;
    }
    for (const known of slots) {
      if (known > 0) this.#place(known);
    }
  }

  /** A group that is known into an empty slot. */
  #place(known: number): void {
    const at = (known - 1) * this.words;
    const hash = hashOf(this.keys, at, this.words);
    const part = this.#partOf(hash);
    part.slots[this.#slotIn(part.slots, hash, this.keys, at)] = known;
    if (2 * ++part.taken === part.slots.length) this.#grow(part);
  }
}

function hashOf(from: Uint32Array, at: number, words: number): number {
  let hash = 0;
  for (let i = 0; i < words; i++) {
    hash = Math.imul(hash ^ from[at + i]!, 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** Elements sorted between two turns of the event loop. */
const TURN = 128 * 1024;
/** Fewer keys are compared with each other: that needs no tables. */
const RADIX_MIN = 4096;

/**
 * Group indices in the ascending order of their keys: a radix sort by 16 bits at a time, from the least significant word of the
 * last part, that passes over digits in which all keys agree. About 10 ms per million keys and digit, in turns.
 */
export function* sortedGroupIndices({ keys, size, words }: KeyTable): Generator<void, Uint32Array<ArrayBuffer>> {
  // A loop: `from` with a function would take 30 ms for a million.
  let from = new Uint32Array(size);
  for (let i = 0; i < size; i++) from[i] = i;
  if (size < RADIX_MIN) return from.sort((a, b) => compareKeys(keys, words, a, b));
  let to = new Uint32Array(size);
  for (let part = words / 2 - 1; part >= 0; part--) {
    for (const word of [2 * part, 2 * part + 1]) {
      for (const shift of [0, 16]) {
        const starts = new Uint32Array(65_536);
        for (let i = 0; i < size; i++) starts[(keys[i * words + word]! >>> shift) & 0xffff]!++;
        yield;
        if (starts.includes(size)) continue;
        let start = 0;
        for (let digit = 0; digit < starts.length; digit++) {
          const count = starts[digit]!;
          starts[digit] = start;
          start += count;
        }
        for (let i = 0; i < size; i++) {
          const groupIndex = from[i]!;
          to[starts[(keys[groupIndex * words + word]! >>> shift) & 0xffff]!++] = groupIndex;
          if (i % TURN === TURN - 1) yield;
        }
        [from, to] = [to, from];
      }
    }
  }
  return from;
}

function compareKeys(keys: Uint32Array, words: number, a: number, b: number): number {
  for (let part = 0; part < words; part += 2) {
    const [high, low] = [part + 1, part];
    const order = keys[a * words + high]! - keys[b * words + high]! || keys[a * words + low]! - keys[b * words + low]!;
    if (order !== 0) return order;
  }
  return 0;
}

/** Keys side by side in one code of 64 bits; those of many bits have one each. Codes order as the keys do. */
export function partsOf(keys: readonly GroupKey[]): readonly (readonly GroupKey[])[] {
  const parts: GroupKey[][] = [];
  let free = 0;
  for (const key of keys) {
    if (key.bits > free) {
      parts.push([]);
      free = 64;
    }
    parts.at(-1)!.push(key);
    free -= key.bits;
  }
  return parts;
}

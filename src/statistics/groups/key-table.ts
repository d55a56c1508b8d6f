/**
 * All groups of a query, by their codes, on the thread that merges: open addressing over 32-bit words. A lookup costs 20
 * to 50 ns. Group indices are given in the order of first appearance.
 */
import type { GroupKey } from '../../grouping/keys.js';
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';

const FIRST_SLOTS = 1024;

export class KeyTable {
  /** Words of a key, the less significant one of each part first. */
  readonly words: number;
  /** Words of all keys, by group index. */
  keys: Uint32Array;
  #slots = new Uint32Array(FIRST_SLOTS);
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
    return this.keys.byteLength + this.#slots.byteLength;
  }

  /** The group index of the key whose words begin at `at`; it gets the next one where it is new. @throws too_large */
  groupIndexOf(from: Uint32Array, at: number): number {
    const slot = this.#slotOf(from, at);
    const known = this.#slots[slot]!;
    if (known > 0) return known - 1;
    if (this.#size === LIMITS.groupsMax) {
      fail('too_large', `There are more than ${LIMITS.groupsMax} groups. Group by fewer keys, or by bins.`, {
        limit: LIMITS.groupsMax,
      });
    }
    this.#slots[slot] = ++this.#size;
    const own = (this.#size - 1) * this.words;
    for (let i = 0; i < this.words; i++) this.keys[own + i] = from[at + i]!;
    if (2 * this.#size === this.#slots.length) this.#grow();
    return this.#size - 1;
  }

  /** Where a key is, or where it would be. */
  #slotOf(from: Uint32Array, at: number): number {
    const { words, keys } = this;
    const slots = this.#slots;
    const last = slots.length - 1;
    let hash = 0;
    for (let i = 0; i < words; i++) {
      hash = Math.imul(hash ^ from[at + i]!, 0x9e37_79b1);
      hash ^= hash >>> 15;
    }
    for (let slot = hash & last; ; slot = (slot + 1) & last) {
      const known = slots[slot]!;
      if (known === 0) return slot;
      const own = (known - 1) * words;
      let i = 0;
      while (i < words && keys[own + i] === from[at + i]) i++;
      if (i === words) return slot;
    }
  }

  #grow(): void {
    const keys = new Uint32Array(2 * this.keys.length);
    keys.set(this.keys);
    this.keys = keys;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let i = 0; i < this.#size; i++) this.#slots[this.#slotOf(keys, i * this.words)] = i + 1;
  }
}

/** Elements sorted between two turns of the event loop. */
const TURN = 256 * 1024;
/** Fewer keys are compared with each other: that needs no tables. */
const RADIX_MIN = 4096;

/**
 * Group indices in the ascending order of their keys: a radix sort by 16 bits at a time, from the least significant word of the
 * last part, that passes over digits in which all keys agree. About 10 ms per million keys and digit, in turns.
 */
export function* sortedGroupIndices({ keys, size, words }: KeyTable): Generator<void, Uint32Array<ArrayBuffer>> {
  let from = Uint32Array.from({ length: size }, (_, i) => i);
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

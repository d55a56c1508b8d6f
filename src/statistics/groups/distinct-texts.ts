/** The different texts of a column or a selection, as they are found, and how often each is there. Bounded. */
import { mapTurns, sortTurns, isTurnOver } from '../../turns.js';
import { checkTexts, keyOfItem, type TextKey } from '../../filter/texts.js';
import type { TextDType } from '../../dtype/index.js';
import { placed } from '../accumulators/accumulator.js';
import type { CountedItems } from '../../kernels/distinct-items.js';

/** What a text takes in a map, beside its characters. */
const ENTRY_BYTES = 64;

export class DistinctTexts {
  readonly #dtype: TextDType;
  readonly #check: (size: number, bytes: number) => void;
  /** By items as latin-1, without zeros at their end. */
  readonly #counts = new Map<string, number>();
  #characters = 0;

  /** @param check throws too_large where there are too many, or too many bytes of them */
  constructor(dtype: TextDType, check = checkTexts) {
    this.#dtype = dtype;
    this.#check = check;
  }

  get size(): number {
    return this.#counts.size;
  }

  get bytes(): number {
    return 2 * this.#characters + this.size * ENTRY_BYTES;
  }

  /** @throws too_large */
  *combine({ items, counts }: CountedItems): Generator<void, void> {
    const { itemsize } = this.#dtype;
    for (const [part, packed] of items.entries()) {
      const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
      for (const [i, count] of counts[part]!.entries()) {
        this.#add(bytes, i * itemsize, count);
        if (isTurnOver(i)) yield;
      }
      this.#check(this.size, this.#characters);
    }
  }

  #add(bytes: Buffer, at: number, count: number): void {
    let end = at + this.#dtype.itemsize;
    while (end > at && bytes[end - 1] === 0) end--;
    const item = bytes.toString('latin1', at, end);
    const known = this.#counts.get(item);
    if (known === undefined) this.#characters += end - at;
    this.#counts.set(item, (known ?? 0) + count);
  }

  /** Ascending. */
  *keys(): Generator<void, TextKey[]> {
    return yield* sortTurns(yield* mapTurns([...this.#counts.keys()], item => keyOfItem(this.#dtype, item)));
  }

  *sorted(): Generator<void, { values: readonly TextKey[]; counts: Float64Array }> {
    const byKey = new Map<TextKey, number>();
    for (const [item, count] of this.#counts) {
      byKey.set(keyOfItem(this.#dtype, item), count);
      if (isTurnOver(byKey.size)) yield;
    }
    const values = yield* sortTurns([...byKey.keys()]);
    const counts = yield* placed(values.length, i => byKey.get(values[i]!)!);
    return { values, counts: counts as Float64Array };
  }
}

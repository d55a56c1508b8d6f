/** The different texts of a column, as they are found: values of a join, or keys of groups. Bounded. */
import { sortTurns, isTurnOver } from '../../turns.js';
import type { RowColumn } from '../../filter/filter.js';
import { checkTexts, keyOfItem, type TextKey } from '../../filter/texts.js';
import type { TextDType } from '../../dtype/index.js';
import type { PartialOf, SpecOf } from '../specs.js';

/** What a text takes in a set, beside its characters. */
const ENTRY_BYTES = 64;

export class DistinctTexts {
  readonly spec: SpecOf<'texts'>;
  /** Items as latin-1, without zeros at their end. */
  readonly #items = new Set<string>();
  #characters = 0;

  constructor(column: RowColumn & { readonly dtype: TextDType }) {
    this.spec = { kind: 'texts', column };
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return 2 * this.#characters + this.size * ENTRY_BYTES;
  }

  /** @throws too_large */
  *combine({ items }: PartialOf<'texts'>): Generator<void, void> {
    const { itemsize } = this.spec.column.dtype;
    for (const packed of items) {
      const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
      for (let at = 0, i = 0; at < bytes.length; at += itemsize, i++) {
        this.#add(bytes, at, itemsize);
        if (isTurnOver(i)) yield;
      }
      checkTexts(this.size, this.#characters);
    }
  }

  #add(bytes: Buffer, at: number, itemsize: number): void {
    let end = at + itemsize;
    while (end > at && bytes[end - 1] === 0) end--;
    const before = this.#items.size;
    this.#items.add(bytes.toString('latin1', at, end));
    if (this.#items.size > before) this.#characters += end - at;
  }

  /** Ascending. */
  *keys(): Generator<void, TextKey[]> {
    const keys: TextKey[] = [];
    for (const item of this.#items) {
      keys.push(keyOfItem(this.spec.column.dtype, item));
      if (isTurnOver(keys.length)) yield;
    }
    return yield* sortTurns(keys);
  }
}

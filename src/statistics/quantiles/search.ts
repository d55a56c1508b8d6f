/**
 * The search for elements by rank, in passes over the data: from tables of digits to the intervals that hold the wanted
 * ranks, and on to their elements. Pure: it says what the next pass is to count, and takes what was counted. Every step
 * leaves 16 bits less; patterns of 64 bits are collected and sorted as soon as few are left.
 */
import { fail } from '../../errors.js';
import { NATIVE_BYTES, type NativeType } from '../../kernels/native-types.js';
import { elementOf, indexAt, isNegative, type IndexOrder } from './bits.js';
import type { Element } from './interpolate.js';
import type { Interval, IntervalStep } from '../specs.js';

/** Bits that a pass finds. */
const DIGIT_BITS = 16;

/** An interval that holds wanted elements. */
interface Target extends Interval {
  readonly shift: number;
  /** Wanted ranks, ascending, and how many elements of the cell come before the interval. */
  readonly ranks: readonly number[];
  readonly before: number;
}

export interface SearchBounds {
  /** Intervals that one pass counts. */
  readonly tablesMax: number;
  /** Patterns that are collected instead of counted. */
  readonly collectedMax: number;
}

/** Where the indices of a table stand. */
export interface Digits {
  readonly order: IndexOrder;
  readonly base: bigint;
  /** Patterns of one index: 1 << shift. */
  readonly shift: number;
}

export class Search {
  readonly #type: NativeType;
  readonly #bounds: SearchBounds;
  readonly #found = new Map<number, Map<number, Element>>();
  #pending: Target[] = [];
  /** What the pass under way is about. */
  #asked: readonly Target[] = [];

  constructor(type: NativeType, bounds: SearchBounds) {
    this.#type = type;
    this.#bounds = bounds;
  }

  /** Looks for ranks of a cell, ascending, in the table of all of its elements. */
  start(cell: number, table: Float64Array, digits: Digits, ranks: readonly number[]): void {
    this.#found.set(cell, new Map());
    this.#descend(cell, table, digits, ranks, 0);
  }

  /** What to count next; undefined when all elements are found. */
  next(): IntervalStep | undefined {
    const shift = this.#pending.reduce((most, target) => Math.max(most, target.shift), 0);
    this.#asked = this.#pending
      .filter(target => target.shift === shift)
      .slice(0, this.#bounds.tablesMax)
      .sort((a, b) => a.cell - b.cell);
    if (this.#asked.length === 0) return undefined;
    const intervals = this.#asked.map(({ cell, first, size }) => ({ cell, first, size }));
    const size = intervals.reduce((sum, each) => sum + each.size, 0);
    if (NATIVE_BYTES[this.#type] === 8 && size <= this.#bounds.collectedMax)
      return { name: 'collect', shift, intervals };
    const nextShift = Math.max(0, shift - DIGIT_BITS);
    return { name: 'refine', shift, nextShift, tableLength: 2 ** (shift - nextShift), intervals };
  }

  /** The tables of the intervals that `next` asked for, one after the other. */
  takeTables(tables: Float64Array): void {
    const asked = this.#settle();
    const length = tables.length / asked.length;
    for (const [i, { cell, first, shift, ranks, before }] of asked.entries()) {
      const order = isNegative(this.#type, first) ? 'descending' : 'ascending';
      const table = tables.subarray(i * length, (i + 1) * length);
      this.#descend(cell, table, { order, base: first, shift: Math.max(0, shift - DIGIT_BITS) }, ranks, before);
    }
  }

  /** The patterns of the intervals that `next` asked for. @throws file_changed */
  takeCollected(collected: readonly (readonly bigint[])[]): void {
    for (const [i, { cell, first, size, ranks, before }] of this.#settle().entries()) {
      if (collected[i]!.length !== size) failChanged();
      // Less than 48 bits are left.
      const offsets = Float64Array.from(collected[i]!, bits => Number(bits - first)).sort();
      if (isNegative(this.#type, first)) offsets.reverse();
      for (const rank of ranks) {
        this.#found.get(cell)!.set(rank, elementOf(this.#type, first + BigInt(offsets[rank - before]!)));
      }
    }
  }

  elementAt(cell: number, rank: number): Element {
    return this.#found.get(cell)!.get(rank)!;
  }

  #settle(): readonly Target[] {
    const asked = this.#asked;
    const settled = new Set(asked);
    this.#pending = this.#pending.filter(target => !settled.has(target));
    return asked;
  }

  /** Finds the index that holds each rank; `before` elements of the cell come before the table's. @throws file_changed */
  #descend(cell: number, table: Float64Array, digits: Digits, ranks: readonly number[], before: number): void {
    let position = 0;
    let passed = before;
    for (let i = 0; i < ranks.length;) {
      while (position < table.length && passed + table[indexAt(digits.order, table.length, position)]! <= ranks[i]!) {
        passed += table[indexAt(digits.order, table.length, position)]!;
        position++;
      }
      // Only data that changed between two passes has fewer elements than before.
      if (position === table.length) failChanged();
      const index = indexAt(digits.order, table.length, position);
      const from = i;
      while (i < ranks.length && ranks[i]! < passed + table[index]!) i++;
      this.#narrow(cell, index, table[index]!, digits, ranks.slice(from, i), passed);
    }
  }

  #narrow(cell: number, index: number, size: number, digits: Digits, ranks: readonly number[], before: number): void {
    const { base, shift } = digits;
    const first = BigInt.asUintN(8 * NATIVE_BYTES[this.#type], base + (BigInt(index) << BigInt(shift)));
    const element = elementOf(this.#type, first);
    // NaN were counted elsewhere, so that infinity is alone in its interval.
    if (shift === 0 || (typeof element === 'number' && Math.abs(element) === Number.POSITIVE_INFINITY)) {
      for (const rank of ranks) this.#found.get(cell)!.set(rank, element);
    } else this.#pending.push({ cell, first, size, shift, ranks, before });
  }
}

function failChanged(): never {
  return fail('file_changed', 'The file was changed while it was read. Repeat the request to read what it holds now.', {
    reason: 'changed',
  });
}

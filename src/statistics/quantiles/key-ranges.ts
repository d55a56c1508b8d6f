/** Ranges of sort keys: where an element of a rank may be, and how workers are told of it. */
import type { Cells } from '../accumulators/accumulator.js';
import { maxOf, minOf } from '../accumulators/extremes.js';
import { elementOf, type ExactNumber, keyOf, keyRangeOf, ranksOf, valueOfRank } from '../../kernels/sort-keys.js';
import { isWideType, NATIVE_BYTES, NATIVE_WRITERS, nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import type { KeyRanges } from '../specs.js';

/** Where an element of a rank may be: keys from `low` to `low + span`, `count` elements, `below` of the cell before them. */
export interface KeyRange {
  readonly low: bigint;
  readonly span: bigint;
  readonly below: number;
  readonly count: number;
}

/** All keys of a type. */
export function wholeRange(type: NativeType, count: number): KeyRange {
  return { low: 0n, span: (1n << BigInt(8 * NATIVE_BYTES[type])) - 1n, below: 0, count };
}

/** The keys from the least to the most element of a cell, whose extremes were accumulated; they do not tell zeros apart. */
export function extremeRange(cells: Cells, cell: number, count: number): KeyRange {
  const type = nativeTypeOf(cells.dtype);
  const exactly = (value: ExactNumber): ExactNumber => (isWideType(type) ? BigInt(value) : value);
  const [least, most] = [exactly(minOf(cells, cell)), exactly(maxOf(cells, cell))];
  const low = keyOf(type, least === 0 ? -0 : least);
  return { low, span: keyOf(type, most === 0 ? 0 : most) - low, below: 0, count };
}

/** Bits of the distance from the lowest key of a range to its highest. */
export function bitsOf({ span }: KeyRange): number {
  return span === 0n ? 0 : span.toString(2).length;
}

/** A part of a range, without the keys that no number has. */
export function within(
  type: NativeType,
  range: KeyRange,
  from: bigint,
  length: bigint,
  below: number,
  count: number,
): KeyRange {
  const { least, most } = keyRangeOf(type);
  const end = range.low + (from + length > range.span ? range.span : from + length);
  const low = range.low + from < least ? least : range.low + from;
  return { low, span: (end > most ? most : end) - low, below, count };
}

/** One range for each of some cells. */
export function rangesOf(type: NativeType, firstCell: number, ranges: readonly KeyRange[]): KeyRanges {
  const placing = new PlacedRanges(type, firstCell, firstCell + ranges.length - 1, ranges.length);
  for (const [i, range] of ranges.entries()) placing.put(firstCell + i, range);
  return placing.end();
}

/** Ranges on their way into shared memory, cell by cell. No value lies in the hull of a cell that has no range. */
export class PlacedRanges {
  readonly #type: NativeType;
  readonly #firstCell: number;
  readonly #starts: Uint32Array;
  readonly #ranges: BigUint64Array;
  readonly #hulls: Uint8Array;
  readonly #view: DataView;
  #number = 0;

  constructor(type: NativeType, firstCell: number, lastCell: number, count: number) {
    const cells = lastCell - firstCell + 1;
    this.#type = type;
    this.#firstCell = firstCell;
    this.#starts = new Uint32Array(new SharedArrayBuffer(4 * (cells + 1)));
    this.#ranges = new BigUint64Array(new SharedArrayBuffer(16 * count));
    this.#hulls = new Uint8Array(new SharedArrayBuffer(2 * NATIVE_BYTES[type] * cells));
    this.#view = new DataView(this.#hulls.buffer);
    const { min, max } = ranksOf(type);
    this.#putHull(0, valueOfRank(type, max));
    this.#putHull(1, valueOfRank(type, min));
    const { length } = this.#hulls;
    for (let filled = 2 * NATIVE_BYTES[type]; filled < length; filled *= 2) this.#hulls.copyWithin(filled, 0, filled);
  }

  put(cell: number, { low, span }: KeyRange): void {
    const own = cell - this.#firstCell;
    const { least, most } = keyRangeOf(this.#type);
    const high = low + span;
    this.#ranges[2 * this.#number] = low;
    this.#ranges[2 * this.#number + 1] = span;
    if (this.#starts[own + 1] === 0) this.#putHull(2 * own, elementOf(this.#type, low < least ? least : low));
    this.#putHull(2 * own + 1, elementOf(this.#type, high > most ? most : high));
    this.#starts[own + 1]!++;
    this.#number++;
  }

  #putHull(item: number, value: number | bigint): void {
    NATIVE_WRITERS[this.#type](this.#view, NATIVE_BYTES[this.#type] * item, value);
  }

  end(): KeyRanges {
    const starts = this.#starts;
    for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
    return {
      firstCell: this.#firstCell,
      cellCount: starts.length - 1,
      hulls: this.#hulls,
      starts,
      ranges: this.#ranges,
    };
  }
}

/**
 * The values of a dataset that a column is matched with. They are compared exactly: a value that the column's dtype cannot
 * hold is one that no row has. NaN equals nothing.
 */
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { isTurnOver } from '../turns.js';
import { codeBitsOf, codeOfRank, nanCodeOf, rankOf, ranksOf, valueOfCode } from '../kernels/sort-keys.js';
import { KeyTable } from './groups/key-table.js';
import { nativeTypeOf, type NativeType } from '../kernels/native-types.js';
import type { Filter, RowColumn } from '../filter/filter.js';
import { placeExact } from '../filter/places.js';
import { testOf } from '../filter/resolve.js';
import type { PartialOf, SpecOf } from './specs.js';

/** From so few values on, they are searched for in their order. */
const SORTED_MAX = 64;

export class JoinValues {
  readonly #column: RowColumn;
  readonly #type: NativeType;
  readonly #table = new KeyTable(1);
  /** Values of other joins of the same query. */
  readonly #others: number;
  readonly spec: SpecOf<'groups'>;

  constructor(column: RowColumn, others: number) {
    this.#column = column;
    this.#type = nativeTypeOf(column.dtype);
    this.#others = others;
    const bits = codeBitsOf(this.#type);
    this.spec = {
      kind: 'groups',
      keys: [{ column, bits, bins: undefined }],
      accumulators: [],
      type: this.#type,
      dropsNan: false,
      omitsNan: false,
      indexStep: 1,
    };
  }

  get size(): number {
    return this.#table.size;
  }

  /** What it holds, with the codes that threads get of it. */
  get bytes(): number {
    return this.#table.bytes + 16 * this.size;
  }

  /** @throws too_large */
  *combine({ segments }: PartialOf<'groups'>): Generator<void, void> {
    for (const { groups, keys } of segments) {
      const words = new Uint32Array(keys.buffer);
      for (let i = 0; i < groups; i++) {
        this.#table.groupIndexOf(words, 2 * i);
        if (isTurnOver(i)) yield;
      }
    }
    if (this.size + this.#others > LIMITS.joinValuesMax) {
      fail(
        'too_large',
        `A query is matched with at most ${LIMITS.joinValuesMax} different values of other datasets. Narrow them with a where of their own.`,
        { limit: LIMITS.joinValuesMax },
      );
    }
  }

  /** Rows whose value in `column` is one of these. */
  *testOf(column: RowColumn): Generator<void, Filter> {
    const type = nativeTypeOf(column.dtype);
    const codes = type === this.#type ? this.#ownCodes() : yield* this.#codesAs(column);
    if (codes.length === 0) return { kind: 'constant', keeps: false };
    if (codes.length <= SORTED_MAX) {
      const ranks = [...codes].map(code => rankOf(type, valueOfCode(type, code)));
      return yield* testOf(column, {
        intervals: ranks.sort((a, b) => (a < b ? -1 : 1)).map(rank => [rank, rank]),
        nan: false,
      });
    }
    const ends = new BigUint64Array(new SharedArrayBuffer(16 * codes.length));
    ends.set(codes);
    ends.set(codes, codes.length);
    return { kind: 'test', column, set: { kind: 'codes', ends, points: true } };
  }

  /** As they are, without NaN. */
  #ownCodes(): BigUint64Array {
    const codes = this.#codes();
    const at = this.#column.dtype.kind === 'f' ? codes.indexOf(nanCodeOf(this.#type)) : -1;
    if (at < 0) return codes;
    // Each stands there once, in no particular order.
    const others = codes.slice(0, -1);
    if (at < others.length) others[at] = codes.at(-1)!;
    return others;
  }

  #codes(): BigUint64Array {
    return new BigUint64Array(this.#table.keys.buffer, 0, this.size);
  }

  /** Codes of the same values in the dtype of another column, where it holds them. */
  *#codesAs({ dtype }: RowColumn): Generator<void, BigUint64Array> {
    const type = nativeTypeOf(dtype);
    const { min, max } = ranksOf(type);
    const found = new BigUint64Array(this.size);
    let count = 0;
    for (const [i, code] of this.#codes().entries()) {
      if (isTurnOver(i)) yield;
      const { floor, ceil } = placeExact(dtype, valueOfCode(this.#type, code)) ?? { floor: 0n, ceil: 1n };
      if (floor === ceil && floor >= min && floor <= max) found[count++] = codeOfRank(type, floor);
    }
    return found.subarray(0, count);
  }
}

/**
 * The values of a dataset that a column is matched with. They are compared exactly: a value that the column's dtype cannot
 * hold is one that no row has. NaN equals nothing.
 */
import { isText, isTime, type NumberDType, type TextDType, type TimeDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { isTurnOver, mapTurns } from '../turns.js';
import {
  codeBitsOf,
  codeOfRank,
  hasNan,
  nanCodeOf,
  rankOf,
  ranksOf,
  valueOfCode,
  type ExactNumber,
  type ValueType,
} from '../kernels/sort-keys.js';
import { DistinctTexts } from './groups/distinct-texts.js';
import { KeyTable } from '../grouping/key-table.js';
import { columnTypeOf, valueTypeOf, type Filter, type RowColumn } from '../filter/filter.js';
import { placeExact, type Place } from '../filter/places.js';
import { testOf } from '../filter/tests.js';
import { sealTexts } from '../filter/texts.js';
import { placeOfCount } from '../filter/time-units.js';
import { setOfPoints } from '../filter/value-set.js';
import type { PartialOf, SinkPartial, SpecOf } from './specs.js';

/** What a join has found of the values that a column is matched with. */
export interface Joined {
  readonly spec: SpecOf<'groups'> | SpecOf<'texts'>;
  readonly size: number;
  /** What it holds, with what threads get of it. */
  readonly bytes: number;
  /** @throws too_large */
  combine(partial: SinkPartial): Generator<void, void>;
  /** Rows whose value in `column` is one of these. */
  testOf(column: RowColumn): Generator<void, Filter>;
}

/** @param others values of other joins of the same query */
export function newJoin(column: RowColumn, others: number): Joined {
  return hasTexts(column) ? new JoinedTexts(column) : new JoinedValues(column, others);
}

export function hasTexts(column: RowColumn): column is RowColumn & { readonly dtype: TextDType } {
  return isText(column.dtype);
}

class JoinedTexts implements Joined {
  readonly spec: SpecOf<'texts'>;
  readonly #texts: DistinctTexts;

  constructor(column: RowColumn & { readonly dtype: TextDType }) {
    this.spec = { kind: 'texts', column };
    this.#texts = new DistinctTexts(column.dtype);
  }

  get size(): number {
    return this.#texts.size;
  }

  get bytes(): number {
    return this.#texts.bytes;
  }

  combine(partial: SinkPartial): Generator<void, void> {
    return this.#texts.combine(partial as PartialOf<'texts'>);
  }

  *testOf(column: RowColumn): Generator<void, Filter> {
    const keys = yield* this.#texts.keys();
    const { texts, placeOf } = yield* sealTexts(column.dtype as TextDType, keys);
    const places = yield* mapTurns(keys, (_, i) => placeOf(i));
    return yield* testOf({ ...column, texts }, yield* setOfPoints(valueTypeOf(column), places));
  }
}

/** From so few values on, they are searched for in their order. */
const SORTED_MAX = 64;

class JoinedValues implements Joined {
  readonly #column: RowColumn;
  readonly #type: ValueType;
  readonly #table = new KeyTable(1);
  /** Values of other joins of the same query. */
  readonly #others: number;
  readonly spec: SpecOf<'groups'>;

  constructor(column: RowColumn, others: number) {
    this.#column = column;
    this.#type = valueTypeOf(column);
    this.#others = others;
    const bits = codeBitsOf(this.#type);
    this.spec = {
      kind: 'groups',
      keys: [{ column, bits }],
      accumulators: [],
      type: columnTypeOf(column),
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

  *combine(partial: SinkPartial): Generator<void, void> {
    for (const { groups, keys } of (partial as PartialOf<'groups'>).segments) {
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

  *testOf(column: RowColumn): Generator<void, Filter> {
    const type = columnTypeOf(column);
    const codes = yield* this.#codesAs(column);
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

  /** Codes of the same values in another column's type, where that holds them; without NaN. */
  *#codesAs(column: RowColumn): Generator<void, BigUint64Array> {
    const own = this.#codes();
    const type = columnTypeOf(column);
    const nan = hasNan(this.#type) ? nanCodeOf(this.#type) : undefined;
    if (type === this.#type) return nan === undefined ? own : own.filter(code => code !== nan);
    const { min, max } = ranksOf(valueTypeOf(column));
    const placeOf = placing(this.#column.dtype as Comparable, column.dtype as Comparable);
    const found = new BigUint64Array(this.size);
    let count = 0;
    for (const [i, code] of own.entries()) {
      if (isTurnOver(i)) yield;
      if (code === nan) continue;
      const { floor, ceil } = placeOf(valueOfCode(this.#type, code)) ?? { floor: 0n, ceil: 1n };
      if (floor === ceil && floor >= min && floor <= max) found[count++] = codeOfRank(type, floor);
    }
    return found.subarray(0, count);
  }

  #codes(): BigUint64Array {
    return new BigUint64Array(this.#table.keys.buffer, 0, this.size);
  }
}

type Comparable = NumberDType | TimeDType;

/** Where values of one dtype lie among those of another. */
function placing(from: Comparable, to: Comparable): (value: ExactNumber) => Place | undefined {
  if (isTime(from) && isTime(to)) return value => placeOfCount(from, BigInt(value), to);
  return value => placeExact(to, value);
}

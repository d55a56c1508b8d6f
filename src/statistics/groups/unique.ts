/** The distinct elements of a selection and how often each is there: groups whose key is the element itself. */
import { isComplex, isText, isTime, NAT, numberDType, withByteOrder, type DType } from '../../dtype/index.js';
import { fail } from '../../errors.js';
import type { CountedItems } from '../../kernels/distinct-items.js';
import { nativeTypeOf } from '../../kernels/native-types.js';
import { nanCodeOf, valueOfCode, type ExactNumber, type ValueType } from '../../kernels/sort-keys.js';
import { LIMITS } from '../../limits.js';
import { ITEMS_PER_TURN } from '../../turns.js';
import { placed } from '../accumulators/accumulator.js';
import type { Operator, Pass } from '../pass.js';
import type { Plan } from '../plan.js';
import type { Distinct, OperationResult } from '../result.js';
import type { PartialOf } from '../specs.js';
import { DistinctTexts } from './distinct-texts.js';
import { KeyTable, sortedGroupIndices } from '../../grouping/key-table.js';

/** A value with its count in the answer, their text, and what sorts them. */
const ENTRY_BYTES = 3 * (8 + LIMITS.jsonValueBytes) + 32;
/** A text beside the one that was found: as a key and in the answer, where a character may be six. */
const TEXT_COPIES = 8;

/** Distinct elements, ascending, and their counts. */
interface Sorted {
  readonly values: Distinct['values'];
  readonly counts: Float64Array;
}

export class UniqueOperator implements Operator {
  readonly #plan: Plan;
  readonly #found: DistinctCodes | DistinctTexts;
  #isRead = false;

  constructor(plan: Plan) {
    const { dtype, query } = plan;
    this.#plan = plan;
    this.#found = isText(dtype) ? new DistinctTexts(dtype, checkSize) : new DistinctCodes(dtype, query.nan === 'omit');
  }

  get heldBytes(): number {
    const { bytes, size } = this.#found;
    return bytes * (isText(this.#plan.dtype) ? TEXT_COPIES : 1) + size * ENTRY_BYTES;
  }

  next(): Pass | undefined {
    const { scan, dtype } = this.#plan;
    if (this.#isRead || scan.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { scan, spec: { kind: isText(dtype) || isComplex(dtype) ? 'unique-items' : 'unique-codes' } };
  }

  combine(partial: PartialOf<'unique-codes' | 'unique-items'>): Generator<void, void> {
    return this.#found.combine(partial);
  }

  *finish(): Generator<void, Map<number, OperationResult>> {
    const { dtype, query } = this.#plan;
    const { values, counts } = yield* this.#found.sorted();
    return new Map([
      [
        query.ops.indexOf('unique'),
        {
          op: 'unique',
          name: 'unique',
          dtype: numberDType('<i8'),
          shape: [counts.length],
          values: counts,
          distinct: { dtype: withByteOrder(dtype, '<'), values },
        },
      ],
    ]);
  }
}

/** @throws too_large */
function checkSize(size: number, bytes = 0): void {
  const [limit, what] =
    size > LIMITS.uniqueMax
      ? [LIMITS.uniqueMax, 'distinct elements']
      : [LIMITS.textBytesMax, 'bytes of distinct texts'];
  if (size <= LIMITS.uniqueMax && bytes <= limit) return;
  const remedy = 'Narrow the selection with slice or where, ask for each part by itself, or for a histogram.';
  fail('too_large', `The selection has more than ${limit} ${what}, and unique answers at most so many. ${remedy}`, {
    limit,
  });
}

/** Distinct numbers and dates, by their codes: one of each, of complex numbers that of the real part and then the other. */
class DistinctCodes {
  readonly #dtype: DType;
  readonly #type: ValueType;
  readonly #omitsNan: boolean;
  readonly #table: KeyTable;
  #counts = new Float64Array(2 * ITEMS_PER_TURN);

  constructor(dtype: DType, omitsNan: boolean) {
    this.#dtype = dtype;
    this.#type = isTime(dtype) ? 'time' : nativeTypeOf(dtype);
    this.#omitsNan = omitsNan && 'fcMm'.includes(dtype.kind);
    this.#table = new KeyTable(isComplex(dtype) ? 2 : 1);
  }

  get size(): number {
    return this.#table.size;
  }

  get bytes(): number {
    return this.#table.bytes + this.#counts.byteLength;
  }

  /** @throws too_large */
  *combine({ items, counts }: CountedItems): Generator<void, void> {
    for (const [part, each] of items.entries()) {
      const words = new Uint32Array(each.buffer);
      for (let from = 0; from < counts[part]!.length; from += ITEMS_PER_TURN) {
        if (from > 0) yield;
        this.#add(words, counts[part]!, from, Math.min(from + ITEMS_PER_TURN, counts[part]!.length));
      }
    }
  }

  /** A function of its own, since the loops of a generator that goes on begin slowly in each turn. */
  #add(words: Uint32Array, counts: Uint32Array, from: number, to: number): void {
    const table = this.#table;
    if (table.size + to - from > this.#counts.length) {
      const larger = new Float64Array(2 * this.#counts.length);
      larger.set(this.#counts);
      this.#counts = larger;
    }
    for (let i = from; i < to; i++) this.#counts[table.groupIndexOf(words, table.words * i)]! += counts[i]!;
    checkSize(table.size);
  }

  *sorted(): Generator<void, Sorted> {
    const order = yield* sortedGroupIndices(this.#table);
    const { keys, words } = this.#table;
    const parts = words / 2;
    const codeOf = (i: number): bigint => {
      const at = words * order[Math.floor(i / parts)]! + 2 * (i % parts);
      return (BigInt(keys[at + 1]!) << 32n) | BigInt(keys[at]!);
    };
    const nan = nanCodeOf(this.#type);
    const isLastNan = this.#omitsNan && order.length > 0 && codeOf(parts * order.length - 1) === nan;
    const length = order.length - (isLastNan ? 1 : 0);
    const valueOf = (code: bigint): ExactNumber =>
      isTime(this.#dtype) && code === nan ? NAT : valueOfCode(this.#type, code);
    const values = yield* placed(parts * length, i => valueOf(codeOf(i)));
    const counts = yield* placed(length, i => this.#counts[order[i]!]!);
    return { values, counts: counts as Float64Array };
  }
}

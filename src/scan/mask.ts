/**
 * A filter at work: the rows of a tile → a byte per row, 1 where it is kept. Constants of the filter are put into the
 * kernels' memory once per task. Memory: a mask per level of the filter, a column and its codes.
 */
import { nanCodeOf, valueOfCode, type ExactNumber } from '../kernels/sort-keys.js';
import type { Engine } from '../kernels/engine.js';
import { columnTypeOf, type Filter } from '../filter/filter.js';
import type { SealedSet } from '../filter/value-set.js';
import { NATIVE_BYTES, NATIVE_WRITERS, type NativeType } from '../kernels/native-types.js';
import type { RowColumns } from './columns.js';

/** From so many single values on, they are looked up instead of searched for. */
const LOOKED_UP_MIN = 16;
/** Up to so many intervals are compared with one by one, sixteen rows at a time. */
const COMPARED_MAX = 6;

/** Writes the mask of `count` rows. */
type Evaluate = (columns: RowColumns, count: number, mask: number) => void;

export class RowMask {
  readonly #engine: Engine;
  readonly #evaluate: Evaluate;
  /** True where every row is kept. */
  readonly keepsAll: boolean;

  /** Takes scratch memory that must outlive it. */
  constructor(engine: Engine, filter: Filter) {
    this.#engine = engine;
    this.keepsAll = filter.kind === 'constant' && filter.keeps;
    this.#evaluate = this.#opened(filter);
  }

  /** Numbers of the kept rows, ascending, as u32 at `rows`; answers how many there are. */
  rowsOf(columns: RowColumns, count: number, rows: number): number {
    const { scratch, kernels } = this.#engine;
    const mask = scratch.alloc(count);
    this.#evaluate(columns, count, mask);
    return kernels.rowsOf(mask, count, rows);
  }

  #opened(filter: Filter): Evaluate {
    const { kernels, scratch } = this.#engine;
    switch (filter.kind) {
      case 'constant':
        return (_, count, mask) => scratch.u8(mask, count).fill(filter.keeps ? 1 : 0);
      case 'test': {
        const test = this.#openedTest(columnTypeOf(filter.column), filter.set);
        return (columns, count, mask) => {
          const column = columns.get(filter.column);
          const mark = scratch.mark();
          test(column, count, mask);
          scratch.release(mark);
        };
      }
      case 'join':
        throw new Error('joins are resolved before rows are looked at');
      case 'not': {
        const of = this.#opened(filter.of);
        return (columns, count, mask) => {
          of(columns, count, mask);
          kernels.notMask(mask, count);
        };
      }
      case 'and':
      case 'or': {
        const [first, ...others] = filter.of.map(each => this.#opened(each)) as [Evaluate, ...Evaluate[]];
        return (columns, count, mask) => {
          first(columns, count, mask);
          const other = scratch.alloc(count);
          for (const each of others) {
            each(columns, count, other);
            if (filter.kind === 'and') kernels.andMask(mask, other, count);
            else kernels.orMask(mask, other, count);
          }
        };
      }
    }
  }

  #openedTest(type: NativeType, set: SealedSet): Test {
    const { kernels, scratch } = this.#engine;
    if (set.kind === 'range') {
      const bounds = this.#putBounds(type, [set.low, set.high]);
      return (column, count, mask) =>
        kernels.withinMask(column.typeNumber, column.ptr, column.stride, count, bounds, set.flip, mask);
    }
    const n = set.ends.length / 2;
    if (NATIVE_BYTES[type] <= 2) return this.#tabled(type, set.ends);
    if (n <= COMPARED_MAX && !set.ends.includes(nanCodeOf(type))) return this.#compared(type, set.ends);
    const isIn = set.points && n >= LOOKED_UP_MIN ? this.#lookUp(set.ends.subarray(0, n)) : this.#search(set.ends);
    return (column, count, mask) => {
      const codes = scratch.alloc(8 * count);
      kernels.codes(column.typeNumber, column.ptr, column.stride, 0, count, codes);
      isIn(codes, count, mask);
    };
  }

  /** Of short integers, all values that there are. */
  #tabled(type: NativeType, ends: BigUint64Array): Test {
    const { kernels, scratch } = this.#engine;
    const bytes = NATIVE_BYTES[type];
    const values = 2 ** (8 * bytes);
    const table = scratch.alloc(values / 8);
    const bits = scratch.u8(table, values / 8).fill(0);
    // As unsigned, negative integers stand above the others.
    const turn = type.startsWith('i') ? values / 2 : 0;
    const n = ends.length / 2;
    for (let i = 0; i < n; i++) {
      for (let code = Number(ends[i]!); code <= Number(ends[n + i]!); code++) {
        const value = code ^ turn;
        bits[value >> 3]! |= 1 << (value & 7);
      }
    }
    return ({ ptr, stride }, count, mask) => kernels.tableMask(bytes, ptr, stride, count, table, mask);
  }

  #compared(type: NativeType, ends: BigUint64Array): Test {
    const { kernels, scratch } = this.#engine;
    const n = ends.length / 2;
    const bounds = Array.from({ length: n }, (_, i) =>
      this.#putBounds(type, [valueOfCode(type, ends[i]!), valueOfCode(type, ends[n + i]!)]),
    );
    return ({ typeNumber, ptr, stride }, count, mask) => {
      const other = n > 1 ? scratch.alloc(count) : 0;
      for (const [i, at] of bounds.entries()) {
        kernels.withinMask(typeNumber, ptr, stride, count, at, 0, i === 0 ? mask : other);
        if (i > 0) kernels.orMask(mask, other, count);
      }
    };
  }

  #putBounds(type: NativeType, values: readonly ExactNumber[]): number {
    const { memory, scratch } = this.#engine;
    const ptr = scratch.alloc(16);
    const view = new DataView(memory.buffer);
    for (const [i, value] of values.entries()) NATIVE_WRITERS[type](view, ptr + i * NATIVE_BYTES[type], value);
    return ptr;
  }

  #search(values: BigUint64Array): CodeTest {
    const { kernels, scratch } = this.#engine;
    const n = values.length / 2;
    const ends = scratch.alloc(8 * values.length);
    scratch.u64(ends, values.length).set(values);
    return (codes, count, mask) => kernels.withinAny(codes, count, ends, n, mask);
  }

  #lookUp(values: BigUint64Array): CodeTest {
    const { kernels, scratch } = this.#engine;
    const n = values.length;
    const bits = Math.ceil(Math.log2(2 * n));
    const entries = scratch.alloc(8 * n);
    scratch.u64(entries, n).set(values);
    const slots = scratch.alloc(4 * 2 ** bits);
    scratch.u8(slots, 4 * 2 ** bits).fill(0);
    kernels.fillSlots(slots, bits, entries, n);
    return (codes, count, mask) => kernels.knownMask(codes, count, slots, bits, entries, mask);
  }
}

type Test = (column: ReturnType<RowColumns['get']>, count: number, mask: number) => void;
type CodeTest = (codes: number, count: number, mask: number) => void;

/** Cells, one field at a time; the sums and moments of blocks that are combined with theirs. */
import { CELL_FIELDS, type CellField } from '../../../../src/kernels/cell-fields.js';

const NUMBER_OF = Object.fromEntries(CELL_FIELDS.map((field, i) => [field, i])) as Readonly<Record<CellField, number>>;

/** What a kernel found out about a block. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** What the rounding of the mean left out. */
  readonly rest: number;
  readonly m2: number;
}

export class Cells {
  readonly #memory: DataView;
  readonly #fieldBytes: number;

  constructor(memory: DataView, fieldBytes: number) {
    this.#memory = memory;
    this.#fieldBytes = fieldBytes;
  }

  #at(cell: number, field: CellField): number {
    return cell + NUMBER_OF[field] * this.#fieldBytes;
  }

  get(cell: number, field: CellField): number {
    return this.#memory.getFloat64(this.#at(cell, field), true);
  }

  set(cell: number, field: CellField, value: number): void {
    this.#memory.setFloat64(this.#at(cell, field), value, true);
  }

  add(cell: number, field: CellField, value: number): void {
    this.set(cell, field, this.get(cell, field) + value);
  }

  integer(cell: number, field: CellField, signed: boolean): bigint {
    const at = this.#at(cell, field);
    return signed ? this.#memory.getBigInt64(at, true) : this.#memory.getBigUint64(at, true);
  }

  setInteger(cell: number, field: CellField, value: bigint): void {
    this.#memory.setBigUint64(this.#at(cell, field), BigInt.asUintN(64, value), true);
  }

  addInteger(cell: number, field: CellField, value: bigint): void {
    this.setInteger(cell, field, this.integer(cell, field, true) + value);
  }

  /** Adds to the sum, and the rounding error to its rest (Knuth's TwoSum). */
  addToSum(cell: number, value: number): void {
    const before = this.get(cell, 'sum');
    const { sum, error } = twoSum(before, value);
    this.add(cell, 'sumRest', error);
    this.set(cell, 'sum', sum);
  }

  /** Combines count, mean and squares of more elements with a cell's (Chan, Golub, LeVeque 1979). */
  addMoments(cell: number, { count: n, mean, rest, m2 }: Moments): void {
    const count = this.get(cell, 'count');
    const all = count + n;
    this.set(cell, 'count', all);
    if (count === 0) {
      this.set(cell, 'mean', mean);
      this.set(cell, 'meanRest', rest);
      this.set(cell, 'm2', m2);
      return;
    }
    const before = this.get(cell, 'mean');
    const beforeRest = this.get(cell, 'meanRest');
    const beforeM2 = this.get(cell, 'm2');
    const delta = mean - before + (rest - beforeRest);
    const share = n / all;
    const { sum: after, error } = twoSum(before, delta * share);
    this.set(cell, 'mean', after);
    this.set(cell, 'meanRest', Number.isFinite(after) ? beforeRest + error : 0);
    const squares = beforeM2 + m2 + delta * delta * (count * share);
    const overflows = Number.isNaN(squares) && !Number.isNaN(beforeM2) && !Number.isNaN(m2);
    this.set(cell, 'm2', overflows ? Number.POSITIVE_INFINITY : squares);
  }
}

/** A sum and what its rounding left out (Knuth). */
export function twoSum(a: number, b: number): { sum: number; error: number } {
  const sum = a + b;
  const added = sum - a;
  return { sum, error: a - (sum - added) + (b - added) };
}

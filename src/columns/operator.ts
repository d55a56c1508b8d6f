/** `cov` and `corrcoef`: one pass over the rows of the columns, whose records are combined in the order of the chunks. */
import { type DType, numberDType, parseDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Scan } from '../scan/scan.js';
import { combineRecords, nansIn, placeOfPair, recordLength, rowsIn } from './moments.js';
import type { ColumnsPlan, Variable } from './plan.js';
import type { ColumnsPartial, ColumnsSpec } from './specs.js';

/** An answer. */
interface Matrix {
  readonly op: ColumnsOp;
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export const COLUMNS_OPS = ['cov', 'corrcoef'] as const;
export type ColumnsOp = (typeof COLUMNS_OPS)[number];

/** What the query says of them. */
interface Asked {
  readonly ops: readonly string[];
  readonly ddof: number;
  readonly refusesNan: boolean;
}

const FLOAT64 = numberDType('<f8');
const NO_IMAGINARY: number = 0;
const COMPLEX128 = parseDType('<c16');

export class ColumnsOperator {
  readonly #plan: ColumnsPlan;
  readonly #asked: Asked;
  readonly #record: Float64Array;
  #isRead = false;

  constructor(plan: ColumnsPlan, asked: Asked) {
    this.#plan = plan;
    this.#asked = asked;
    this.#record = new Float64Array(recordLength(plan.spec.columns));
  }

  next(): { readonly scan: Scan; readonly spec: ColumnsSpec } | undefined {
    const { scan, spec } = this.#plan;
    if (this.#isRead || scan.chunkCount === 0) return undefined;
    this.#isRead = true;
    return { scan, spec };
  }

  /** @throws nan_found */
  combine({ record }: ColumnsPartial): void {
    if (this.#asked.refusesNan && nansIn(record) > 0) {
      fail('nan_found', 'The selection holds NaN. Ask for nan=omit to leave rows with NaN out, or nan=propagate.');
    }
    combineRecords(this.#record, record, this.#plan.spec.columns);
  }

  /** Elements of the rows that were used. */
  get count(): number {
    return rowsIn(this.#record) * this.#plan.elementsPerRow;
  }

  *finish(): Generator<void, Map<number, Matrix>> {
    const { shape, isComplex } = this.#plan;
    const results = new Map<number, Matrix>();
    for (const [at, op] of this.#asked.ops.entries()) {
      if (!isColumnsOp(op)) continue;
      const covariance = yield* this.#covariance(op === 'cov' ? this.#asked.ddof : 1);
      const values = op === 'cov' ? covariance : yield* this.#correlation(covariance);
      results.set(at, { op, name: op, dtype: isComplex ? COMPLEX128 : FLOAT64, shape, values });
    }
    return results;
  }

  /**
   * As numpy's: products / (rows - ddof), and by zero where that is not above it, so that NaN and infinities come where numpy
   * warns. Complex ones are x * conj(y).
   */
  *#covariance(ddof: number): Generator<void, Float64Array> {
    const { variables, isComplex } = this.#plan;
    const factor = 1 / Math.max(0, rowsIn(this.#record) - ddof);
    const k = variables.length;
    const values = new Float64Array((isComplex ? 2 : 1) * k * k);
    let done = 0;
    for (const [i, p] of variables.entries()) {
      for (const [j, q] of variables.entries()) {
        const real = this.#product(p.real, q.real) + this.#product(p.imaginary, q.imaginary);
        if (isComplex) {
          const imaginary = this.#product(p.imaginary, q.real) - this.#product(p.real, q.imaginary);
          // As numpy multiplies by the complex number that the factor is: infinities have to meet its zero.
          values[2 * (i * k + j)] = real * factor - imaginary * NO_IMAGINARY;
          values[2 * (i * k + j) + 1] = real * NO_IMAGINARY + imaginary * factor;
        } else values[i * k + j] = real * factor;
      }
      done += k;
      if (done < LIMITS.cellsPerTurn) continue;
      done = 0;
      yield;
    }
    return values;
  }

  #product(p: Variable['imaginary'], q: Variable['imaginary']): number {
    if (p === undefined || q === undefined) return 0;
    return this.#record[placeOfPair(this.#plan.spec.columns, p, q)]!;
  }

  /** By both deviations, one after the other; each part within [-1, 1]. */
  *#correlation(covariance: Float64Array): Generator<void, Float64Array> {
    const { variables, shape } = this.#plan;
    const k = variables.length;
    const parts = covariance.length / (k * k);
    if (shape.length === 0) return ofOne(covariance);
    const deviations = variables.map((_, i) => Math.sqrt(covariance[parts * i * (k + 1)]!));
    const values = new Float64Array(covariance.length);
    let done = 0;
    for (const [i, own] of deviations.entries()) {
      for (const [j, other] of deviations.entries()) {
        for (let part = 0; part < parts; part++) {
          const at = parts * (i * k + j) + part;
          values[at] = clipped(covariance[at]! / own / other);
        }
      }
      done += k;
      if (done < LIMITS.cellsPerTurn) continue;
      done = 0;
      yield;
    }
    return values;
  }
}

/** One variable by itself: c / c. */
function ofOne([real, ...imaginary]: Float64Array): Float64Array {
  const one = real! / real!;
  return Float64Array.from([one, ...imaginary.map(() => one - 1)]);
}

function clipped(value: number): number {
  // NaN stays what it is.
  return value > 1 ? 1 : value < -1 ? -1 : value;
}

/** True where a query asks for these operations alone, as it arrives: by their names, or with what they are given. */
export function asksColumnsOnly(asked: readonly unknown[]): boolean {
  return asked.every(each => {
    const names = typeof each === 'object' && each !== null ? Object.keys(each) : [String(each)];
    return names.every(isColumnsOp);
  });
}

export function isColumnsOp(op: string): op is ColumnsOp {
  return (COLUMNS_OPS as readonly string[]).includes(op);
}

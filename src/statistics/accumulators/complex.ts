/**
 * Complex numbers: what is kept beside the accumulators of their real parts, and their statistics, as numpy's. A number is
 * NaN where one of its parts is; which part of a sum is NaN is that of numpy's sum.
 */
import { numberDType, parseDType } from '../../dtype/index.js';
import { type Accumulator, type Cells, type Fields, type Statistic, usedIn } from './accumulator.js';
import { COUNT_STATISTICS } from './counts.js';
import { MOMENTS, varianceFrom } from './moments.js';
import { exponentOf, scaled, timesPower } from './product.js';
import { SUM, totalOf } from './sum.js';

const FLOAT64 = numberDType('<f8');
const COMPLEX128 = parseDType('<c16');

/** The same of imaginary parts, in fields of its own; the counts are those of all. */
function imaginary(accumulator: Accumulator): Accumulator {
  const starts = accumulator.fields(false);
  const names = Object.keys(starts);
  const own = (fields: Fields): Fields => ({
    ...Object.fromEntries(names.map(name => [name, fields[imaginaryName(name)]])),
    ...(fields.count && { count: fields.count }),
  });
  return {
    ...accumulator,
    fields: () => Object.fromEntries(names.map(name => [imaginaryName(name), starts[name]!])),
    combine: (into, to, from, at, count) => accumulator.combine(own(into), to, own(from), at, count),
  };
}

/** The field of imaginary parts beside one of real parts. */
export function imaginaryName(field: string): string {
  return `imaginary ${field}`;
}

export const IMAGINARY_SUM = imaginary(SUM);
export const IMAGINARY_MOMENTS = imaginary(MOMENTS);

const STATE = { pairReal: 1, pairImaginary: 0, pairExponent: 0 };

/** (pairReal + pairImaginary i) * 2 ** pairExponent. */
export const PAIR_PRODUCT: Accumulator = {
  fields: () => STATE,
  elements: { name: 'addPairProduct', state: STATE },
  combine(into, to, from, at, count) {
    for (let i = 0; i < count; i++) {
      const [a, b] = [pairOf(into, to + i), pairOf(from, at + i)];
      into['pairReal']![to + i] = a.real * b.real - a.imaginary * b.imaginary;
      into['pairImaginary']![to + i] = a.real * b.imaginary + a.imaginary * b.real;
      into['pairExponent']![to + i] = a.exponent + b.exponent;
    }
  },
};

/** A product whose larger part is near one. */
function pairOf({ pairReal, pairImaginary, pairExponent }: Fields, cell: number) {
  const [real, imaginary] = [pairReal![cell]!, pairImaginary![cell]!];
  const exponent =
    real === 0 || imaginary === 0
      ? exponentOf(real === 0 ? imaginary : real)
      : Math.max(exponentOf(real), exponentOf(imaginary));
  return {
    real: timesPower(real, -exponent),
    imaginary: timesPower(imaginary, -exponent),
    exponent: pairExponent![cell]! + exponent,
  };
}

function sumOf({ fields }: Cells, cell: number, nameOf: (field: string) => string): number {
  return totalOf(fields[nameOf('sum')]![cell]!, fields[nameOf('sumRest')]![cell]!);
}

/** As numpy divides by count + 0i: NaN in one part shows in both, and so does infinity, since 0 times that is NaN. */
function meanOf(cells: Cells, cell: number, nameOf: (field: string) => string): number {
  const count = usedIn(cells, cell);
  const other = sumOf(cells, cell, nameOf === same ? imaginaryName : same);
  return count === 0 || !Number.isFinite(other) ? Number.NaN : sumOf(cells, cell, nameOf) / count;
}

const same = (field: string): string => field;

/** The mean squared distance from the mean is the sum of that of both parts. */
function varianceOf(cells: Cells, cell: number): number {
  const { m2, [imaginaryName('m2')]: other } = cells.fields;
  return varianceFrom(cells, cell, m2![cell]! + other![cell]!);
}

const MOMENTS_OF_BOTH = ['moments', 'imaginaryMoments'] as const;

export const COMPLEX_STATISTICS = {
  ...COUNT_STATISTICS,
  sum: {
    needs: ['sum', 'imaginarySum'],
    dtype: () => COMPLEX128,
    value: (cells, cell) => sumOf(cells, cell, same),
    imaginary: (cells, cell) => sumOf(cells, cell, imaginaryName),
    showsNan: false,
  },
  mean: {
    needs: ['sum', 'imaginarySum'],
    dtype: () => COMPLEX128,
    value: (cells, cell) => meanOf(cells, cell, same),
    imaginary: (cells, cell) => meanOf(cells, cell, imaginaryName),
    showsNan: false,
  },
  prod: {
    needs: ['pairProduct'],
    dtype: () => COMPLEX128,
    value: ({ fields }, cell) => scaled(fields['pairReal']![cell]!, fields['pairExponent']![cell]!),
    imaginary: ({ fields }, cell) => scaled(fields['pairImaginary']![cell]!, fields['pairExponent']![cell]!),
    showsNan: false,
  },
  var: { needs: MOMENTS_OF_BOTH, dtype: () => FLOAT64, value: varianceOf, showsNan: false },
  std: {
    needs: MOMENTS_OF_BOTH,
    dtype: () => FLOAT64,
    value: (cells, cell) => Math.sqrt(varianceOf(cells, cell)),
    showsNan: false,
  },
} as const satisfies Record<string, Statistic>;

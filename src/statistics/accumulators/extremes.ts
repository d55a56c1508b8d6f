/** The least and the largest element and, where positions are asked for, the first index of each; min, max, ptp, argmin, argmax. */
import { numberDType, withByteOrder, type DType } from '../../dtype/index.js';
import { fail } from '../../errors.js';
import { narrowTo } from '../../narrow.js';
import {
  type Accumulator,
  type Cells,
  exactInteger,
  type Fields,
  hasNan,
  type Integer,
  type Statistic,
  subtractExact,
  usedIn,
} from './accumulator.js';
import { sumDType } from './sum.js';

const INT64 = numberDType('<i8');

export const MIN: Accumulator = {
  fields: isWide => ({ min: Number.POSITIVE_INFINITY, ...(isWide && { minLow: 0 }) }),
  combine: (into, to, from, at, count) => keep(-1, leastOf(into), to, leastOf(from), at, count),
};

export const MAX: Accumulator = {
  fields: isWide => ({ max: Number.NEGATIVE_INFINITY, ...(isWide && { maxLow: 0 }) }),
  combine: (into, to, from, at, count) => keep(1, mostOf(into), to, mostOf(from), at, count),
};

/** Kept with the extreme. */
export const ARGMIN = position('argmin');
export const ARGMAX = position('argmax');

function position(name: string): Accumulator {
  return { fields: () => ({ [name]: Number.POSITIVE_INFINITY }), combine: () => undefined };
}

interface Extreme {
  readonly value: Float64Array;
  readonly low: Float64Array | undefined;
  readonly index: Float64Array | undefined;
}

function leastOf(fields: Fields): Extreme {
  return { value: fields.min!, low: fields.minLow, index: fields['argmin'] };
}

function mostOf(fields: Fields): Extreme {
  return { value: fields.max!, low: fields.maxLow, index: fields['argmax'] };
}

/** Keeps the larger (`sign` 1) or smaller (-1) value, compared by halves for 64-bit integers; of equals the lower index. */
function keep(sign: 1 | -1, into: Extreme, to: number, from: Extreme, at: number, count: number): void {
  const { value, low, index } = into;
  for (let i = at, cell = to; i < at + count; i++, cell++) {
    const a = value[cell]!;
    const b = from.value[i]!;
    // Compared, not subtracted: the difference of equal infinities is NaN.
    let order = b > a ? sign : b < a ? -sign : 0;
    if (order === 0 && low) order = sign * (from.low![i]! - low[cell]!);
    if (index && (order > 0 || (order === 0 && from.index![i]! < index[cell]!))) index[cell] = from.index![i]!;
    if (order <= 0) continue;
    value[cell] = b;
    if (low) low[cell] = from.low![i]!;
  }
}

/** NaN where nothing but NaN was seen. */
function valueOf(cells: Cells, cell: number, value: Float64Array, low: Float64Array | undefined): Integer {
  if (usedIn(cells, cell) === 0) return Number.NaN;
  return low ? exactInteger(low[cell]!, 0, value[cell]) : value[cell]!;
}

export function minOf(cells: Cells, cell: number): Integer {
  return valueOf(cells, cell, cells.fields.min!, cells.fields.minLow);
}

export function maxOf(cells: Cells, cell: number): Integer {
  return valueOf(cells, cell, cells.fields.max!, cells.fields.maxLow);
}

export function rangeOf(cells: Cells, cell: number): Integer {
  const [least, most] = [minOf(cells, cell), maxOf(cells, cell)];
  if (cells.dtype.kind === 'f') return narrowTo(cells.dtype)(Number(most) - Number(least));
  // Of nothing but NaT.
  return Number.isNaN(least) ? Number.NaN : subtractExact(most, least);
}

function positionOf(op: 'argmin' | 'argmax'): (cells: Cells, cell: number) => number {
  return (cells, cell) => {
    if (hasNan(cells, cell)) return cells.fields.nanIndex![cell]!;
    if (usedIn(cells, cell) > 0) return cells.fields[op]![cell]!;
    return fail(
      'empty_selection',
      `${op} needs at least one element that neither where nor nan=omit leaves out; part of the selection has none. Ask for another slice or filter.`,
      { op },
    );
  };
}

function ownDType(dtype: DType): DType {
  return withByteOrder(dtype, '<');
}

export const EXTREME_STATISTICS = {
  min: {
    needs: ['min'],
    dtype: ownDType,
    value: minOf,
    showsNan: true,
    ordered: true,
  },
  max: {
    needs: ['max'],
    dtype: ownDType,
    value: maxOf,
    showsNan: true,
    ordered: true,
  },
  ptp: {
    needs: ['min', 'max'],
    dtype: dtype => (dtype.kind === 'f' ? ownDType(dtype) : sumDType(dtype)),
    value: rangeOf,
    showsNan: true,
    ordered: true,
  },
  argmin: {
    needs: ['min', 'argmin'],
    dtype: () => INT64,
    value: positionOf('argmin'),
    showsNan: false,
    ordered: true,
    positional: true,
  },
  argmax: {
    needs: ['max', 'argmax'],
    dtype: () => INT64,
    value: positionOf('argmax'),
    showsNan: false,
    ordered: true,
    positional: true,
  },
} as const satisfies Record<string, Statistic>;

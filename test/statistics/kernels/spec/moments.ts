/**
 * Sums and moments: of integers to the bit, of floats by loops that lose nothing, to which kernels have to come near in
 * whatever order they add.
 */
import { twoSum, type Cells } from './cell-fields.js';
import type { Elements } from './elements.js';

export function addSum(cells: Cells, cell: number, elements: Elements, omit: boolean): void {
  const { isFloat, isWide } = elements;
  if (isFloat) {
    const values = valuesOf(elements, omit);
    for (const value of values) cells.addToSum(cell, value);
    if (omit) cells.add(cell, 'sumCount', values.length);
    return;
  }
  for (let i = 0; i < elements.length; i++) {
    const value = BigInt(elements.exact(i));
    cells.addInteger(cell, 'sum', isWide ? BigInt.asUintN(32, value) : value);
    if (isWide) cells.addInteger(cell, 'sumRest', value >> 32n);
  }
}

/** Distances are taken from the mean; those of 64-bit integers from the first of them, exactly. */
export function addMoments(cells: Cells, cell: number, elements: Elements, omit: boolean): void {
  const values = valuesOf(elements, omit);
  const count = values.length;
  if (count === 0) return;
  const base = elements.isWide ? BigInt(elements.exact(0)) : 0n;
  const near = elements.isWide ? values.map((_, i) => Number(BigInt(elements.exact(i)) - base)) : values;
  const offset = totalOf(near) / count;
  const distances = near.map(value => value - offset);
  const off = totalOf(distances);
  const squares = totalOf(distances.map(distance => distance * distance)) - (off * off) / count;
  const isFinite = values.every(value => Number.isFinite(value));
  const m2 = !isFinite ? Number.NaN : Number.isNaN(squares) ? Number.POSITIVE_INFINITY : Math.max(squares, 0);
  const from = twoSum(Number(base), offset);
  const rest = Number(base - BigInt(Number(base))) + from.error + off / count;
  cells.addMoments(cell, { count, mean: from.sum, rest: Number.isFinite(from.sum) ? rest : 0, m2 });
}

function totalOf(values: readonly number[]): number {
  let sum = 0;
  let rest = 0;
  for (const value of values) {
    const next = twoSum(sum, value);
    sum = next.sum;
    rest += next.error;
  }
  return Number.isFinite(sum) ? sum + rest : sum;
}

function valuesOf(elements: Elements, omit: boolean): number[] {
  const values = Array.from({ length: elements.length }, (_, i) => elements.value(i));
  return omit ? values.filter(value => !Number.isNaN(value)) : values;
}

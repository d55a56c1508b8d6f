/**
 * Partials → one accumulator over all cells. The caller merges in the order of the chunks, whatever order they were
 * computed in: then the bits of the answer do not depend on the number of workers.
 */
import { fail } from '../errors.js';
import { addPairTo, combineMoments, multiplyRun, type MomentFields } from './combine.js';
import { type Fields, newFields } from './fields.js';
import type { Plan } from './plan.js';
import type { ChunkPartial } from './specs.js';

export interface Accumulator {
  readonly plan: Plan;
  readonly fields: Fields;
}

export function newAccumulator(plan: Plan): Accumulator {
  return { plan, fields: newFields(plan.measure.fields, plan.cells) };
}

/**
 * Adds the next chunk's partial.
 * @throws nan_found when the query refuses NaN and the chunk held one
 */
export function mergePartial(accumulator: Accumulator, partial: ChunkPartial): void {
  const { fields, plan } = accumulator;
  const { cellStart: start, cellCount } = partial;
  if (plan.query.nan === 'raise' && plan.measure.countsNan) refuseNan(partial);
  if (partial.cellSize === plan.cellSize) {
    // The only chunk of these cells.
    for (const name of plan.measure.fields) fields[name]!.set(partial[name]!, start);
    return;
  }
  // Before the counts that it reads.
  if (fields.m2) combineMoments(fields as MomentFields, start, partial as Fields as MomentFields, cellCount);
  for (let cell = 0; cell < cellCount; cell++) {
    if (fields.sum) addPairTo(fields.sum, fields.sumRest!, start + cell, partial.sum![cell]!, partial.sumRest![cell]!);
    if (fields.sumHigh) {
      const { sumHigh, sumHighRest } = partial;
      addPairTo(fields.sumHigh, fields.sumHighRest!, start + cell, sumHigh![cell]!, sumHighRest![cell]!);
    }
    if (fields.prod) mergeProduct(fields, partial, start + cell, cell);
    if (fields.count) fields.count[start + cell]! += partial.count![cell]!;
  }
  if (fields.zeros) {
    for (let cell = 0; cell < cellCount; cell++) fields.zeros[start + cell]! += partial.zeros![cell]!;
  }
  if (fields.nanIndex) {
    const into = fields.nanIndex;
    const from = partial.nanIndex!;
    for (let cell = 0; cell < cellCount; cell++) into[start + cell] = Math.min(into[start + cell]!, from[cell]!);
  }
  if (fields.min) mergeExtreme(-1, leastOf(fields), leastOf(partial), start, cellCount);
  if (fields.max) mergeExtreme(1, mostOf(fields), mostOf(partial), start, cellCount);
}

function mergeProduct(fields: Fields, partial: ChunkPartial, cell: number, from: number): void {
  multiplyRun(partial.prod!, from, from + 1, fields.prod!, fields.prodExponent!, cell);
  fields.prodExponent![cell]! += partial.prodExponent![from]!;
}

interface Extreme {
  readonly value: Float64Array;
  readonly low: Float64Array | undefined;
  readonly index: Float64Array | undefined;
}

function leastOf(fields: Fields): Extreme {
  return { value: fields.min!, low: fields.minLow, index: fields.argmin };
}

function mostOf(fields: Fields): Extreme {
  return { value: fields.max!, low: fields.maxLow, index: fields.argmax };
}

/** Keeps the larger (`sign` 1) or smaller (-1) value, compared by halves for 64-bit integers; of equals the lower index. */
function mergeExtreme(sign: 1 | -1, into: Extreme, from: Extreme, start: number, count: number): void {
  const { value, low, index } = into;
  for (let i = 0, cell = start; i < count; i++, cell++) {
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

function refuseNan(partial: ChunkPartial): void {
  if (partial.count!.every(count => count === partial.cellSize)) return;
  fail('nan_found', 'The selection holds NaN. Ask for nan=omit to leave them out, or nan=propagate.');
}

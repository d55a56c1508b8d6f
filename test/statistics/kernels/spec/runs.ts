/** Kernels over runs, lane by lane as the vectors of kernels/runs.ts have them. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { WANTS_MAX, WANTS_MIN, WANTS_NAN } from '../../../../src/kernels/constants.js';
import { Cells, twoSum } from './cell-fields.js';
import { BLOCK, blocksOf, runOf, type Elements } from './elements.js';
import { extremesOf, keepExtremes, keepValues, keptExtreme } from './extremes.js';
import { distanceOf, momentsOf, type Distances, type Shift } from './moments.js';

type UseRun = (elements: Elements, cell: number, cells: Cells, run: number) => void;

export type RunKernels = ReturnType<typeof runKernels>;

export function runKernels(memory: DataView) {
  const eachRun = (
    [type, ptr, step, length, runs, cells, fieldBytes, cellStep]: readonly number[] & { length: 8 },
    use: UseRun,
  ): void => {
    const fields = new Cells(memory, fieldBytes!);
    for (let run = 0; run < runs!; run++) {
      use(runOf(memory, type!, ptr! + run * step!, length!), cells! + run * cellStep!, fields, run);
    }
  };
  return {
    sumRuns: (a, b, c, d, e, f, g, h, omit) =>
      eachRun([a, b, c, d, e, f, g, h], (elements, cell, cells) => sumRun(cells, cell, elements, omit)),
    momentsRuns: (a, b, c, d, e, f, g, h, omit, extremes, sums) =>
      eachRun([a, b, c, d, e, f, g, h], (elements, cell, cells) => {
        const { isFloat, type } = elements;
        momentsRun(cells, cell, elements, omit && isFloat, extremes && isFloat, sums && type === 'f32');
      }),
    extremesRuns: (a, b, c, d, e, f, g, h) =>
      eachRun([a, b, c, d, e, f, g, h], (elements, cell, cells) =>
        keepExtremes(cells, cell, elements, extremesOf(elements, lanesOf(elements), true)),
      ),
    argsRuns: (a, b, c, d, e, f, g, h, index, indexStep, runIndexStep, wants) =>
      eachRun([a, b, c, d, e, f, g, h], (elements, cell, cells, run) =>
        argsRun(cells, cell, elements, index + run * runIndexStep, indexStep, wants),
      ),
    zerosRuns: (a, b, c, d, e, f, g, h) =>
      eachRun([a, b, c, d, e, f, g, h], (elements, cell, cells) => cells.add(cell, 'zeros', zerosOf(elements))),
  } satisfies Partial<Kernels>;
}

/** Of two vectors. */
function lanesOf({ type }: Elements): number {
  return type === 'f32' ? 8 : 4;
}

function sumRun(cells: Cells, cell: number, elements: Elements, omit: boolean): void {
  if (elements.type === 'f32') {
    for (const block of blocksOf(elements, BLOCK)) cells.addToSum(cell, sumPlain(block, omit));
  } else if (elements.type === 'f64') sumCompensated(cells, cell, elements, omit);
  else sumIntegers(cells, cell, elements);
  if (omit && elements.isFloat) cells.add(cell, 'sumCount', seenOf(elements));
}

function seenOf(elements: Elements): number {
  let seen = 0;
  for (let i = 0; i < elements.length; i++) if (!Number.isNaN(elements.value(i))) seen++;
  return seen;
}

const PLAIN_LANES = 16;

function sumPlain(elements: Elements, omit: boolean): number {
  const lanes = new Float64Array(PLAIN_LANES);
  const body = elements.length - (elements.length % PLAIN_LANES);
  for (let i = 0; i < elements.length; i++) {
    const value = elements.value(i);
    if (!omit || !Number.isNaN(value)) lanes[i < body ? i % PLAIN_LANES : (i - body) % 2]! += value;
  }
  const [even, odd] = [0, 1].map(lane => {
    const at = (i: number): number => lanes[lane + 2 * i]!;
    return at(0) + at(1) + (at(2) + at(3)) + (at(4) + at(5) + (at(6) + at(7)));
  }) as [number, number];
  return even + odd;
}

const COMPENSATED_LANES = 8;
/** Shorter runs are summed in two lanes. */
const SHORT = 64;

function sumCompensated(cells: Cells, cell: number, elements: Elements, omit: boolean): void {
  const sums = new Float64Array(COMPENSATED_LANES);
  const rests = new Float64Array(COMPENSATED_LANES);
  const { length } = elements;
  const body = length < SHORT ? 0 : length - (length % COMPENSATED_LANES);
  for (let i = 0; i < length; i++) {
    const value = elements.value(i);
    const lane = i < body ? i % COMPENSATED_LANES : (i - body) % 2;
    const { sum, error } = twoSum(sums[lane]!, omit && Number.isNaN(value) ? 0 : value);
    sums[lane] = sum;
    rests[lane]! += error;
  }
  for (let lane = 0; lane < (body > 0 ? COMPENSATED_LANES : 2); lane += 2) {
    cells.addToSum(cell, sums[lane]!);
    cells.addToSum(cell, sums[lane + 1]!);
    cells.add(cell, 'sumRest', rests[lane]! + rests[lane + 1]!);
  }
}

function sumIntegers(cells: Cells, cell: number, elements: Elements): void {
  if (!elements.isWide) {
    // Exact: a tile has fewer than 2 ** 21 elements.
    let sum = 0;
    for (let i = 0; i < elements.length; i++) sum += elements.value(i);
    cells.addInteger(cell, 'sum', BigInt(sum));
    return;
  }
  let low = 0n;
  let high = 0n;
  for (let i = 0; i < elements.length; i++) {
    const value = elements.exact(i) as bigint;
    low += BigInt.asUintN(32, value);
    high += value >> 32n;
  }
  cells.addInteger(cell, 'sum', low);
  cells.addInteger(cell, 'sumRest', high);
}

/** Values that the shift of a block is taken from, among the first so many. */
const SAMPLES = 16;
const SAMPLED = 256;
/** A mean that is so few (squared) standard deviations from zero costs no digits worth a shift. */
const NEAR = 16;

function momentsRun(
  cells: Cells,
  cell: number,
  elements: Elements,
  omit: boolean,
  extremes: boolean,
  sums: boolean,
): void {
  for (const block of blocksOf(elements, BLOCK)) {
    const shift = shiftOf(block);
    if (extremes) keepExtremes(cells, cell, block, extremesOf(block, block.type === 'f32' ? 4 : 2, false));
    const found = momentsOf(block, shift, omit, inFourLanes);
    if (!found) continue;
    if (sums) {
      cells.addToSum(cell, found.looked.count * shift.shift);
      cells.addToSum(cell, found.looked.distances);
    }
    cells.addMoments(cell, found.moments);
  }
}

/** A value near the mean, from a few that are not NaN; 0 where that is near enough. */
function shiftOf(elements: Elements): Shift {
  const { length, type } = elements;
  const sampled = Math.min(length, SAMPLED);
  if (elements.isWide) return { shift: 0, base: elements.exact(sampled >> 1) as bigint };
  const samples = Math.min(length, SAMPLES);
  const values = Array.from({ length: samples }, (_, i) => elements.value(Math.floor((i * sampled) / samples)));
  const numbers = values.filter(value => !Number.isNaN(value));
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  if (!Number.isFinite(mean)) return { shift: 0 };
  const scatter = numbers.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  if (mean * mean <= (NEAR * scatter) / numbers.length) return { shift: 0 };
  return { shift: elements.isFloat ? (type === 'f32' ? Math.fround(mean) : mean) : Math.floor(mean) };
}

function inFourLanes(elements: Elements, shift: Shift, omit: boolean): Distances {
  const sums = new Float64Array(4);
  const squares = new Float64Array(4);
  const { length } = elements;
  const body = length - (length % 4);
  let count = 0;
  const add = (i: number, lane: number): void => {
    const distance = distanceOf(elements, i, shift);
    if (omit && Number.isNaN(elements.value(i))) return;
    count++;
    sums[lane]! += distance;
    squares[lane]! += distance * distance;
  };
  for (let i = 0; i < body; i++) add(i, i % 4);
  const join = (lanes: Float64Array): number => lanes[0]! + lanes[2]! + (lanes[1]! + lanes[3]!);
  sums[0] = join(sums);
  squares[0] = join(squares);
  for (let i = body; i < length; i++) add(i, 0);
  return { distances: sums[0], squares: squares[0], count };
}

function argsRun(
  cells: Cells,
  cell: number,
  elements: Elements,
  index: number,
  indexStep: number,
  wants: number,
): void {
  const found = extremesOf(elements, lanesOf(elements), true);
  const lowestIndex = (is: (i: number) => boolean): number => {
    let i = indexStep < 0 ? elements.length - 1 : 0;
    while (!is(i)) i += indexStep < 0 ? -1 : 1;
    return index + i * indexStep;
  };
  const keep = (field: 'argmin' | 'argmax' | 'nanIndex', isBetter: boolean, is: (i: number) => boolean): void => {
    const lowest = lowestIndex(is);
    if (isBetter || lowest < cells.get(cell, field)) cells.set(cell, field, lowest);
  };
  if (wants & WANTS_NAN && found.seen < elements.length) keep('nanIndex', false, i => Number.isNaN(elements.value(i)));
  cells.add(cell, 'seen', found.seen);
  if (found.seen === 0) return;
  const min = keptExtreme(cells, cell, elements, 'min');
  const max = keptExtreme(cells, cell, elements, 'max');
  if (wants & WANTS_MIN && found.least <= min)
    keep('argmin', found.least < min, i => elements.exact(i) === found.least);
  if (wants & WANTS_MAX && found.most >= max) keep('argmax', found.most > max, i => elements.exact(i) === found.most);
  keepValues(cells, cell, elements, found.least, found.most);
}

function zerosOf(elements: Elements): number {
  let zeros = 0;
  for (let i = 0; i < elements.length; i++) if (elements.value(i) === 0) zeros++;
  return zeros;
}

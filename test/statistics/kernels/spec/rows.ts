/** Kernels over rows: the elements of a column are taken one after the other. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { WANTS_NAN } from '../../../../src/kernels/constants.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { Cells } from './cell-fields.js';
import { BLOCK, blocksOf, elementsOf, type Elements } from './elements.js';
import { extremesOf, keepExtremes, keepValues, keptExtreme } from './extremes.js';
import { distanceOf, momentsOf, type Distances, type Shift } from './moments.js';

type UseColumn = (column: Elements, cell: number, block: number) => void;

export type RowKernels = ReturnType<typeof rowKernels>;

export function rowKernels(memory: DataView) {
  const eachColumn = (
    [type, ptr, step, rows, width, blocks, blockStep, cells, , cellStep]: readonly number[] & { length: 10 },
    use: UseColumn,
  ): void => {
    const bytes = NATIVE_BYTES[NATIVE_TYPES[type!]!];
    for (let block = 0; block < blocks!; block++) {
      for (let j = 0; j < width!; j++) {
        const column = elementsOf(memory, type!, ptr! + block * blockStep! + j * bytes, step!, rows!);
        use(column, cells! + block * cellStep! + j * 8, block);
      }
    }
  };
  return {
    sumRows: (a, b, c, d, e, f, g, h, fieldBytes, j, _room, omit) => {
      const cells = new Cells(memory, fieldBytes);
      eachColumn([a, b, c, d, e, f, g, h, fieldBytes, j], (column, cell) => sumColumn(cells, cell, column, omit));
    },
    momentsRows: (a, b, c, d, e, f, g, h, fieldBytes, j, _room, omit, sums) => {
      const cells = new Cells(memory, fieldBytes);
      eachColumn([a, b, c, d, e, f, g, h, fieldBytes, j], (column, cell) =>
        momentsColumn(cells, cell, column, omit && column.isFloat, sums && column.type === 'f32'),
      );
    },
    extremesRows: (a, b, c, d, e, f, g, h, fieldBytes, j, _room) => {
      const cells = new Cells(memory, fieldBytes);
      eachColumn([a, b, c, d, e, f, g, h, fieldBytes, j], (column, cell) =>
        keepExtremes(cells, cell, column, extremesOf(column, 1, false)),
      );
    },
    argsRows: (a, b, c, d, e, f, g, h, fieldBytes, j, index, indexStep, blockIndexStep, wants) => {
      const cells = new Cells(memory, fieldBytes);
      eachColumn([a, b, c, d, e, f, g, h, fieldBytes, j], (column, cell, block) =>
        argsColumn(cells, cell, column, index + block * blockIndexStep, indexStep, wants),
      );
    },
    zerosRows: (a, b, c, d, e, f, g, h, fieldBytes, j) => {
      const cells = new Cells(memory, fieldBytes);
      eachColumn([a, b, c, d, e, f, g, h, fieldBytes, j], (column, cell) => {
        for (let i = 0; i < column.length; i++) if (column.value(i) === 0) cells.add(cell, 'zeros', 1);
      });
    },
  } satisfies Partial<Kernels>;
}

function sumColumn(cells: Cells, cell: number, column: Elements, omit: boolean): void {
  if (!column.isFloat) {
    for (let i = 0; i < column.length; i++) {
      const value = BigInt(column.exact(i));
      cells.addInteger(cell, 'sum', column.isWide ? BigInt.asUintN(32, value) : value);
      if (column.isWide) cells.addInteger(cell, 'sumRest', value >> 32n);
    }
    return;
  }
  for (const block of blocksOf(column, BLOCK)) {
    let plain = 0;
    for (let i = 0; i < block.length; i++) {
      const value = block.value(i);
      if (omit && Number.isNaN(value)) continue;
      if (omit) cells.add(cell, 'sumCount', 1);
      if (block.type === 'f64') cells.addToSum(cell, value);
      else plain += value;
    }
    if (block.type === 'f32') cells.addToSum(cell, plain);
  }
}

/** Rows at the start of a block that its shift is taken from, where it is long or the first. */
const SAMPLES = 8;
const LONG_BLOCK = 1024;
/** A mean that is so few (squared) standard deviations from zero costs no digits worth a shift. */
const NEAR = 16;

function momentsColumn(cells: Cells, cell: number, column: Elements, omit: boolean, sums: boolean): void {
  for (const block of blocksOf(column, BLOCK)) {
    const shift = shiftOf(block, cells, cell);
    const found = momentsOf(block, shift, omit, inOneLane);
    if (!found) continue;
    if (sums) {
      cells.addToSum(cell, found.looked.count * shift.shift);
      cells.addToSum(cell, found.looked.distances);
    }
    cells.addMoments(cell, found.moments);
  }
}

function shiftOf(column: Elements, cells: Cells, cell: number): Shift {
  if (column.isWide) return { shift: 0, base: column.exact(0) as bigint };
  const count = cells.get(cell, 'count');
  const isKnown = column.length < LONG_BLOCK && count > 0;
  const known = isKnown ? { count, mean: cells.get(cell, 'mean'), m2: cells.get(cell, 'm2') } : sampleOf(column);
  const { mean } = known;
  const shift = column.isFloat ? (column.type === 'f32' ? Math.fround(mean) : mean) : Math.floor(mean);
  const isNear = mean * mean * known.count <= NEAR * known.m2;
  return { shift: isNear || !Number.isFinite(shift) ? 0 : shift };
}

function sampleOf(column: Elements): { count: number; mean: number; m2: number } {
  const values = Array.from({ length: Math.min(column.length, SAMPLES) }, (_, i) => column.value(i));
  const numbers = values.filter(value => !Number.isNaN(value));
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const distances = numbers.map(value => value - mean).filter(distance => !Number.isNaN(distance));
  return { count: numbers.length, mean, m2: distances.reduce((sum, distance) => sum + distance * distance, 0) };
}

function inOneLane(column: Elements, shift: Shift, omit: boolean): Distances {
  let distances = 0;
  let squares = 0;
  let count = 0;
  for (let i = 0; i < column.length; i++) {
    const distance = distanceOf(column, i, shift);
    if (omit && Number.isNaN(column.value(i))) continue;
    count++;
    distances += distance;
    squares += distance * distance;
  }
  return { distances, squares, count };
}

function argsColumn(
  cells: Cells,
  cell: number,
  column: Elements,
  index: number,
  indexStep: number,
  wants: number,
): void {
  const keep = (field: 'argmin' | 'argmax' | 'nanIndex', at: number, isBetter: boolean): void => {
    if (isBetter || at < cells.get(cell, field)) cells.set(cell, field, at);
  };
  for (let i = 0; i < column.length; i++) {
    const at = index + i * indexStep;
    const value = column.exact(i);
    if (Number.isNaN(column.value(i))) {
      if (wants & WANTS_NAN) keep('nanIndex', at, false);
      continue;
    }
    cells.add(cell, 'seen', 1);
    const min = keptExtreme(cells, cell, column, 'min');
    const max = keptExtreme(cells, cell, column, 'max');
    if (value <= min) keep('argmin', at, value < min);
    if (value >= max) keep('argmax', at, value > max);
    keepValues(cells, cell, column, value, value);
  }
}

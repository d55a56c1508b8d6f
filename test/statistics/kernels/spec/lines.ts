/** What kernels over runs and rows are told, as src/kernels/lines.ts writes it, and the elements it speaks of. */
import type { Lines } from '../../../../src/kernels/lines.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../../src/kernels/native-types.js';
import { elementsOf, type Elements } from './elements.js';

export function readLines(memory: DataView, at: number): Required<Lines> {
  const number = (i: number): number => memory.getUint32(at + 4 * i, true);
  const index = (i: number): number => memory.getFloat64(at + 64 + 8 * i, true);
  return {
    type: number(0),
    ptr: number(1),
    step: number(2),
    count: number(3),
    length: number(4),
    blocks: number(5),
    blockStep: number(6),
    cells: number(7),
    fieldBytes: number(8),
    cellStep: number(9),
    workspace: number(10),
    omits: number(11) !== 0,
    extremes: number(12) !== 0,
    sums: number(13) !== 0,
    wants: number(14),
    index: index(0),
    indexStep: index(1),
    outerIndexStep: index(2),
  };
}

/** Elements of one cell, its address, and the index of the first. */
export type Use = (elements: Elements, cell: number, index: number) => void;

export function eachRun(memory: DataView, lines: Lines, use: Use): void {
  const { type, ptr, step, count, length, cells, cellStep, index = 0, outerIndexStep = 0 } = lines;
  const itemsize = NATIVE_BYTES[NATIVE_TYPES[type]!];
  for (let run = 0; run < count; run++) {
    const elements = elementsOf(memory, type, ptr + run * step, itemsize, length);
    use(elements, cells + run * cellStep, index + run * outerIndexStep);
  }
}

export function eachColumn(memory: DataView, lines: Lines, use: Use): void {
  const { type, ptr, step, count, length, blocks = 0, blockStep = 0, cells, cellStep } = lines;
  const { index = 0, outerIndexStep = 0 } = lines;
  const itemsize = NATIVE_BYTES[NATIVE_TYPES[type]!];
  for (let block = 0; block < blocks; block++) {
    for (let j = 0; j < length; j++) {
      const elements = elementsOf(memory, type, ptr + block * blockStep + j * itemsize, step, count);
      use(elements, cells + block * cellStep + j * 8, index + block * outerIndexStep);
    }
  }
}

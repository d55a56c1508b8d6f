/** Kernels over blocks of short runs: row by row. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { Cells } from './cell-fields.js';
import type { Elements } from './elements.js';
import { addExtremes } from './extremes.js';
import { eachRun, readLines } from './lines.js';
import { addSum } from './moments.js';

type Add = (cells: Cells, cell: number, elements: Elements, omits: boolean) => void;

export type BlockKernels = ReturnType<typeof blockKernels>;

export function blockKernels(memory: DataView) {
  const over =
    (add: Add) =>
    (at: number): void => {
      const lines = readLines(memory, at);
      const cells = new Cells(memory, lines.fieldBytes);
      for (let row = 0; row < lines.blocks; row++) {
        const ptr = lines.ptr + row * lines.blockStep;
        eachRun(memory, { ...lines, ptr }, (elements, cell) => add(cells, cell, elements, lines.omits));
      }
    };
  return { sumBlocks: over(addSum), extremesBlocks: over(addExtremes) } satisfies Partial<Kernels>;
}

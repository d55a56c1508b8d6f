/** Kernels over runs. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { Cells } from './cell-fields.js';
import { addExtremes, addPositions } from './extremes.js';
import { eachRun, readLines } from './lines.js';
import { addMoments, addSum } from './moments.js';
import type { Elements } from './elements.js';

type Add = (
  cells: Cells,
  cell: number,
  elements: Elements,
  lines: ReturnType<typeof readLines> & { index: number },
) => void;

export type RunKernels = ReturnType<typeof runKernels>;

export function runKernels(memory: DataView) {
  const over =
    (add: Add) =>
    (at: number): void => {
      const lines = readLines(memory, at);
      const cells = new Cells(memory, lines.fieldBytes);
      eachRun(memory, lines, (elements, cell, index) => add(cells, cell, elements, { ...lines, index }));
    };
  return {
    sumRuns: over((cells, cell, elements, { omits }) => addSum(cells, cell, elements, omits)),
    momentsRuns: over((cells, cell, elements, { omits, extremes, sums }) => {
      addMoments(cells, cell, elements, omits && elements.isFloat);
      if (extremes && elements.isFloat) addExtremes(cells, cell, elements);
      if (sums && elements.type === 'f32') addSumAlone(cells, cell, elements, omits);
    }),
    extremesRuns: over(addExtremes),
    argsRuns: over((cells, cell, elements, lines) => addPositions(cells, cell, elements, lines)),
    zerosRuns: over((cells, cell, elements) => addZeros(cells, cell, elements)),
  } satisfies Partial<Kernels>;
}

/** Beside moments, whose COUNT says how many elements there are. */
export function addSumAlone(cells: Cells, cell: number, elements: Elements, omit: boolean): void {
  const count = cells.get(cell, 'sumCount');
  addSum(cells, cell, elements, omit);
  cells.set(cell, 'sumCount', count);
}

export function addZeros(cells: Cells, cell: number, elements: Elements): void {
  for (let i = 0; i < elements.length; i++) if (elements.value(i) === 0) cells.add(cell, 'zeros', 1);
}

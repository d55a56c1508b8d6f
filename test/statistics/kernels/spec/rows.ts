/** Kernels over rows: what those over runs do, with the elements of a column. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { WANTS_MAX, WANTS_MIN } from '../../../../src/kernels/constants.js';
import { Cells } from './cell-fields.js';
import type { Elements } from './elements.js';
import { addExtremes, addPositions } from './extremes.js';
import { eachColumn, readLines } from './lines.js';
import { addMoments, addSum } from './moments.js';
import { addSumAlone, addZeros } from './runs.js';

type Add = (cells: Cells, cell: number, elements: Elements, lines: ReturnType<typeof readLines>) => void;

export type RowKernels = ReturnType<typeof rowKernels>;

export function rowKernels(memory: DataView) {
  const over =
    (add: Add) =>
    (at: number): void => {
      const lines = readLines(memory, at);
      const cells = new Cells(memory, lines.fieldBytes);
      eachColumn(memory, lines, (elements, cell, index) => add(cells, cell, elements, { ...lines, index }));
    };
  return {
    sumRows: over((cells, cell, column, { omits }) => addSum(cells, cell, column, omits)),
    momentsRows: over((cells, cell, column, { omits, sums }) => {
      addMoments(cells, cell, column, omits && column.isFloat);
      if (sums && column.type === 'f32') addSumAlone(cells, cell, column, omits);
    }),
    extremesRows: over(addExtremes),
    argsRows: over((cells, cell, column, { wants, ...lines }) =>
      addPositions(cells, cell, column, { ...lines, wants: wants | WANTS_MIN | WANTS_MAX }),
    ),
    zerosRows: over((cells, cell, column) => addZeros(cells, cell, column)),
  } satisfies Partial<Kernels>;
}

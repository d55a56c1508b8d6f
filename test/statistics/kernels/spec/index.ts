/** All scalar kernels over one memory. A family is a file here, and one of the same name in kernels/. */
import type { ElementKernelName, Kernels } from '../../../../src/kernels/index.js';
import { blockKernels } from './blocks.js';
import { cellKernels } from './cells.js';
import { convertKernels } from './convert.js';
import { groupKernels } from './groups.js';
import { histogramKernels } from './histogram.js';
import { keyRangeKernels } from './key-ranges.js';
import { keyTableKernels } from './key-tables.js';
import { maskKernels } from './masks.js';
import { rowKernels } from './rows.js';
import { runKernels } from './runs.js';
import { scaleKernels } from './scales.js';
import { textKernels } from './texts.js';
import { timeKernels } from './times.js';

/** JavaScript's own digits are the specification of texts: test/formats/float-texts.test.ts holds both to the same. */
export const TEXT_KERNEL = 'floatTexts';

/** Those that take elements one at a time are as plain as a specification would be: the oracle judges their statistics. */
export type SpecifiedKernels = Omit<Kernels, ElementKernelName | typeof TEXT_KERNEL>;

export function scalarKernels(memory: ArrayBuffer): SpecifiedKernels {
  const view = new DataView(memory);
  return {
    ...blockKernels(view),
    ...cellKernels(view),
    ...convertKernels(view),
    ...groupKernels(view),
    ...histogramKernels(view),
    ...keyRangeKernels(view),
    ...keyTableKernels(view),
    ...maskKernels(view),
    ...rowKernels(view),
    ...runKernels(view),
    ...scaleKernels(view),
    ...textKernels(view),
    ...timeKernels(view),
  };
}

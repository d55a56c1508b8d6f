/** All scalar kernels over one memory. A family is a file here, and one of the same name in kernels/. */
import type { Kernels } from '../../../../src/kernels/index.js';
import { cellKernels } from './cells.js';
import { convertKernels } from './convert.js';
import { groupSearchKernels } from './group-search.js';
import { groupKernels } from './groups.js';
import { histogramKernels } from './histogram.js';
import { maskKernels } from './masks.js';
import { rowKernels } from './rows.js';
import { runKernels } from './runs.js';
import { selectKernels } from './select.js';

export function scalarKernels(memory: ArrayBuffer): Kernels {
  const view = new DataView(memory);
  return {
    ...cellKernels(view),
    ...convertKernels(view),
    ...groupKernels(view),
    ...groupSearchKernels(view),
    ...histogramKernels(view),
    ...maskKernels(view),
    ...rowKernels(view),
    ...runKernels(view),
    ...selectKernels(view),
  };
}

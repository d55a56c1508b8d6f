/** All scalar kernels over one memory. A family is a file here, and one of the same name in kernels/. */
import type { Kernels } from '../kernels.js';
import { convertKernels } from './convert.js';
import { groupKernels } from './groups.js';
import { maskKernels } from './masks.js';

export function scalarKernels(memory: ArrayBuffer): Kernels {
  const view = new DataView(memory);
  return { ...convertKernels(view), ...maskKernels(view), ...groupKernels(view) };
}

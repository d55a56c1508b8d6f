/**
 * The kernels as the rest of the statistics sees them: functions over one memory. Pointers are byte addresses in it, of any
 * alignment; those that a kernel answers with may be negative above 2 GiB, as 32-bit integers are. Two implementations
 * give the same results to the bit: WebAssembly, and scalar TypeScript, which is the specification.
 */
import { readFileSync } from 'node:fs';
import type { CellKernels } from './scalar/cells.js';
import type { ConvertKernels } from './scalar/convert.js';
import type { GroupSearchKernels } from './scalar/group-search.js';
import type { GroupKernels } from './scalar/groups.js';
import type { HistogramKernels } from './scalar/histogram.js';
import type { MaskKernels } from './scalar/masks.js';
import type { RowKernels } from './scalar/rows.js';
import type { RunKernels } from './scalar/runs.js';
import type { SelectKernels } from './scalar/select.js';

/** One family per file of kernels/. */
export type Kernels = CellKernels &
  ConvertKernels &
  GroupKernels &
  GroupSearchKernels &
  HistogramKernels &
  MaskKernels &
  RowKernels &
  RunKernels &
  SelectKernels;

/** The module's own constants lie below this address: memory for anybody else starts here. */
export const KERNEL_DATA_BYTES = 64 * 1024;

const MODULE_URL = new URL('kernels.wasm', import.meta.url);

/** Compiles the module, a few milliseconds; once, since it can be sent to other threads. */
export function compileKernels(): WebAssembly.Module {
  return new WebAssembly.Module(new Uint8Array(readFileSync(MODULE_URL)));
}

export function wasmKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as unknown as Kernels;
}

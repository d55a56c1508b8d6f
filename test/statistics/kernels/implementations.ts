/** Both implementations of the kernels, each over a memory of its own: one loop of tests holds them to the same results. */
import {
  compileKernels,
  KERNEL_DATA_BYTES,
  wasmKernels,
  type Kernels,
} from '../../../src/statistics/kernels/kernels.js';
import { scalarKernels } from '../../../src/statistics/kernels/scalar/index.js';

export interface Implementation {
  readonly name: string;
  readonly kernels: Kernels;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The first address that tests may use. */
  readonly base: number;
}

const MEMORY_PAGES = 64;

export const IMPLEMENTATIONS: readonly Implementation[] = [
  implementation('scalar', memory => scalarKernels(memory.buffer)),
  implementation('WebAssembly', memory => wasmKernels(compileKernels(), memory)),
];

function implementation(name: string, make: (memory: WebAssembly.Memory) => Kernels): Implementation {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  return { name, kernels: make(memory), bytes: new Uint8Array(memory.buffer), base: KERNEL_DATA_BYTES };
}

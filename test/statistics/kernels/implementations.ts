/** The kernels and their specification, each over a memory of its own: one loop of tests holds both to the same results. */
import { compileKernels, KERNEL_DATA_BYTES, instantiateKernels, type Kernels } from '../../../src/kernels/index.js';
import { LINES_BYTES, LinesMemory } from '../../../src/kernels/lines.js';
import { scalarKernels } from './spec/index.js';

export interface Implementation {
  readonly name: string;
  readonly kernels: Kernels;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lines: LinesMemory;
  /** The first address that tests may use. */
  readonly base: number;
}

const MEMORY_PAGES = 64;

export const IMPLEMENTATIONS: readonly Implementation[] = [
  implementation('scalar', specification),
  implementation('WebAssembly', memory => instantiateKernels(compileKernels(), memory)),
];

function implementation(name: string, make: (memory: WebAssembly.Memory) => Kernels): Implementation {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const { buffer } = memory;
  const lines = new LinesMemory(buffer, KERNEL_DATA_BYTES);
  const base = KERNEL_DATA_BYTES + 8 * Math.ceil(LINES_BYTES / 8);
  return { name, kernels: make(memory), bytes: new Uint8Array(buffer), lines, base };
}

/** The specification, and the module's own kernels where it has none. */
function specification(memory: WebAssembly.Memory): Kernels {
  return { ...instantiateKernels(compileKernels(), memory), ...scalarKernels(memory.buffer) };
}

/** The kernels and their specification, each over a memory of its own: one loop of tests holds both to the same results. */
import { compileKernels, KERNEL_DATA_BYTES, instantiateKernels, type Kernels } from '../../../src/kernels/index.js';
import { LIMITS } from '../../../src/limits.js';
import { Scratch, type Engine } from '../../../src/statistics/engine.js';
import { scalarKernels } from './spec/index.js';

export interface Implementation {
  readonly name: string;
  readonly kernels: Kernels;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The first address that tests may use. */
  readonly base: number;
}

const MEMORY_PAGES = 64;
const WASM_PAGE_BYTES = 64 * 1024;

export const IMPLEMENTATIONS: readonly Implementation[] = [
  implementation('scalar', specification),
  implementation('WebAssembly', memory => instantiateKernels(compileKernels(), memory)),
];

function implementation(name: string, make: (memory: WebAssembly.Memory) => Kernels): Implementation {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  return { name, kernels: make(memory), bytes: new Uint8Array(memory.buffer), base: KERNEL_DATA_BYTES };
}

/** The specification, and the module's own kernels where it has none. */
function specification(memory: WebAssembly.Memory): Kernels {
  return { ...instantiateKernels(compileKernels(), memory), ...scalarKernels(memory.buffer) };
}

/** An engine that computes by the specification. */
export function specificationEngine(): Engine {
  const bytes = LIMITS.kernelScratchBytes;
  const memory = new WebAssembly.Memory({ initial: bytes / WASM_PAGE_BYTES, maximum: bytes / WASM_PAGE_BYTES });
  const { buffer } = memory;
  return { memory, bytes: new Uint8Array(buffer), kernels: specification(memory), scratch: new Scratch(buffer) };
}

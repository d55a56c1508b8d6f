/**
 * The kernels: functions over one memory, compiled from kernels/ into a WebAssembly module. Pointers are byte addresses in
 * it, of any alignment; those that a kernel answers with may be negative above 2 GiB, as 32-bit integers are. What each
 * does is told where it is written (kernels/), and held to a scalar specification in test/statistics/kernels/spec.
 */
import { readFileSync } from 'node:fs';
import type { Kernels } from './declarations.js';

export type { Kernels } from './declarations.js';

/** Kernels of accumulators that take elements one at a time (kernels/accumulators): what they are told is one struct. */
export type ElementKernelName = {
  [K in keyof Kernels & `add${string}`]: Parameters<Kernels[K]> extends [spec: number] ? K : never;
}[keyof Kernels & `add${string}`];

/** The module's own constants lie below this address: memory for anybody else starts here. */
export const KERNEL_DATA_BYTES = 64 * 1024;

const MODULE_URL = new URL('kernels.wasm', import.meta.url);

/** Compiles the module, in a few milliseconds; it can be sent to other threads. @throws where it cannot be had */
export function compileKernels(): WebAssembly.Module {
  return new WebAssembly.Module(new Uint8Array(readFileSync(MODULE_URL)));
}

export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as unknown as Kernels;
}

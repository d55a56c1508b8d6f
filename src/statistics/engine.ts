/**
 * The memory that kernels work in, one per thread: a low region for tiles, tables and results of the task at hand.
 * Hazard: nothing in it outlives a task; what a task answers with is copied out of it.
 */
import { invariant } from '../errors.js';
import { LIMITS } from '../limits.js';
import { compileKernels, KERNEL_DATA_BYTES, wasmKernels, type Kernels } from './kernels/kernels.js';
import { scalarKernels } from './kernels/scalar/index.js';

export interface Engine {
  /** WebAssembly's, where that can be had. */
  readonly memory: { readonly buffer: ArrayBuffer };
  /** The whole memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly kernels: Kernels;
  readonly scratch: Scratch;
}

/** Scalar kernels are the specification: the same answers to the bit, at a tenth of the speed. */
export type KernelChoice = 'wasm' | 'scalar';

const WASM_PAGE_BYTES = 64 * 1024;

/**
 * @param choice a module is compiled already: one is enough for all threads
 * @param memoryBytes address space; what lies above LIMITS.kernelScratchBytes is the caller's to map files into
 * @throws where WebAssembly, its module or its memory cannot be had; scalar kernels take ordinary memory then
 */
export function newEngine(
  choice: KernelChoice | WebAssembly.Module = 'wasm',
  memoryBytes: number = LIMITS.kernelScratchBytes,
): Engine {
  if (choice === 'scalar') {
    const memory = memoryIfAny(memoryBytes) ?? { buffer: new ArrayBuffer(LIMITS.kernelScratchBytes) };
    return engineOver(memory, scalarKernels(memory.buffer));
  }
  const memory = newMemory(memoryBytes);
  return engineOver(memory, wasmKernels(choice === 'wasm' ? compileKernels() : choice, memory));
}

function engineOver(memory: Engine['memory'], kernels: Kernels): Engine {
  return { memory, bytes: new Uint8Array(memory.buffer), kernels, scratch: new Scratch(memory.buffer) };
}

function memoryIfAny(bytes: number): WebAssembly.Memory | undefined {
  try {
    return newMemory(bytes);
  } catch {
    return undefined;
  }
}

/** As much as can be had: strict overcommit, or a limit on address space, allow less. */
function newMemory(bytes: number): WebAssembly.Memory {
  const pages = bytes / WASM_PAGE_BYTES;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    if (bytes / 2 < LIMITS.kernelScratchBytes) throw error;
    return newMemory(bytes / 2);
  }
}

/** A stack of stretches of the low region. Addresses are bytes from the start of the memory. */
export class Scratch {
  readonly #buffer: ArrayBuffer;
  readonly #endBytes: number;
  #top = KERNEL_DATA_BYTES;

  constructor(buffer: ArrayBuffer, endBytes = Math.min(buffer.byteLength, LIMITS.kernelScratchBytes)) {
    this.#buffer = buffer;
    this.#endBytes = endBytes;
  }

  /** Bytes that are left. */
  get free(): number {
    return this.#endBytes - this.#top;
  }

  /** Takes memory, with whatever the task before left in it. The plan has seen to it that it is there. */
  alloc(bytes: number, align = 16): number {
    const ptr = Math.ceil(this.#top / align) * align;
    invariant(ptr + bytes <= this.#endBytes, 'the memory of a task is planned');
    this.#top = ptr + bytes;
    return ptr;
  }

  /** Everything that is taken from now on is given back by `release`. */
  mark(): number {
    return this.#top;
  }

  release(mark: number): void {
    this.#top = mark;
  }

  f64(ptr: number, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#buffer, ptr, length);
  }

  u32(ptr: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#buffer, ptr, length);
  }

  u64(ptr: number, length: number): BigUint64Array<ArrayBuffer> {
    return new BigUint64Array(this.#buffer, ptr, length);
  }

  u8(ptr: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, ptr, length);
  }
}

/**
 * The memory that kernels work in, one per thread: a low region for tiles, tables and results of the task at hand.
 * Hazard: nothing in it outlives a task; what a task answers with is copied out of it.
 */
import { invariant } from '../errors.js';
import { LIMITS } from '../limits.js';
import { compileKernels, instantiateKernels, KERNEL_DATA_BYTES, type Kernels } from './index.js';
import { LINES_BYTES, LinesMemory } from './lines.js';

export interface Engine {
  readonly memory: WebAssembly.Memory;
  /** The whole memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly kernels: Kernels;
  readonly scratch: Scratch;
  /** Where kernels over runs and rows are told what to do. */
  readonly lines: LinesMemory;
}

const WASM_PAGE_BYTES = 64 * 1024;

/**
 * @param module the compiled kernels: one is enough for all threads
 * @param memoryBytes address space; what lies above LIMITS.kernelScratchBytes is the caller's to map files into
 * @throws where WebAssembly, its module or its memory cannot be had
 */
export function newEngine(module = compileKernels(), memoryBytes: number = LIMITS.kernelScratchBytes): Engine {
  const memory = newMemory(memoryBytes);
  const { buffer } = memory;
  const kernels = instantiateKernels(module, memory);
  const scratch = new Scratch(buffer);
  const lines = new LinesMemory(buffer, scratch.alloc(LINES_BYTES));
  return { memory, bytes: new Uint8Array(buffer), kernels, scratch, lines };
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

/**
 * The mapped windows of one open file, made when they are first needed. Windows overlap by two spans, so that any span
 * (LIMITS.spanBytesMax) lies wholly in one window and no element is ever cut by a window's edge.
 */
import { LIMITS } from '../limits.js';
import type { WindowCount } from './open-files.js';
import type { MappingBackend, Window } from './mapping.js';
import { WINDOW_ALIGNMENT_BYTES } from './mapping.js';

const OVERLAP_BYTES = 2 * LIMITS.spanBytesMax;
const STEP_BYTES = LIMITS.windowBytesMax - OVERLAP_BYTES;

export class Windows {
  readonly #fd: number;
  readonly #backend: MappingBackend;
  /** Of all files together. */
  readonly #mapped: WindowCount;
  readonly #byIndex = new Map<number, Window>();
  /** Windows that a longer one replaced; readers may still look at them. */
  readonly #outgrown: Window[] = [];

  constructor(fd: number, backend: MappingBackend, mapped: WindowCount) {
    this.#fd = fd;
    this.#backend = backend;
    this.#mapped = mapped;
  }

  get count(): number {
    return this.#byIndex.size + this.#outgrown.length;
  }

  /** The window that holds the whole of `[start, end)`, at most a span; undefined where it cannot be mapped (any more). */
  holding(start: number, end: number, fileBytes: () => number): Window | undefined {
    const index = Math.floor(start / STEP_BYTES);
    const known = this.#byIndex.get(index);
    if (known && known.start + known.bytes.byteLength >= end) return known;
    return this.#map(index, end, fileBytes(), known);
  }

  /** The windows that hold every span of `[start, end)`; undefined where one cannot be mapped. */
  covering(start: number, end: number, fileBytes: () => number): Window[] | undefined {
    const windows: Window[] = [];
    for (let index = Math.floor(start / STEP_BYTES); index * STEP_BYTES < end; index++) {
      const from = Math.max(start, index * STEP_BYTES);
      const window = this.holding(from, Math.min(end, from + LIMITS.spanBytesMax), fileBytes);
      if (!window) return undefined;
      windows.push(window);
    }
    return windows;
  }

  /** Unmaps everything. Only when nobody reads. */
  clear(): void {
    this.#mapped.windows -= this.count;
    for (const window of [...this.#byIndex.values(), ...this.#outgrown]) window.unmap();
    this.#byIndex.clear();
    this.#outgrown.length = 0;
  }

  #map(index: number, end: number, fileBytes: number, outgrown: Window | undefined): Window | undefined {
    const start = index * STEP_BYTES;
    // A file may have grown beyond what the backend can map since it was opened.
    const length = Math.min(LIMITS.windowBytesMax, Math.min(fileBytes, this.#backend.fileBytesMax) - start);
    if (start + length < end || this.#mapped.windows >= 2 * LIMITS.windowsMax) return undefined;
    const window = this.#backend.map(this.#fd, start, length);
    if (!window) return undefined;
    this.#mapped.windows++;
    if (outgrown) this.#outgrown.push(outgrown);
    this.#byIndex.set(index, window);
    return window;
  }
}

/** STEP_BYTES is a multiple of the alignment as long as the limits are. */
if (STEP_BYTES % WINDOW_ALIGNMENT_BYTES !== 0) throw new Error('windows must start at aligned positions');

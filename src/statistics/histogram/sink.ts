/**
 * The worker's side of a histogram of elements of 32 or 64 bits. Counts of all chunks of a task become one partial. Memory:
 * the edges, the counters, a table of 32 KiB for pairs or of 256 KiB for where to look for edges.
 */
import { eachCellRows } from '../scan/cell-rows.js';
import type { Engine } from '../engine.js';
import * as SPEC from '../../kernels/bin-spec.js';
import { PAIR_ELEMENTS_MAX } from '../../kernels/constants.js';
import { NATIVE_BYTES, NATIVE_TYPES, nativeTypeOf } from '../../kernels/native-types.js';
import type { Tile } from '../scan/tiles.js';
import type { ChunkTask } from '../scan/scan.js';
import { writeBinSpec, type BinSpec } from './spec.js';
import type { HistogramSpec, HistogramPartial } from '../specs.js';
import type { Sink } from '../pass.js';

export class HistogramSink implements Sink {
  readonly #engine: Engine;
  readonly #spec: BinSpec | undefined;
  readonly #type: number;
  readonly #itemsize: number;
  readonly #counterCount: number;
  readonly #counters: number;
  readonly #edges: number;
  /** Where the spec, or the starts, are. */
  readonly #howAt: number;
  readonly #pairs: number;
  /** Elements in pairs that are not added up yet. */
  #paired = 0;
  #nans = 0;

  constructor({ scratch, memory, ...engine }: Engine, { edges, spec, starts }: HistogramSpec, { dtype }: ChunkTask) {
    this.#engine = { scratch, memory, ...engine };
    this.#spec = spec;
    const type = nativeTypeOf(dtype);
    this.#type = NATIVE_TYPES.indexOf(type);
    this.#itemsize = NATIVE_BYTES[type];
    this.#counterCount = edges.length + 1;
    // Whole rows of pairs are added to the counters.
    const counterRoom = Math.max(this.#counterCount, spec?.width ?? 0);
    this.#counters = scratch.alloc(4 * counterRoom);
    scratch.u32(this.#counters, counterRoom).fill(0);
    // A search may look at what is before the edges.
    this.#edges = scratch.alloc(8 * (edges.length + 1)) + 8;
    scratch.f64(this.#edges, edges.length).set(edges);
    this.#howAt = scratch.alloc(starts ? 4 * starts.length : SPEC.SPEC_BYTES);
    if (starts) scratch.u32(this.#howAt, starts.length).set(starts);
    if (spec) writeBinSpec(new DataView(memory.buffer), this.#howAt, spec, this.#edges);
    const pairBytes = spec?.counting === 'pairs' ? 2 * spec.width ** 2 : 0;
    this.#pairs = scratch.alloc(pairBytes);
    scratch.u8(this.#pairs, pairBytes).fill(0);
  }

  add(tile: Tile): void {
    eachCellRows(tile, (ptr, rows, stride, count) => {
      if (this.#spec?.counting === 'pairs') this.#countPairs(ptr, rows, stride, count);
      else this.#nans += this.#count(ptr, rows, stride, count);
    });
  }

  partial(): HistogramPartial {
    if (this.#paired > 0) this.#addPairs();
    return { counts: this.#engine.scratch.u32(this.#counters, this.#counterCount).slice(), nans: this.#nans };
  }

  #count(ptr: number, rows: number, stride: number, count: number): number {
    const { kernels } = this.#engine;
    if (!this.#spec) {
      return kernels.seekBins(this.#type, ptr, rows, stride, count, this.#howAt, this.#edges, this.#counters);
    }
    const name = this.#spec.counting === 'bins' ? 'countBins' : 'countExactly';
    return kernels[name](this.#type, ptr, rows, stride, count, this.#howAt, this.#counters);
  }

  /** As many elements at a time as pairs can take before they are added up. */
  #countPairs(ptr: number, rows: number, stride: number, count: number): void {
    const { kernels } = this.#engine;
    if (count > PAIR_ELEMENTS_MAX) {
      for (let row = 0; row < rows; row++) {
        for (let done = 0; done < count; done += PAIR_ELEMENTS_MAX) {
          const part = Math.min(PAIR_ELEMENTS_MAX, count - done);
          this.#countPairs(ptr + row * stride + done * this.#itemsize, 1, 0, part);
        }
      }
      return;
    }
    const rowsMax = Math.floor(PAIR_ELEMENTS_MAX / count);
    for (let done = 0; done < rows; done += rowsMax) {
      const part = Math.min(rowsMax, rows - done);
      if (this.#paired + part * count > PAIR_ELEMENTS_MAX) this.#addPairs();
      this.#paired += part * count;
      const at = ptr + done * stride;
      this.#nans += kernels.countPairs(this.#type, at, part, stride, count, this.#howAt, this.#counters, this.#pairs);
    }
  }

  #addPairs(): void {
    this.#engine.kernels.addPairs(this.#pairs, this.#spec!.width, this.#counters);
    this.#paired = 0;
  }
}

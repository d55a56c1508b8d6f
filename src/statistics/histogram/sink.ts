/**
 * The worker's side of a histogram of elements of 32 or 64 bits. Counts of all chunks of a task become one partial. Memory:
 * the edges, the counters, a table of 32 KiB for pairs or of 256 KiB for where to look for edges.
 */
import type { Engine } from '../../kernels/engine.js';
import * as SPEC from '../../kernels/bin-spec.js';
import { PAIR_ELEMENTS_MAX } from '../../kernels/constants.js';
import { NATIVE_BYTES, NATIVE_TYPES, nativeTypeOf } from '../../kernels/native-types.js';
import { eachCellRows, type Tile } from '../../scan/tiles.js';
import type { ChunkTask } from '../../scan/scan.js';
import type { PartialOf, SpecOf } from '../specs.js';
import type { Sink } from '../pass.js';
import { type BinSpec, writeBinRows, writeBinSpec } from '../../kernels/bins.js';

export class HistogramSink implements Sink {
  readonly #engine: Engine;
  readonly #spec: BinSpec | undefined;
  readonly #itemsize: number;
  readonly #counterCount: number;
  readonly #counters: number;
  readonly #memory: DataView;
  /** Where kernels are told of bins and tiles. */
  readonly #specAt: number;
  readonly #pairs: number;
  /** Elements in pairs that are not added up yet. */
  #paired = 0;
  #nans = 0;

  constructor(
    { scratch, memory, ...engine }: Engine,
    { edges, spec, starts }: SpecOf<'histogram'>,
    { dtype }: ChunkTask,
  ) {
    this.#engine = { scratch, memory, ...engine };
    this.#spec = spec;
    const type = nativeTypeOf(dtype);
    this.#itemsize = NATIVE_BYTES[type];
    this.#counterCount = edges.length + 1;
    // Whole rows of pairs are added to the counters.
    const counterRoom = Math.max(this.#counterCount, spec?.width ?? 0);
    this.#counters = scratch.alloc(4 * counterRoom);
    scratch.u32(this.#counters, counterRoom).fill(0);
    const edgesAt = scratch.alloc(8 * edges.length);
    scratch.f64(edgesAt, edges.length).set(edges);
    const startsAt = scratch.alloc(starts ? 4 * starts.length : 0);
    if (starts) scratch.u32(startsAt, starts.length).set(starts);
    const pairBytes = spec?.counting === 'pairs' ? 2 * spec.width ** 2 : 0;
    this.#pairs = scratch.alloc(pairBytes);
    scratch.u8(this.#pairs, pairBytes).fill(0);
    this.#memory = new DataView(memory.buffer);
    this.#specAt = scratch.alloc(SPEC.SPEC_BYTES);
    writeBinSpec(this.#memory, this.#specAt, spec, {
      type: NATIVE_TYPES.indexOf(type),
      counters: this.#counters,
      edges: edgesAt,
      pairs: this.#pairs,
      starts: startsAt,
    });
  }

  add(tile: Tile): void {
    eachCellRows(tile, (ptr, rows, stride, count) => {
      if (this.#spec?.counting === 'pairs') this.#countPairs(ptr, rows, stride, count);
      else this.#nans += this.#count(ptr, rows, stride, count);
    });
  }

  partial(): PartialOf<'histogram'> {
    if (this.#paired > 0) this.#addPairs();
    return { counts: this.#engine.scratch.u32(this.#counters, this.#counterCount).slice(), nans: this.#nans };
  }

  #count(ptr: number, rows: number, stride: number, count: number): number {
    const { kernels } = this.#engine;
    writeBinRows(this.#memory, this.#specAt, [ptr, rows, stride, count]);
    if (!this.#spec) return kernels.seekBins(this.#specAt);
    const name = { pairs: 'countPairs', bins: 'countBins', exactly: 'countExactly' } as const;
    return kernels[name[this.#spec.counting]](this.#specAt);
  }

  /** As many elements at a time as pairs can take before they are added up. */
  #countPairs(ptr: number, rows: number, stride: number, count: number): void {
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
      this.#nans += this.#count(ptr + done * stride, part, stride, count);
    }
  }

  #addPairs(): void {
    this.#engine.kernels.addPairs(this.#pairs, this.#spec!.width, this.#counters);
    this.#paired = 0;
  }
}

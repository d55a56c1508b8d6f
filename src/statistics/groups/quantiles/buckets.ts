/** The worker's side of counting by buckets: groups as they appear, and how their values spread over a scale. */
import type { Engine } from '../../../kernels/engine.js';
import { nativeTypeOf } from '../../../kernels/native-types.js';
import type { Tile } from '../../../scan/tiles.js';
import type { ChunkTask } from '../../../scan/scan.js';
import { BLOCK_ROWS, RowGroups } from '../row-groups.js';
import type { BucketsSegment, Counters, PartialOf, SpecOf } from '../../specs.js';
import type { Sink } from '../../pass.js';
import { BlockValues, eachBlock } from '../row-values.js';

/** Counters of the buckets of a task: 1 MiB, which a second-level cache holds; and each task answers with them. */
export const BUCKET_COUNTERS_MAX = 256 * 1024;

/** Times that the counters of a task may be full of groups. A sample has told how many there are: it did not know these. */
const FULL_MAX = 4;

/** Counts are whole numbers: one partial stands for all chunks of a task. */
export class BucketsSink implements Sink {
  readonly #engine: Engine;
  readonly #spec: SpecOf<'group-buckets'>;
  readonly #cells: number;
  readonly #groups: RowGroups;
  readonly #block: BlockValues;
  readonly #counters: number;
  #segments: BucketsSegment[] = [];

  constructor(engine: Engine, spec: SpecOf<'group-buckets'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#spec = spec;
    this.#cells = chunk.cellCount;
    const groupsMax = Math.max(1, Math.floor(BUCKET_COUNTERS_MAX / (spec.scale.buckets * this.#cells)));
    this.#groups = new RowGroups(engine, spec.keys, groupsMax);
    this.#block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
    this.#counters = engine.scratch.alloc(this.#counterBytes(groupsMax));
  }

  #counterBytes(groups: number): number {
    return 4 * groups * this.#cells * this.#spec.scale.buckets;
  }

  add(tile: Tile): void {
    const { kernels } = this.#engine;
    const { low, perUnit, buckets } = this.#spec.scale;
    const elements = this.#block.of(tile);
    eachBlock(
      this.#groups,
      tile.rows!,
      () => this.#setAside(),
      (rows, groupIndices, before) => {
        this.#begin(before, this.#groups.known);
        for (const element of elements) {
          const values = this.#block.at(tile.ptr, element, rows, groupIndices, this.#cells, element.cell);
          kernels.countScaled(values, low, perUnit, buckets, this.#counters);
        }
      },
    );
  }

  /** Groups `[from, to)` are new. */
  #begin(from: number, to: number): void {
    if (from === to) return;
    this.#engine.scratch.u8(this.#counters + this.#counterBytes(from), this.#counterBytes(to - from)).fill(0);
  }

  partial(): PartialOf<'group-buckets'> {
    this.#setAside();
    return { counted: this.#segments };
  }

  #setAside(): void {
    const groups = this.#groups.known;
    if (groups === 0) return;
    const sizes = this.#sizesOf(groups * this.#cells);
    const isLost = this.#segments.length >= FULL_MAX;
    // They would be too much to keep, here and where they are merged.
    if (isLost) this.#segments = this.#segments.map(segment => ({ ...segment, counters: undefined }));
    const counters = isLost ? undefined : this.#narrowed(this.#counterBytes(groups) / 4, sizes.largest);
    const { missing, present } = sizes;
    this.#segments.push({ groups, keys: this.#groups.keysOf(), missing, present, counters });
    this.#groups.clear();
  }

  #sizesOf(cells: number): Pick<BucketsSegment, 'missing' | 'present'> & { readonly largest: number } {
    const { kernels, scratch } = this.#engine;
    const mark = scratch.mark();
    const [missing, present] = [scratch.alloc(4 * cells), scratch.alloc(4 * cells)];
    const largest = kernels.cellSizes(this.#counters, cells, this.#spec.scale.buckets, missing, present) >>> 0;
    const sizes = {
      missing: scratch.u32(missing, cells).slice(),
      present: scratch.u32(present, cells).slice(),
      largest,
    };
    scratch.release(mark);
    return sizes;
  }

  /** A copy: a quarter of the bytes to be sent and merged, as a rule. */
  #narrowed(count: number, largest: number): Counters {
    const { kernels, scratch } = this.#engine;
    if (largest >= 2 ** 16) return scratch.u32(this.#counters, count).slice();
    const itemBytes = largest < 2 ** 8 ? 1 : 2;
    const mark = scratch.mark();
    const to = scratch.alloc(itemBytes * count);
    kernels.narrowCounters(this.#counters, count, itemBytes, to);
    const narrow = scratch.u8(to, itemBytes * count).slice();
    scratch.release(mark);
    return itemBytes === 1 ? narrow : new Uint16Array(narrow.buffer);
  }
}

export class SampleSink implements Sink {
  readonly #engine: Engine;
  readonly #groups: RowGroups;
  readonly #block: BlockValues;
  readonly #wide: number;
  readonly #values: Float64Array<ArrayBuffer>[] = [];
  #rows = 0;

  constructor(engine: Engine, { keys }: SpecOf<'group-sample'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#groups = new RowGroups(engine, keys, Math.max(1, chunk.rows!.length));
    this.#block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
    this.#wide = engine.scratch.alloc(8 * BLOCK_ROWS);
  }

  add(tile: Tile): void {
    const { kernels, scratch } = this.#engine;
    const elements = this.#block.of(tile);
    eachBlock(
      this.#groups,
      tile.rows!,
      () => {},
      rows => {
        this.#rows += rows.count;
        for (const element of elements) {
          kernels.widen(...this.#block.plain(tile.ptr, element, rows), rows.count, this.#wide);
          this.#values.push(scratch.f64(this.#wide, rows.count).slice());
        }
      },
    );
  }

  partial(): PartialOf<'group-sample'> {
    const values = new Float64Array(this.#values.reduce((sum, each) => sum + each.length, 0));
    let at = 0;
    for (const each of this.#values) {
      values.set(each, at);
      at += each.length;
    }
    return { cellStart: 0, cellCount: 1, rows: this.#rows, keys: this.#groups.keysOf(), values };
  }
}

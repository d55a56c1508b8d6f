/** The worker's side of looking for elements of groups: samples, buckets of values, digits and codes in ranges. */
import type { Engine } from '../../engine.js';
import type { Measurement } from '../../measurements.js';
import { NATIVE_BYTES, NATIVE_TYPES, nativeTypeOf, type NativeType } from '../../native-types.js';
import type { Tile } from '../../tiles.js';
import type { ChunkTask } from '../../walk.js';
import { eachBlock, valuesAt } from '../blocks.js';
import { RowElements, type RowElement } from '../elements.js';
import { partsOf } from '../measure.js';
import { BLOCK_ROWS, RowGroups, type BlockRows } from '../row-groups.js';
import type {
  BucketsMeasure,
  BucketsPartial,
  CodesMeasure,
  CodesPartial,
  DigitsOfGroupsMeasure,
  DigitsOfGroupsPartial,
  Ranges,
  SampleMeasure,
  SamplePartial,
} from './measures.js';

/** Counters of the buckets of a task: 2 MiB, about a second-level cache. */
export const BUCKET_COUNTERS_MAX = 512 * 1024;

/** Values of one element of a block of rows, and their cells. */
class BlockValues {
  readonly #engine: Engine;
  readonly #typeNumber: number;
  readonly #elements: RowElements;
  readonly values: number;
  readonly cells: number;

  constructor(engine: Engine, type: NativeType) {
    this.#engine = engine;
    this.#typeNumber = NATIVE_TYPES.indexOf(type);
    this.#elements = new RowElements(NATIVE_BYTES[type]);
    this.values = engine.scratch.alloc(8 * BLOCK_ROWS);
    this.cells = engine.scratch.alloc(4 * BLOCK_ROWS);
  }

  of({ box }: Tile): readonly RowElement[] {
    return this.#elements.of(box);
  }

  /** Puts packed float64, or codes, at `values`. */
  load(as: 'widen' | 'codes', ptr: number, element: RowElement, rows: BlockRows): void {
    const from = valuesAt(ptr, element, rows);
    this.#engine.kernels[as](this.#typeNumber, from, element.stride, rows.picked, rows.count, this.values);
  }

  /** The cells of the rows: ordinals where each group has one. */
  cellsOf(ordinals: number, count: number, scale: number, cell: number): number {
    if (scale === 1) return ordinals;
    this.#engine.kernels.cellsOf(ordinals, count, scale, cell, this.cells);
    return this.cells;
  }
}

export class SampleMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #groups: RowGroups;
  readonly #block: BlockValues;
  readonly #values: Float64Array<ArrayBuffer>[] = [];
  #rows = 0;

  constructor(engine: Engine, { keys }: SampleMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#groups = new RowGroups(engine, keys, Math.max(1, chunk.rows!.length));
    this.#block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
  }

  add(tile: Tile): void {
    const elements = this.#block.of(tile);
    eachBlock(
      this.#groups,
      tile.rows!,
      () => {},
      rows => {
        this.#rows += rows.count;
        for (const element of elements) {
          this.#block.load('widen', tile.ptr, element, rows);
          this.#values.push(this.#engine.scratch.f64(this.#block.values, rows.count).slice());
        }
      },
    );
  }

  partial(): SamplePartial {
    const values = new Float64Array(this.#values.reduce((sum, each) => sum + each.length, 0));
    let at = 0;
    for (const each of this.#values) {
      values.set(each, at);
      at += each.length;
    }
    return { cellStart: 0, cellCount: 1, rows: this.#rows, keys: this.#groups.keysOf(), values };
  }
}

/** Counts are whole numbers: one partial stands for all chunks of a task. */
export class BucketsMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #measure: BucketsMeasure;
  readonly #cells: number;
  readonly #groups: RowGroups;
  readonly #block: BlockValues;
  readonly #rows: number;
  readonly #counters: number;
  readonly #segments: Omit<BucketsPartial, 'cellStart' | 'cellCount'>[] = [];

  constructor(engine: Engine, measure: BucketsMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#measure = measure;
    this.#cells = chunk.cellCount;
    const groupsMax = Math.max(1, Math.floor(BUCKET_COUNTERS_MAX / (measure.scale.buckets * this.#cells)));
    this.#groups = new RowGroups(engine, measure.keys, groupsMax);
    this.#block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
    this.#rows = engine.scratch.alloc(4 * groupsMax);
    this.#counters = engine.scratch.alloc(this.#counterBytes(groupsMax));
  }

  #counterBytes(groups: number): number {
    return 4 * groups * this.#cells * this.#measure.scale.buckets;
  }

  add(tile: Tile): void {
    const { kernels, scratch } = this.#engine;
    const { low, perUnit, buckets } = this.#measure.scale;
    const elements = this.#block.of(tile);
    eachBlock(
      this.#groups,
      tile.rows!,
      () => this.#setAside(),
      (rows, ordinals, before) => {
        const { known } = this.#groups;
        if (known > before) {
          scratch.u32(this.#rows + 4 * before, known - before).fill(0);
          scratch.u8(this.#counters + this.#counterBytes(before), this.#counterBytes(known - before)).fill(0);
        }
        if (tile.rows!.isFirstStrip) kernels.countCells(ordinals, rows.count, this.#rows);
        for (const element of elements) {
          this.#block.load('widen', tile.ptr, element, rows);
          const cells = this.#block.cellsOf(ordinals, rows.count, this.#cells, element.cell);
          kernels.countScaled(this.#block.values, cells, rows.count, low, perUnit, buckets, this.#counters);
        }
      },
    );
  }

  partial(): BucketsPartial {
    this.#setAside();
    const segments = this.#segments;
    const groups = segments.reduce((sum, segment) => sum + segment.groups, 0);
    const keys = new BigUint64Array(groups * this.#groups.parts);
    const rows = new Uint32Array(groups);
    const counts = new Uint32Array(this.#counterBytes(groups) / 4);
    let at = 0;
    for (const segment of segments) {
      keys.set(segment.keys, at * this.#groups.parts);
      rows.set(segment.rows, at);
      counts.set(segment.counts, this.#counterBytes(at) / 4);
      at += segment.groups;
    }
    return { cellStart: 0, cellCount: groups * this.#cells, groups, keys, rows, counts };
  }

  #setAside(): void {
    const groups = this.#groups.known;
    if (groups === 0) return;
    const { scratch } = this.#engine;
    this.#segments.push({
      groups,
      keys: this.#groups.keysOf(),
      rows: scratch.u32(this.#rows, groups).slice(),
      counts: scratch.u32(this.#counters, this.#counterBytes(groups) / 4).slice(),
    });
    this.#groups.clear();
  }
}

interface PlacedRanges {
  readonly hulls: number;
  readonly starts: number;
  readonly ranges: number;
}

/** What looks into ranges: all groups are known. */
class RangedGroups {
  readonly groups: RowGroups;
  readonly block: BlockValues;
  readonly #measure: DigitsOfGroupsMeasure | CodesMeasure;
  readonly #placed: PlacedRanges;

  constructor(engine: Engine, measure: DigitsOfGroupsMeasure | CodesMeasure, chunk: ChunkTask) {
    this.#measure = measure;
    const groups = measure.known.length / partsOf(measure.keys).length;
    this.groups = new RowGroups(engine, measure.keys, Math.max(1, groups));
    this.groups.preload(measure.known);
    this.block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
    this.#placed = placeRanges(engine, measure.where);
  }

  /** Calls back with the codes of each element of each block, and their cells. */
  each(tile: Tile, use: (codes: number, cells: number, count: number) => void): void {
    const elements = this.block.of(tile);
    const { cellStart } = tile.rows!;
    eachBlock(
      this.groups,
      tile.rows!,
      () => {},
      (rows, ordinals) => {
        for (const element of elements) {
          this.block.load('codes', tile.ptr, element, rows);
          const cell = cellStart + element.cell;
          const cells = this.block.cellsOf(ordinals, rows.count, this.#measure.cellsPerGroup, cell);
          use(this.block.values, cells, rows.count);
        }
      },
    );
  }

  get lookup(): readonly [number, number, number, number, number] {
    const { firstCell, cellCount } = this.#measure.where;
    const { hulls, starts, ranges } = this.#placed;
    return [firstCell, cellCount, hulls, starts, ranges];
  }
}

function placeRanges({ scratch }: Engine, { hulls, starts, ranges }: Ranges): PlacedRanges {
  const put = (words: BigUint64Array): number => {
    const ptr = scratch.alloc(8 * words.length);
    scratch.u64(ptr, words.length).set(words);
    return ptr;
  };
  const startsAt = scratch.alloc(4 * starts.length);
  scratch.u32(startsAt, starts.length).set(starts);
  return { hulls: hulls ? put(hulls) : 0, starts: startsAt, ranges: put(ranges) };
}

/** One partial stands for all chunks of a task. */
export class DigitsOfGroupsMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #ranged: RangedGroups;
  readonly #bits: number;
  readonly #counters: number;
  readonly #length: number;

  constructor(engine: Engine, measure: DigitsOfGroupsMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#ranged = new RangedGroups(engine, measure, chunk);
    this.#bits = measure.bits;
    this.#length = (measure.where.ranges.length / 2) * 2 ** measure.bits;
    this.#counters = engine.scratch.alloc(4 * this.#length);
    engine.scratch.u32(this.#counters, this.#length).fill(0);
  }

  add(tile: Tile): void {
    this.#ranged.each(tile, (codes, cells, count) =>
      this.#engine.kernels.countBuckets(codes, cells, count, ...this.#ranged.lookup, this.#bits, this.#counters),
    );
  }

  partial(): DigitsOfGroupsPartial {
    return { cellStart: 0, cellCount: 1, counts: this.#engine.scratch.u32(this.#counters, this.#length).slice() };
  }
}

/** Their order means nothing: one partial stands for all chunks of a task. */
export class CodesMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #ranged: RangedGroups;
  readonly #codes: number;
  readonly #ranges: number;
  readonly #found: { readonly codes: BigUint64Array; readonly ranges: Uint32Array }[] = [];
  #length = 0;

  constructor(engine: Engine, measure: CodesMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#ranged = new RangedGroups(engine, measure, chunk);
    this.#codes = engine.scratch.alloc(8 * BLOCK_ROWS);
    this.#ranges = engine.scratch.alloc(4 * BLOCK_ROWS);
  }

  add(tile: Tile): void {
    const { kernels, scratch } = this.#engine;
    this.#ranged.each(tile, (codes, cells, count) => {
      const found = kernels.collectCodes(codes, cells, count, ...this.#ranged.lookup, this.#codes, this.#ranges);
      if (found === 0) return;
      this.#found.push({
        codes: scratch.u64(this.#codes, found).slice(),
        ranges: scratch.u32(this.#ranges, found).slice(),
      });
      this.#length += found;
    });
  }

  partial(): CodesPartial {
    const codes = new BigUint64Array(this.#length);
    const ranges = new Uint32Array(this.#length);
    let at = 0;
    for (const found of this.#found) {
      codes.set(found.codes, at);
      ranges.set(found.ranges, at);
      at += found.codes.length;
    }
    return { cellStart: 0, cellCount: Math.max(1, this.#length), codes, ranges };
  }
}

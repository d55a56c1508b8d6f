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
  Counters,
  DigitsOfGroupsMeasure,
  DigitsOfGroupsPartial,
  Ranges,
  SampleMeasure,
  SamplePartial,
} from './measures.js';

/** Counters of the buckets of a task: 1 MiB, which a second-level cache holds; and each task answers with them. */
export const BUCKET_COUNTERS_MAX = 256 * 1024;

/** Times that the counters of a task may be full of groups. A sample has told how many there are: it did not know these. */
const FULL_MAX = 4;

/** Codes that are collected before they are set aside. */
const COLLECTED_MAX = 64 * 1024;

/** Values of one element of a block of rows, and their cells. */
class BlockValues {
  readonly #engine: Engine;
  readonly #typeNumber: number;
  readonly #elements: RowElements;
  readonly #cells: number;

  constructor(engine: Engine, type: NativeType) {
    this.#engine = engine;
    this.#typeNumber = NATIVE_TYPES.indexOf(type);
    this.#elements = new RowElements(NATIVE_BYTES[type]);
    this.#cells = engine.scratch.alloc(4 * BLOCK_ROWS);
  }

  of({ box }: Tile): readonly RowElement[] {
    return this.#elements.of(box);
  }

  /** The values as kernels take them: type, address, stride, rows. */
  at(ptr: number, element: RowElement, rows: BlockRows): readonly [number, number, number, number] {
    return [this.#typeNumber, valuesAt(ptr, element, rows), element.stride, rows.picked];
  }

  /** The cells of the rows: ordinals where each group has one. */
  cellsOf(ordinals: number, count: number, scale: number, cell: number): number {
    if (scale === 1) return ordinals;
    this.#engine.kernels.cellsOf(ordinals, count, scale, cell, this.#cells);
    return this.#cells;
  }
}

export class SampleMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #groups: RowGroups;
  readonly #block: BlockValues;
  readonly #wide: number;
  readonly #values: Float64Array<ArrayBuffer>[] = [];
  #rows = 0;

  constructor(engine: Engine, { keys }: SampleMeasure, chunk: ChunkTask) {
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
          kernels.widen(...this.#block.at(tile.ptr, element, rows), rows.count, this.#wide);
          this.#values.push(scratch.f64(this.#wide, rows.count).slice());
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

/** What was counted until the tables were full. */
type Segment = Omit<BucketsPartial, 'cellStart' | 'cellCount'>;

/** Counts are whole numbers: one partial stands for all chunks of a task. */
export class BucketsMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #measure: BucketsMeasure;
  readonly #cells: number;
  readonly #groups: RowGroups;
  readonly #block: BlockValues;
  readonly #counters: number;
  #segments: Segment[] = [];

  constructor(engine: Engine, measure: BucketsMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#measure = measure;
    this.#cells = chunk.cellCount;
    const groupsMax = Math.max(1, Math.floor(BUCKET_COUNTERS_MAX / (measure.scale.buckets * this.#cells)));
    this.#groups = new RowGroups(engine, measure.keys, groupsMax);
    this.#block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
    this.#counters = engine.scratch.alloc(this.#counterBytes(groupsMax));
  }

  #counterBytes(groups: number): number {
    return 4 * groups * this.#cells * this.#measure.scale.buckets;
  }

  add(tile: Tile): void {
    const { kernels } = this.#engine;
    const { low, perUnit, buckets } = this.#measure.scale;
    const elements = this.#block.of(tile);
    eachBlock(
      this.#groups,
      tile.rows!,
      () => this.#setAside(),
      (rows, ordinals, before) => {
        this.#begin(before, this.#groups.known);
        for (const element of elements) {
          const cells = this.#block.cellsOf(ordinals, rows.count, this.#cells, element.cell);
          const values = this.#block.at(tile.ptr, element, rows);
          kernels.countScaled(...values, cells, rows.count, low, perUnit, buckets, this.#counters);
        }
      },
    );
  }

  /** Groups `[from, to)` are new. */
  #begin(from: number, to: number): void {
    if (from === to) return;
    this.#engine.scratch.u8(this.#counters + this.#counterBytes(from), this.#counterBytes(to - from)).fill(0);
  }

  partial(): BucketsPartial {
    this.#setAside();
    const whole = this.#segments.length === 1 ? this.#segments[0]! : this.#joined();
    return { cellStart: 0, cellCount: whole.groups * this.#cells, ...whole };
  }

  #joined(): Segment {
    const segments = this.#segments;
    const groups = segments.reduce((sum, segment) => sum + segment.groups, 0);
    const keys = new BigUint64Array(groups * this.#groups.parts);
    const missing = new Uint32Array(groups * this.#cells);
    const present = new Uint32Array(groups * this.#cells);
    const isLost = segments.some(segment => !segment.counters);
    const counters = isLost ? undefined : new Uint32Array(this.#counterBytes(groups) / 4);
    let at = 0;
    for (const segment of segments) {
      keys.set(segment.keys, at * this.#groups.parts);
      missing.set(segment.missing, at * this.#cells);
      present.set(segment.present, at * this.#cells);
      counters?.set(segment.counters!, this.#counterBytes(at) / 4);
      at += segment.groups;
    }
    return { groups, keys, missing, present, counters };
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

  #sizesOf(cells: number): Pick<Segment, 'missing' | 'present'> & { readonly largest: number } {
    const { kernels, scratch } = this.#engine;
    const mark = scratch.mark();
    const [missing, present] = [scratch.alloc(4 * cells), scratch.alloc(4 * cells)];
    const largest = kernels.cellSizes(this.#counters, cells, this.#measure.scale.buckets, missing, present) >>> 0;
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

  /** Calls back with what kernels are told of each element of each block. */
  each(tile: Tile, use: (...block: RangedBlock) => void): void {
    const elements = this.block.of(tile);
    const { cellStart } = tile.rows!;
    const { firstCell, cellCount } = this.#measure.where;
    const { hulls, starts, ranges } = this.#placed;
    eachBlock(
      this.groups,
      tile.rows!,
      () => {},
      (rows, ordinals) => {
        for (const element of elements) {
          const cell = cellStart + element.cell;
          const cells = this.block.cellsOf(ordinals, rows.count, this.#measure.cellsPerGroup, cell);
          const values = this.block.at(tile.ptr, element, rows);
          use(...values, cells, rows.count, firstCell, cellCount, hulls, starts, ranges);
        }
      },
    );
  }
}

/** Values, their cells, how many there are, and the ranges to look into. */
type RangedBlock = [
  type: number,
  from: number,
  stride: number,
  rows: number,
  cells: number,
  count: number,
  firstCell: number,
  cellCount: number,
  hulls: number,
  starts: number,
  ranges: number,
];

function placeRanges({ scratch }: Engine, { hulls, starts, ranges }: Ranges): PlacedRanges {
  const put = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array | BigUint64Array): number => {
    const ptr = scratch.alloc(byteLength);
    scratch.u8(ptr, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
    return ptr;
  };
  return { hulls: put(hulls), starts: put(starts), ranges: put(ranges) };
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
    this.#ranged.each(tile, (...block) => this.#engine.kernels.countBuckets(...block, this.#bits, this.#counters));
  }

  partial(): DigitsOfGroupsPartial {
    return { cellStart: 0, cellCount: 1, counts: this.#engine.scratch.u32(this.#counters, this.#length).slice() };
  }
}

/** Their order means nothing: one partial stands for all chunks of a task. */
export class CodesMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #ranged: RangedGroups;
  readonly #codeBytes: 4 | 8;
  readonly #codes: number;
  readonly #ranges: number;
  readonly #aside: { readonly codes: CodesPartial['codes']; readonly ranges: Uint32Array<ArrayBuffer> }[] = [];
  /** Codes that are not set aside yet. */
  #length = 0;

  constructor(engine: Engine, measure: CodesMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#ranged = new RangedGroups(engine, measure, chunk);
    this.#codeBytes = NATIVE_BYTES[nativeTypeOf(chunk.dtype)] === 8 ? 8 : 4;
    this.#codes = engine.scratch.alloc(this.#codeBytes * COLLECTED_MAX);
    this.#ranges = engine.scratch.alloc(4 * COLLECTED_MAX);
  }

  add(tile: Tile): void {
    const { kernels } = this.#engine;
    this.#ranged.each(tile, (...block) => {
      if (this.#length + BLOCK_ROWS > COLLECTED_MAX) this.#setAside();
      const toCodes = this.#codes + this.#codeBytes * this.#length;
      this.#length += kernels.collectCodes(...block, toCodes, this.#ranges + 4 * this.#length);
    });
  }

  partial(): CodesPartial {
    this.#setAside();
    const [first, another] = this.#aside;
    if (first && !another) return { cellStart: 0, cellCount: first.ranges.length, ...first };
    const length = this.#aside.reduce((sum, { ranges }) => sum + ranges.length, 0);
    const codes = new Uint8Array(this.#codeBytes * length);
    const ranges = new Uint32Array(length);
    let at = 0;
    for (const found of this.#aside) {
      codes.set(new Uint8Array(found.codes.buffer), this.#codeBytes * at);
      ranges.set(found.ranges, at);
      at += found.ranges.length;
    }
    return { cellStart: 0, cellCount: Math.max(1, length), codes: this.#typed(codes.buffer), ranges };
  }

  #typed(buffer: ArrayBuffer): CodesPartial['codes'] {
    return this.#codeBytes === 8 ? new BigUint64Array(buffer) : new Uint32Array(buffer);
  }

  #setAside(): void {
    const { scratch } = this.#engine;
    if (this.#length === 0) return;
    const codes = scratch.u8(this.#codes, this.#codeBytes * this.#length).slice();
    this.#aside.push({ codes: this.#typed(codes.buffer), ranges: scratch.u32(this.#ranges, this.#length).slice() });
    this.#length = 0;
  }
}

/**
 * The worker's side of a search for elements by rank: those that lie in ranges of sort keys are counted by bucket of their
 * range, or collected. Cells are those of axes, or of groups, all of which are known. One partial stands for all chunks of a
 * task. Memory: the counters, or COLLECTED_MAX keys and what was set aside of them.
 */
import type { Engine } from '../../kernels/engine.js';
import * as SPEC from '../../kernels/search-spec.js';
import { NATIVE_BYTES, NATIVE_TYPES, nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import { eachCellRows, type Tile } from '../../scan/tiles.js';
import type { ChunkTask } from '../../scan/scan.js';
import { partsOf } from '../../grouping/key-table.js';
import { RowGroups } from '../groups/row-groups.js';
import { keyBytesOf } from '../../kernels/sort-keys.js';
import type { KeyRanges, KnownGroups, PartialOf, SpecOf } from '../specs.js';
import type { PartialBuffer, Sink } from '../pass.js';
import { BlockValues, eachBlock } from '../groups/row-values.js';

/** Elements that kernels look at in one call. */
const PIECE = 16 * 1024;
/** Keys that are collected before they are set aside. */
const COLLECTED_MAX = 64 * 1024;
/** Bytes of a pair that a kernel writes before it knows whether it counts. */
const PAIRS_SLACK = 8;
/** Lines as long as this are looked at one by one, however many there are. */
const LONG_LINE = 64;

/** What the counters of a partial take of a buffer. */
export function counterBytes({ where, bits }: SpecOf<'key-counts'>): number {
  return 4 * Math.max(4, (where.ranges.length / 2) * 2 ** bits);
}

/** Groups at work. */
interface OpenGroups {
  readonly rows: RowGroups;
  readonly block: BlockValues;
  readonly cellsPerGroup: number;
}

/** What is done with values, of which there are `count`. */
type Use = (values: number, count: number) => void;

/** The elements of tiles, as kernels are told of them and of the ranges to look into. */
class RangedElements {
  readonly #type: NativeType;
  readonly #groups: OpenGroups | undefined;
  /** Where the ranges are. */
  readonly where: number;
  readonly #values: number;
  readonly #words: Uint32Array;
  cellStart = 0;

  constructor(engine: Engine, { where, groups }: SpecOf<'keys'> | SpecOf<'key-counts'>, chunk: ChunkTask) {
    const { scratch } = engine;
    this.#type = nativeTypeOf(chunk.dtype);
    this.#groups = groups && openGroups(engine, groups, this.#type);
    this.where = placeRanges(engine, where);
    this.#values = scratch.alloc(SPEC.VALUES_BYTES);
    this.#words = scratch.u32(this.#values, SPEC.VALUES_BYTES / 4);
  }

  get type(): number {
    return NATIVE_TYPES.indexOf(this.#type);
  }

  /** Calls back with pieces of at most PIECE values (src/kernels/search-spec.ts). */
  each(tile: Tile, use: Use): void {
    if (this.#groups) this.#eachBlock(tile, this.#groups, use);
    else {
      const itemBytes = NATIVE_BYTES[this.#type];
      eachCellRows(tile, (ptr, lines, stride, count, cell) => {
        const own = cell + this.cellStart;
        const isLong = count >= LONG_LINE || count >= lines;
        if (isLong) for (let i = 0; i < lines; i++) this.#eachPiece(ptr + i * stride, itemBytes, count, own, use);
        else for (let i = 0; i < count; i++) this.#eachPiece(ptr + i * itemBytes, stride, lines, own, use);
      });
    }
  }

  #eachPiece(ptr: number, stride: number, count: number, cell: number, use: Use): void {
    for (let from = 0; from < count; from += PIECE) {
      const length = Math.min(PIECE, count - from);
      this.#words.set([this.type, ptr + from * stride, stride, 0, length, 0, cell]);
      use(this.#values, length);
    }
  }

  #eachBlock(tile: Tile, { rows: groups, block, cellsPerGroup }: OpenGroups, use: Use): void {
    const elements = block.of(tile);
    const { cellStart } = tile.rows!;
    eachBlock(
      groups,
      tile.rows!,
      () => {},
      (rows, groupIndices) => {
        for (const element of elements) {
          use(block.at(tile.ptr, element, rows, groupIndices, cellsPerGroup, cellStart + element.cell), rows.count);
        }
      },
    );
  }
}

function openGroups(engine: Engine, { keys, known, cellsPerGroup }: KnownGroups, type: NativeType): OpenGroups {
  const groups = known.length / partsOf(keys).length;
  const rows = new RowGroups(engine, keys, Math.max(1, groups));
  rows.preload(known);
  return { rows, block: new BlockValues(engine, type), cellsPerGroup };
}

function placeRanges({ scratch }: Engine, { firstCell, cellCount, hulls, starts, ranges }: KeyRanges): number {
  const put = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array | BigUint64Array): number => {
    const ptr = scratch.alloc(byteLength);
    scratch.u8(ptr, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
    return ptr;
  };
  const where = scratch.alloc(SPEC.RANGES_BYTES);
  scratch.u32(where, SPEC.RANGES_BYTES / 4).set([firstCell, cellCount, put(hulls), put(starts), put(ranges)]);
  return where;
}

/** Keys, and the numbers of their ranges, in the kernels' memory. */
interface Collecting {
  readonly keys: number;
  readonly ranges: number;
}

/** There is space for one more: a kernel writes before it knows whether an element counts. */
function spaceFor({ scratch }: Engine, keyBytes: number, keys: number): Collecting {
  return { keys: scratch.alloc(keyBytes * (keys + 1)), ranges: scratch.alloc(4 * (keys + 1)) };
}

export class KeyCountsSink implements Sink {
  readonly #engine: Engine;
  readonly #elements: RangedElements;
  readonly #spec: SpecOf<'key-counts'>;
  readonly #keyBytes: 4 | 8;
  readonly #collected: Collecting;
  readonly #counters: number;
  readonly #length: number;

  constructor(engine: Engine, spec: SpecOf<'key-counts'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#spec = spec;
    this.#elements = new RangedElements(engine, spec, chunk);
    this.#keyBytes = keyBytesOf(nativeTypeOf(chunk.dtype));
    this.#collected = spaceFor(engine, this.#keyBytes, PIECE);
    // Kernels look at four at a time.
    this.#length = Math.ceil(counterBytes(spec) / 16) * 4;
    this.#counters = engine.scratch.alloc(4 * this.#length);
    engine.scratch.u32(this.#counters, this.#length).fill(0);
  }

  begin({ cellStart }: ChunkTask): void {
    this.#elements.cellStart = cellStart;
  }

  add(tile: Tile): void {
    if (this.#spec.isWhole) this.#addWhole(tile);
    else {
      const { kernels } = this.#engine;
      const { keys, ranges } = this.#collected;
      const { where } = this.#elements;
      this.#elements.each(tile, values => {
        const found = kernels.collectKeys(values, where, keys, ranges);
        kernels.countRanges(this.#keyBytes, keys, ranges, found, where, this.#spec.bits, this.#counters);
      });
    }
  }

  /** The fast path of a first pass: each element is counted where it stands. */
  #addWhole(tile: Tile): void {
    const { kernels, scratch } = this.#engine;
    const { type, cellStart, where } = this.#elements;
    const [firstCell, cellCount, , startsAt, rangesAt] = scratch.u32(where, SPEC.RANGES_BYTES / 4);
    const starts = scratch.u32(startsAt!, cellCount! + 1);
    const { bits } = this.#spec;
    eachCellRows(tile, (ptr, lines, stride, count, cell) => {
      const own = cell + cellStart - firstCell!;
      const number = starts[own]!;
      // Cells without a range, or outside, are not looked at.
      if (number === starts[own + 1] || !(own >= 0 && own < cellCount!)) return;
      kernels.countKeys(type, ptr, lines, stride, count, rangesAt! + 16 * number, bits, this.#table(number));
    });
  }

  #table(range: number): number {
    return this.#counters + 4 * range * 2 ** this.#spec.bits;
  }

  partial(buffer: PartialBuffer): PartialOf<'key-counts'> {
    const { kernels, scratch } = this.#engine;
    const { type } = this.#elements;
    if (this.#spec.isWhole) {
      const { ranges } = this.#spec.where;
      // Others are in the order of the keys already.
      for (let i = 0; 2 * i < ranges.length; i++) if (ranges[2 * i] === 0n) kernels.orderTable(type, this.#table(i));
    }
    const mark = scratch.mark();
    const pairs = scratch.alloc(2 * this.#length + PAIRS_SLACK);
    const packed = kernels.packCounters(this.#counters, this.#length, this.#length >> 2, pairs);
    const counts = buffer.u32(packed < 0 ? this.#length : 2 * packed);
    counts.set(scratch.u32(packed < 0 ? this.#counters : pairs, counts.length));
    scratch.release(mark);
    return { counts, isPacked: packed >= 0 };
  }
}

/** The order of what is collected means nothing. */
export class KeysSink implements Sink {
  readonly #engine: Engine;
  readonly #elements: RangedElements;
  readonly #keyBytes: 4 | 8;
  readonly #collected: Collecting;
  readonly #aside: PartialOf<'keys'>[] = [];
  /** Keys that are not set aside yet. */
  #length = 0;

  constructor(engine: Engine, spec: SpecOf<'keys'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#elements = new RangedElements(engine, spec, chunk);
    this.#keyBytes = keyBytesOf(nativeTypeOf(chunk.dtype));
    this.#collected = spaceFor(engine, this.#keyBytes, COLLECTED_MAX);
  }

  begin({ cellStart }: ChunkTask): void {
    this.#elements.cellStart = cellStart;
  }

  add(tile: Tile): void {
    const { kernels } = this.#engine;
    const { keys, ranges } = this.#collected;
    this.#elements.each(tile, (values, count) => {
      if (this.#length + count > COLLECTED_MAX) this.#setAside();
      const toKeys = keys + this.#keyBytes * this.#length;
      this.#length += kernels.collectKeys(values, this.#elements.where, toKeys, ranges + 4 * this.#length);
    });
  }

  partial(): PartialOf<'keys'> {
    this.#setAside();
    const length = this.#aside.reduce((sum, { ranges }) => sum + ranges.length, 0);
    const keys = new Uint8Array(this.#keyBytes * length);
    const ranges = new Uint32Array(length);
    let at = 0;
    for (const aside of this.#aside) {
      keys.set(new Uint8Array(aside.keys.buffer), this.#keyBytes * at);
      ranges.set(aside.ranges, at);
      at += aside.ranges.length;
    }
    return { keys: this.#typed(keys), ranges };
  }

  #typed({ buffer }: Uint8Array<ArrayBuffer>): PartialOf<'keys'>['keys'] {
    return this.#keyBytes === 8 ? new BigUint64Array(buffer) : new Uint32Array(buffer);
  }

  #setAside(): void {
    const { scratch } = this.#engine;
    if (this.#length === 0) return;
    const keys = scratch.u8(this.#collected.keys, this.#keyBytes * this.#length).slice();
    this.#aside.push({ keys: this.#typed(keys), ranges: scratch.u32(this.#collected.ranges, this.#length).slice() });
    this.#length = 0;
  }
}

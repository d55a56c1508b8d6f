/** The worker's side of looking into ranges of codes: how their elements spread, and the elements themselves. */
import type { Engine } from '../../engine.js';
import { NATIVE_BYTES, nativeTypeOf } from '../../../kernels/native-types.js';
import type { Tile } from '../../scan/tiles.js';
import type { ChunkTask } from '../../scan/scan.js';
import { eachBlock } from '../blocks.js';
import { BLOCK_ROWS, RowGroups } from '../row-groups.js';
import { BlockValues } from './block-values.js';
import type { CodesSpec, CodesPartial, GroupDigitsSpec, GroupDigitsPartial, Ranges } from '../../specs.js';
import type { Sink } from '../../pass.js';
import { partsOf } from '../key-table.js';

/** Codes that are collected before they are set aside. */
const COLLECTED_MAX = 64 * 1024;

interface PlacedRanges {
  readonly hulls: number;
  readonly starts: number;
  readonly ranges: number;
}

/** What looks into ranges: all groups are known. */
class RangedGroups {
  readonly groups: RowGroups;
  readonly block: BlockValues;
  readonly #spec: GroupDigitsSpec | CodesSpec;
  readonly #placed: PlacedRanges;

  constructor(engine: Engine, spec: GroupDigitsSpec | CodesSpec, chunk: ChunkTask) {
    this.#spec = spec;
    const groups = spec.known.length / partsOf(spec.keys).length;
    this.groups = new RowGroups(engine, spec.keys, Math.max(1, groups));
    this.groups.preload(spec.known);
    this.block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
    this.#placed = placeRanges(engine, spec.where);
  }

  /** Calls back with what kernels are told of each element of each block. */
  each(tile: Tile, use: (...block: RangedBlock) => void): void {
    const elements = this.block.of(tile);
    const { cellStart } = tile.rows!;
    const { firstCell, cellCount } = this.#spec.where;
    const { hulls, starts, ranges } = this.#placed;
    eachBlock(
      this.groups,
      tile.rows!,
      () => {},
      (rows, ordinals) => {
        for (const element of elements) {
          const cell = cellStart + element.cell;
          const cells = this.block.cellsOf(ordinals, rows.count, this.#spec.cellsPerGroup, cell);
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
export class GroupDigitsSink implements Sink {
  readonly #engine: Engine;
  readonly #ranged: RangedGroups;
  readonly #bits: number;
  readonly #counters: number;
  readonly #length: number;

  constructor(engine: Engine, spec: GroupDigitsSpec, chunk: ChunkTask) {
    this.#engine = engine;
    this.#ranged = new RangedGroups(engine, spec, chunk);
    this.#bits = spec.bits;
    this.#length = (spec.where.ranges.length / 2) * 2 ** spec.bits;
    this.#counters = engine.scratch.alloc(4 * this.#length);
    engine.scratch.u32(this.#counters, this.#length).fill(0);
  }

  add(tile: Tile): void {
    this.#ranged.each(tile, (...block) => this.#engine.kernels.countBuckets(...block, this.#bits, this.#counters));
  }

  partial(): GroupDigitsPartial {
    return { cellStart: 0, cellCount: 1, counts: this.#engine.scratch.u32(this.#counters, this.#length).slice() };
  }
}

/** Their order means nothing: one partial stands for all chunks of a task. */
export class CodesSink implements Sink {
  readonly #engine: Engine;
  readonly #ranged: RangedGroups;
  readonly #codeBytes: 4 | 8;
  readonly #codes: number;
  readonly #ranges: number;
  readonly #aside: { readonly codes: CodesPartial['codes']; readonly ranges: Uint32Array<ArrayBuffer> }[] = [];
  /** Codes that are not set aside yet. */
  #length = 0;

  constructor(engine: Engine, spec: CodesSpec, chunk: ChunkTask) {
    this.#engine = engine;
    this.#ranged = new RangedGroups(engine, spec, chunk);
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

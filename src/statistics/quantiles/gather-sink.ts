/**
 * Quantiles of cells that fit into memory whole: the elements of a chunk's cells are gathered as keys, and the keys of the
 * wanted ranks are found there. Memory: LIMITS.cellBytesGatheredMax for the keys, and the answers.
 */
import { isTime, NAT, type DType } from '../../dtype/index.js';
import { LIMITS } from '../../limits.js';
import { lowerBound } from '../../lower-bound.js';
import type { Engine } from '../../kernels/engine.js';
import { NATIVE_BYTES, NATIVE_TYPES, nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import { eachCellRows, type Tile } from '../../scan/tiles.js';
import type { ChunkTask } from '../../scan/scan.js';
import { elementOf, keyBytesOf, type ExactNumber } from '../../kernels/sort-keys.js';
import { medianDType, Places, quantileDType, type Answers, type Wanted } from './wanted.js';
import type { PartialOf, SpecOf, Values } from '../specs.js';
import type { Sink } from '../pass.js';

/** Places for answers of a dtype, which are NaN, or NaT, where they can be: integers are always found. */
export function newValues(dtype: DType, length: number): Values {
  if (isTime(dtype)) return new BigInt64Array(length).fill(NAT);
  if (dtype.name === 'int64') return new BigInt64Array(length);
  return dtype.name === 'uint64' ? new BigUint64Array(length) : new Float64Array(length).fill(Number.NaN);
}

export function newMedians({ dtype, median }: Wanted, length: number): Values | undefined {
  return median ? newValues(medianDType(dtype), length) : undefined;
}

/** So many for each cell. */
export function newQuantiles({ dtype, quantile }: Wanted, cells: number): Values | undefined {
  return quantile && newValues(quantileDType(dtype, quantile), cells * quantile.q.length);
}

export function setValue(values: Values, at: number, value: ExactNumber): void {
  // Bigint arrays hold picks, which are bigint.
  if (values instanceof Float64Array) values[at] = Number(value);
  else values[at] = BigInt(value);
}

export class GatherSink implements Sink {
  readonly #engine: Engine;
  readonly #spec: SpecOf<'gather'>;
  readonly #chunk: ChunkTask;
  readonly #type: NativeType;
  readonly #places: Places;
  readonly #cellSize: number;
  readonly #keys: number;
  /** Keys that each cell has so far, and how many of them are NaN. */
  readonly #seen: Float64Array;
  readonly #nans: Float64Array;

  constructor(engine: Engine, spec: SpecOf<'gather'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#spec = spec;
    this.#chunk = chunk;
    this.#type = nativeTypeOf(chunk.dtype);
    this.#places = new Places(spec.wanted);
    this.#cellSize = chunk.cellCount === 0 ? 0 : chunk.elements / chunk.cellCount;
    this.#keys = engine.scratch.alloc(chunk.cellCount * this.#cellSize * keyBytesOf(this.#type));
    this.#seen = new Float64Array(chunk.cellCount);
    this.#nans = new Float64Array(chunk.cellCount);
  }

  add(tile: Tile): void {
    const type = NATIVE_TYPES.indexOf(this.#type);
    const { kernels } = this.#engine;
    eachCellRows(tile, (ptr, rows, stride, count, cell) => {
      const keysOf = (at: number, step: number, length: number): void => {
        const to = this.#keysOf(cell) + this.#seen[cell]! * keyBytesOf(this.#type);
        this.#nans[cell]! += kernels.toKeys(type, at, step, length, to);
        this.#seen[cell]! += length;
      };
      if (count === 1) keysOf(ptr, stride, rows);
      else for (let row = 0; row < rows; row++) keysOf(ptr + row * stride, NATIVE_BYTES[this.#type], count);
    });
  }

  partial(): PartialOf<'gather'> {
    const { wanted } = this.#spec;
    const { cellStart, cellCount } = this.#chunk;
    const width = wanted.quantile?.q.length ?? 0;
    const median = newMedians(wanted, cellCount);
    const quantiles = newQuantiles(wanted, cellCount);
    const { scratch } = this.#engine;
    const mark = scratch.mark();
    const ranksAt = scratch.alloc(4 * (2 * LIMITS.quantilesMax + 2));
    const foundAt = scratch.alloc(8 * (2 * LIMITS.quantilesMax + 2));
    for (let cell = 0; cell < cellCount; cell++) {
      const answers = this.#answersOf(cell, ranksAt, foundAt);
      if (median) setValue(median, cell, answers.median);
      if (quantiles) for (let i = 0; i < width; i++) setValue(quantiles, cell * width + i, answers.quantiles[i]!);
    }
    scratch.release(mark);
    return { cellStart, cellCount, median, quantiles };
  }

  #answersOf(cell: number, ranksAt: number, foundAt: number): Answers {
    const { kernels, scratch, memory } = this.#engine;
    const isTimes = isTime(this.#spec.wanted.dtype);
    const nans = isTimes ? this.#natsIn(cell) : this.#nans[cell]!;
    const count = this.#cellSize - nans;
    if (count === 0 || (nans > 0 && !this.#spec.omitsNan)) return this.#places.nothing();
    const ranks = this.#places.ranksOf(count);
    // NaT are the first keys, NaN the last ones.
    scratch.u32(ranksAt, ranks.length).set(isTimes ? ranks.map(rank => rank + nans) : ranks);
    const is64 = keyBytesOf(this.#type) === 8;
    kernels[is64 ? 'selectKeys64' : 'selectKeys32'](this.#keysOf(cell), this.#cellSize, ranksAt, ranks.length, foundAt);
    const found = is64
      ? new BigUint64Array(memory.buffer, foundAt, ranks.length)
      : new Uint32Array(memory.buffer, foundAt, ranks.length);
    return this.#places.answersOf(count, rank =>
      elementOf(this.#type, found[lowerBound(ranks.length, i => ranks[i]! >= rank)]!),
    );
  }

  /** Keys of NaT: they are 0. */
  #natsIn(cell: number): number {
    const words = this.#engine.scratch.u32(this.#keysOf(cell), 2 * this.#cellSize);
    let nats = 0;
    for (let i = 0; i < words.length; i += 2) if (words[i] === 0 && words[i + 1] === 0) nats++;
    return nats;
  }

  #keysOf(cell: number): number {
    return this.#keys + cell * this.#cellSize * keyBytesOf(this.#type);
  }
}

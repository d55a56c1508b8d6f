/**
 * The worker's side of a search in passes: digits of elements are counted, of all in the first pass and of those in a few
 * intervals after that; where few are left, they are collected. Counts of all chunks of a task become one partial.
 * Memory: tables of LIMITS.searchTableBytesMax, or LIMITS.searchCollectedMax patterns.
 */
import { eachCellRows } from '../scan/cell-rows.js';
import type { Engine } from '../engine.js';
import * as SPEC from '../../kernels/refine-spec.js';
import { NATIVE_BYTES, nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import type { PartialBuffer } from '../partial-buffer.js';
import type { Tile } from '../scan/tiles.js';
import type { ChunkTask } from '../scan/scan.js';
import type { DigitsSpec, DigitsPartial, DigitsStep, Interval, IntervalStep } from '../specs.js';
import type { Sink } from '../pass.js';

/** Counters of the first table of a type that is not counted by offsets. */
export function highLengthOf(type: NativeType): number {
  return NATIVE_BYTES[type] === 1 ? 256 : 65_536;
}

/** Counters of all tables of a step. */
function countersOf(step: Exclude<DigitsStep, { readonly name: 'collect' }>, cellCount: number): number {
  return step.tableLength * (step.name === 'refine' ? step.intervals.length : cellCount);
}

/** What the tables of a partial take of a buffer. */
export function tableBytes({ step, cellCount }: DigitsSpec): number {
  return step.name === 'collect' ? 0 : 4 * countersOf(step, cellCount);
}

export class DigitsSink implements Sink {
  readonly #engine: Engine;
  readonly #spec: DigitsSpec;
  readonly #type: NativeType;
  /** Tables, or space for patterns. */
  readonly #at: number;
  readonly #words: number;
  /** By cell of the pass: where the spec of its intervals is, and which of all intervals is its first. */
  readonly #specs: readonly { readonly at: number; readonly first: number }[];
  /** Where the patterns of each interval begin, and how many there are. */
  readonly #starts: readonly number[];
  readonly #lengths: Uint32Array<ArrayBuffer>;
  #cellStart: number;

  constructor(engine: Engine, spec: DigitsSpec, chunk: ChunkTask) {
    const { step, cellCount } = spec;
    const { scratch } = engine;
    this.#engine = engine;
    this.#spec = spec;
    this.#type = nativeTypeOf(chunk.dtype);
    this.#cellStart = chunk.cellStart;
    const intervals = 'intervals' in step ? step.intervals : [];
    this.#lengths = new Uint32Array(step.name === 'collect' ? intervals.length : 0);
    // One pattern more than there should be, and the one that a kernel may write beyond that.
    const starts = [0];
    for (const { size } of intervals) starts.push(starts.at(-1)! + size + 2);
    this.#starts = starts;
    this.#words = step.name === 'collect' ? 2 * starts.at(-1)! : countersOf(step, cellCount);
    this.#at = scratch.alloc(4 * Math.max(1, this.#words));
    if (step.name !== 'collect') scratch.u32(this.#at, this.#words).fill(0);
    this.#specs = this.#writeSpecs();
  }

  /** The chunk that the next tiles are of. */
  begin({ cellStart }: ChunkTask): void {
    this.#cellStart = cellStart;
  }

  add(tile: Tile): void {
    const { step, cellStart } = this.#spec;
    const offset = this.#cellStart - cellStart;
    eachCellRows(tile, (ptr, rows, stride, count, cell) => {
      if (step.name === 'high') this.#countHigh(ptr, rows, stride, count, cell + offset);
      else if (step.name === 'offsets') this.#countOffsets(ptr, rows, stride, count, cell + offset);
      else this.#refine(ptr, rows, stride, count, cell + offset);
    });
  }

  partial(buffer: PartialBuffer): DigitsPartial {
    const { scratch, memory } = this.#engine;
    if (this.#spec.step.name !== 'collect') {
      const counts = buffer.u32(this.#words);
      counts.set(scratch.u32(this.#at, this.#words));
      return { counts, collected: new BigUint64Array(), lengths: this.#lengths };
    }
    const collected = new BigUint64Array(this.#lengths.reduce((sum, length) => sum + length, 0));
    let to = 0;
    for (const [i, length] of this.#lengths.entries()) {
      collected.set(new BigUint64Array(memory.buffer, this.#at + 8 * this.#starts[i]!, length), to);
      to += length;
    }
    return { counts: new Uint32Array(), collected, lengths: this.#lengths };
  }

  #countHigh(ptr: number, rows: number, stride: number, count: number, cell: number): void {
    const { kernels } = this.#engine;
    const table = this.#at + 4 * cell * highLengthOf(this.#type);
    if (this.#type === 'f32') kernels.countFloats32(ptr, rows, stride, count, table);
    else if (this.#type === 'f64') kernels.countFloats64(ptr, rows, stride, count, table);
    else if (NATIVE_BYTES[this.#type] === 2) kernels.countHalves(ptr, rows, stride, count, table);
    else kernels.countBytes(ptr, rows, stride, count, table);
  }

  #countOffsets(ptr: number, rows: number, stride: number, count: number, cell: number): void {
    const { step } = this.#spec;
    if (step.name !== 'offsets') return;
    const { kernels } = this.#engine;
    const name = NATIVE_BYTES[this.#type] === 8 ? 'countOffsets64' : 'countOffsets32';
    const table = this.#at + 4 * cell * step.tableLength;
    kernels[name](ptr, rows, stride, count, this.#specs[0]!.at, step.shift, table, step.tableLength - 1);
  }

  #refine(ptr: number, rows: number, stride: number, count: number, cell: number): void {
    const { step } = this.#spec;
    const spec = this.#specs[cell];
    if (!spec || !('intervals' in step)) return;
    const { kernels } = this.#engine;
    if (step.name === 'refine') {
      const name = NATIVE_BYTES[this.#type] === 8 ? 'refine64' : 'refine32';
      kernels[name](ptr, rows, stride, count, spec.at, this.#at + 4 * spec.first * step.tableLength);
      return;
    }
    for (let i = spec.first; step.intervals[i]?.cell === this.#spec.cellStart + cell; i++) {
      const limit = step.intervals[i]!.size + 1 - this.#lengths[i]!;
      const to = this.#at + 8 * (this.#starts[i]! + this.#lengths[i]!);
      this.#lengths[i]! += kernels.collect64(ptr, rows, stride, count, spec.at, i - spec.first, to, limit);
    }
  }

  /** The intervals of each cell, which lie together in the list; or the base of offsets. */
  #writeSpecs(): { at: number; first: number }[] {
    const { step, cellStart } = this.#spec;
    const { scratch, memory } = this.#engine;
    const view = new DataView(memory.buffer);
    const specs: { at: number; first: number }[] = [];
    if (step.name === 'high') return specs;
    if (step.name === 'offsets') {
      const at = scratch.alloc(16);
      view.setBigUint64(at, BigInt.asUintN(64, step.base), true);
      return [{ at, first: 0 }];
    }
    for (const [first, { cell }] of step.intervals.entries()) {
      if (step.intervals[first - 1]?.cell === cell) continue;
      const own = step.intervals.filter(each => each.cell === cell);
      const at = scratch.alloc(SPEC.INTERVALS + 8 * own.length);
      writeSpec(view, at, step, own, NATIVE_BYTES[this.#type] === 8);
      specs[cell - cellStart] = { at, first };
    }
    return specs;
  }
}

function writeSpec(
  view: DataView,
  at: number,
  step: IntervalStep,
  intervals: readonly Interval[],
  is64: boolean,
): void {
  const mask = -1n << BigInt(step.shift);
  const put = (to: number, bits: bigint): void => {
    if (is64) view.setBigUint64(to, BigInt.asUintN(64, bits), true);
    else view.setUint32(to, Number(BigInt.asUintN(32, bits)), true);
  };
  for (let lane = 0; lane < 16; lane += is64 ? 8 : 4) put(at + SPEC.MASK + lane, mask);
  view.setUint32(at + SPEC.LENGTH, intervals.length, true);
  view.setUint32(at + SPEC.SHIFT, step.shift, true);
  view.setUint32(at + SPEC.NEXT_SHIFT, step.name === 'refine' ? step.nextShift : 0, true);
  view.setUint32(at + SPEC.TABLE_LENGTH, step.name === 'refine' ? step.tableLength : 0, true);
  for (const [i, { first }] of intervals.entries()) put(at + SPEC.INTERVALS + (is64 ? 8 : 4) * i, first);
}

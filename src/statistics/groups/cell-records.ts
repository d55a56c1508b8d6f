/** What the cells of groups gather, in the kernels' memory: a block of values goes into every record that is asked for. */
import type { Engine } from '../engine.js';
import { NATIVE_TYPES } from '../../kernels/native-types.js';
import { nanCodeOf } from '../codes.js';
import { type RecordBytes, type RecordName, RECORDS } from './records.js';
import { BLOCK_ROWS } from './row-groups.js';
import type { GroupsMeasure } from '../specs.js';

export class CellRecords {
  readonly #engine: Engine;
  readonly #measure: GroupsMeasure;
  readonly #places: ReadonlyMap<RecordName, number>;
  readonly #typeNumber: number;
  readonly #isWide: boolean;
  readonly #values: number;
  readonly #cells: number;
  readonly #needsValues: boolean;

  /** Takes scratch memory for `cellsMax` cells; what is not used of it is never touched. */
  constructor(engine: Engine, measure: GroupsMeasure, cellsMax: number) {
    this.#engine = engine;
    this.#measure = measure;
    this.#places = new Map(measure.records.map(name => [name, engine.scratch.alloc(RECORDS[name].bytes * cellsMax)]));
    this.#typeNumber = NATIVE_TYPES.indexOf(measure.type);
    this.#isWide = measure.type === 'i64' || measure.type === 'u64';
    this.#values = engine.scratch.alloc(8 * BLOCK_ROWS);
    this.#cells = engine.scratch.alloc(4 * BLOCK_ROWS);
    const asFloats: readonly RecordName[] = this.#isWide
      ? ['nonzero', 'product']
      : ['nonzero', 'product', 'sum', 'moments'];
    this.#needsValues = measure.dropsNan || asFloats.some(name => this.#places.has(name));
  }

  /** Cells `[from, to)` begin to be used. */
  clear(from: number, to: number): void {
    for (const [name, ptr] of this.#places) {
      const { bytes } = RECORDS[name];
      this.#engine.scratch.u8(ptr + from * bytes, (to - from) * bytes).fill(0);
    }
  }

  /** One value per row: the first at `ptr`, or those of the rows at `picked`; row i belongs to cell ordinal * scale + cell. */
  add(ptr: number, stride: number, picked: number, count: number, ordinals: number, scale: number, cell: number): void {
    if (this.#places.size === 0) return;
    const { kernels } = this.#engine;
    const isPlain = scale === 1 && !this.#measure.dropsNan;
    const cells = isPlain ? ordinals : this.#cells;
    const place = (): void => {
      if (!isPlain) kernels.cellsOf(ordinals, count, scale, cell, cells);
    };
    place();
    if (this.#needsValues) {
      kernels.widen(this.#typeNumber, ptr, stride, picked, count, this.#values);
      const kept = this.#measure.dropsNan ? kernels.dropNan(this.#values, cells, count) : count;
      this.#addValues(cells, kept);
      if (kept < count) place();
    }
    if (this.#isWide) this.#addWide(ptr, stride, picked, count, cells);
    const extremes = this.#places.get('extremes');
    if (extremes === undefined) return;
    kernels.codes(this.#typeNumber, ptr, stride, picked, count, this.#values);
    const kept = this.#measure.dropsNan
      ? kernels.dropCode(this.#values, cells, count, nanCodeOf(this.#measure.type))
      : count;
    kernels.extremeCells(this.#values, cells, kept, extremes);
  }

  #addValues(cells: number, count: number): void {
    const { kernels } = this.#engine;
    const place = (name: RecordName): number | undefined => this.#places.get(name);
    const [present, nonzero, product] = [place('present'), place('nonzero'), place('product')];
    if (present !== undefined) kernels.countCells(cells, count, present);
    if (nonzero !== undefined) kernels.nonzeroCells(this.#values, cells, count, nonzero);
    if (product !== undefined) kernels.productCells(this.#values, cells, count, product);
    const [sum, moments] = [place('sum'), place('moments')];
    if (sum !== undefined) kernels.sumCells(this.#values, cells, count, sum);
    if (moments !== undefined && !this.#isWide) kernels.momentCells(this.#values, cells, count, moments);
  }

  #addWide(ptr: number, stride: number, picked: number, count: number, cells: number): void {
    const { kernels } = this.#engine;
    const [wide, moments] = [this.#places.get('wide'), this.#places.get('moments')];
    if (wide === undefined && moments === undefined) return;
    const isSigned = this.#measure.type === 'i64' ? 1 : 0;
    kernels.pickRows(ptr, stride, 8, picked, count, this.#values);
    if (wide !== undefined) kernels.sumWideCells(this.#values, isSigned, cells, count, wide);
    if (moments !== undefined) kernels.momentWideCells(this.#values, isSigned, cells, count, moments);
  }

  /** The records of the first cells, as views that hold until the next `clear`. */
  viewOf(cells: number): RecordBytes {
    const entries = [...this.#places].map(([name, ptr]) => [
      name,
      this.#engine.scratch.u8(ptr, cells * RECORDS[name].bytes),
    ]);
    return Object.fromEntries(entries) as RecordBytes;
  }
}

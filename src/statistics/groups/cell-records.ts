/** What the cells of groups gather, in the kernels' memory: a block of values goes into every accumulator that is asked for. */
import { isWideType, NATIVE_TYPES } from '../../kernels/native-types.js';
import type { CellField } from '../../kernels/cell-fields.js';
import { CellMemory, ElementCells } from '../accumulators/cells.js';
import { fieldsOf, hasFastKernels } from '../accumulators/index.js';
import type { DType } from '../../dtype/index.js';
import type { Engine } from '../../kernels/engine.js';
import { BLOCK_ROWS, type BlockRows } from './row-groups.js';
import type { Fields } from '../accumulators/accumulator.js';
import type { SpecOf } from '../specs.js';

export class CellRecords {
  readonly #engine: Engine;
  readonly #spec: SpecOf<'groups'>;
  readonly #dtype: DType;
  readonly #cells: CellMemory;
  readonly #elements: ElementCells;
  readonly #used: ReadonlySet<CellField>;
  readonly #isWide: boolean;
  readonly #isSigned: boolean;
  readonly #values: number;
  readonly #cellOfRow: number;

  /** Takes scratch memory for `cellsMax` cells; what is not used of it is never touched. */
  constructor(engine: Engine, spec: SpecOf<'groups'>, dtype: DType, cellsMax: number) {
    this.#engine = engine;
    this.#spec = spec;
    this.#dtype = dtype;
    const used = usedFields(spec);
    this.#used = new Set(used);
    this.#cells = new CellMemory(engine, spec.type, cellsMax, used, 'records');
    this.#elements = new ElementCells(engine, dtype, spec.accumulators, cellsMax);
    this.#isWide = isWideType(spec.type);
    this.#isSigned = spec.type.startsWith('i');
    this.#values = engine.scratch.alloc(8 * BLOCK_ROWS);
    this.#cellOfRow = engine.scratch.alloc(4 * BLOCK_ROWS);
  }

  /** Cells `[from, to)` begin to be used. */
  begin(from: number, to: number): void {
    this.#cells.begin(from, to);
    this.#elements.begin(from, to);
  }

  /**
   * One value per row: the first at `ptr`, or those of the rows at `picked`; row i belongs to cell group index * scale + cell.
   * @param index of the first row, or of row 0 where rows are picked
   */
  add(
    ptr: number,
    stride: number,
    { picked, count }: BlockRows,
    groupIndices: number,
    scale: number,
    cell: number,
    index: number,
  ): void {
    const { kernels } = this.#engine;
    const { dropsNan, indexStep, omitsNan, type } = this.#spec;
    // Those of NaN are taken out of the list below.
    const isPlain = scale === 1 && !dropsNan;
    const cells = isPlain ? groupIndices : this.#cellOfRow;
    if (!isPlain) kernels.cellsOf(groupIndices, count, scale, cell, cells);
    const rows = { from: ptr, step: stride, count, cells, rowIds: picked, index: indexStep * index, indexStep };
    this.#elements.addRows(rows, omitsNan);
    if (this.#used.size === 0) return;
    if (this.#isWide) {
      kernels.pickRows(ptr, stride, 8, picked, count, this.#values);
      this.#addWide(cells, count);
    }
    if (this.#isWide && !this.#has('zeros')) return;
    kernels.widen(NATIVE_TYPES.indexOf(type), ptr, stride, picked, count, this.#values);
    this.#addNumbers(cells, dropsNan ? kernels.dropNan(this.#values, cells, count) : count);
  }

  #has(field: CellField): boolean {
    return this.#used.has(field);
  }

  /** Values as float64. Of 64-bit integers, which are rounded, what does not mind. */
  #addNumbers(cells: number, count: number): void {
    const { kernels } = this.#engine;
    const values = this.#values;
    const into = (field: CellField): [number, number] => [this.#cells.at(field), this.#cells.cellBytes];
    if (this.#has('zeros')) kernels.zeroCells(values, cells, count, ...into('zeros'));
    if (this.#isWide) return;
    if (this.#has('seen')) kernels.countCells(cells, count, ...into('seen'));
    if (this.#has('sum')) {
      const name = this.#spec.type.startsWith('f') ? 'sumCells' : 'sumIntegerCells';
      kernels[name](values, cells, count, ...into('sum'));
    }
    if (this.#has('count')) kernels.momentCells(values, cells, count, ...into('count'));
    if (this.#has('min')) kernels.extremeCells(values, cells, count, ...into('min'));
  }

  #addWide(cells: number, count: number): void {
    const { kernels } = this.#engine;
    const values = this.#values;
    const signed = this.#isSigned;
    const into = (field: CellField): [number, number] => [this.#cells.at(field), this.#cells.cellBytes];
    if (this.#has('seen')) kernels.countCells(cells, count, ...into('seen'));
    if (this.#has('sum')) kernels.sumWideCells(values, signed, cells, count, ...into('sum'));
    if (this.#has('count')) kernels.momentWideCells(values, signed, cells, count, ...into('count'));
    if (this.#has('min')) kernels.extremeWideCells(values, signed, cells, count, ...into('min'));
  }

  /** The fields of the first cells. To be asked once: moments are settled. */
  read(cells: number): Fields {
    const names = Object.keys(fieldsOf(this.#spec.accumulators.filter(hasFastKernels), this.#dtype));
    if (this.#has('count')) {
      const { kernels } = this.#engine;
      kernels.settleMoments(this.#isWide, this.#isSigned, cells, this.#cells.at('count'), this.#cells.cellBytes);
    }
    const counted = this.#has('count') ? 'count' : 'seen';
    const take = (length: number): Float64Array => new Float64Array(length);
    return { ...this.#cells.read(names, counted, cells, take), ...this.#elements.read(cells, take) };
  }
}

/** What kernels add to; fields of one kernel side by side. */
function usedFields({ accumulators }: SpecOf<'groups'>): CellField[] {
  const has = (name: (typeof accumulators)[number]): boolean => accumulators.includes(name);
  const isCounted = has('count') && !has('moments');
  return [
    ...(has('sum') ? (['sum', 'sumRest'] as const) : []),
    ...(has('moments') ? (['count', 'mean', 'meanRest', 'm2'] as const) : []),
    ...(isCounted ? (['seen'] as const) : []),
    ...(has('min') || has('max') ? (['min', 'max'] as const) : []),
    ...(has('zeros') ? (['zeros'] as const) : []),
  ];
}

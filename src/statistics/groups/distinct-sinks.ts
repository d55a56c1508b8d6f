/** Sinks that find what is distinct: texts of a column, elements. */
import { isText, isTime, type DType } from '../../dtype/index.js';
import { DistinctItems } from '../../kernels/distinct-items.js';
import type { Engine } from '../../kernels/engine.js';
import { GroupIndexTable, packedCodes } from '../../kernels/group-index.js';
import { NATIVE_BYTES, NATIVE_TYPES, nativeTypeOf } from '../../kernels/native-types.js';
import { sizeOf } from '../../layout/view.js';
import { LIMITS } from '../../limits.js';
import type { ChunkTask } from '../../scan/scan.js';
import { eachCellRows, type Tile } from '../../scan/tiles.js';
import type { Sink } from '../pass.js';
import type { PartialOf, SpecOf } from '../specs.js';
import { BLOCK_ROWS } from './row-groups.js';

/** The different texts that a column has in the rows that are used. */
export class TextsSink implements Sink {
  readonly #column: SpecOf<'texts'>['column'];
  readonly #found: DistinctItems;

  constructor(engine: Engine, { column }: SpecOf<'texts'>, _chunk: ChunkTask) {
    this.#column = column;
    this.#found = new DistinctItems(engine, column.dtype.itemsize);
  }

  add({ rows }: Tile): void {
    const { columns, picked, start, count } = rows!;
    const { ptr, stride } = columns.items(this.#column);
    this.#found.add(picked === 0 ? ptr + start * stride : ptr, stride, picked, count);
  }

  partial(): PartialOf<'texts'> {
    return this.#found.take();
  }
}

/** Distinct numbers and dates of all chunks of a task, by their codes. Memory: a table of LIMITS.uniqueMax and one more, which tells that there are too many. */
export class CodesSink implements Sink {
  readonly #engine: Engine;
  readonly #table: GroupIndexTable;
  readonly #isTime: boolean;
  readonly #typeNumber: number;
  readonly #itemsize: number;
  readonly #codes: number;
  readonly #groupIndices: number;
  readonly #counts: number;
  #isFull = false;

  constructor(engine: Engine, { dtype }: ChunkTask) {
    const { scratch } = engine;
    const type = nativeTypeOf(dtype);
    this.#engine = engine;
    this.#table = new GroupIndexTable(engine, LIMITS.uniqueMax + 1, dtype.kind !== 'f');
    this.#isTime = isTime(dtype);
    this.#typeNumber = NATIVE_TYPES.indexOf(type);
    this.#itemsize = NATIVE_BYTES[type];
    this.#codes = scratch.alloc(8 * BLOCK_ROWS);
    this.#groupIndices = scratch.alloc(4 * BLOCK_ROWS);
    this.#counts = scratch.alloc(4 * (LIMITS.uniqueMax + 1));
    scratch.u32(this.#counts, LIMITS.uniqueMax + 1).fill(0);
  }

  add(tile: Tile): void {
    eachCellRows(tile, (ptr, rows, stride, count) => {
      if (count === 1) this.#count(ptr, stride, rows);
      else for (let row = 0; row < rows; row++) this.#count(ptr + row * stride, this.#itemsize, count);
    });
  }

  #count(from: number, stride: number, count: number): void {
    const { kernels } = this.#engine;
    for (let done = 0; done < count && !this.#isFull; done += BLOCK_ROWS) {
      const length = Math.min(BLOCK_ROWS, count - done);
      const at = from + done * stride;
      if (this.#isTime) kernels.timeCodes(at, stride, 0, length, 0, this.#codes);
      const plain = { typeNumber: this.#typeNumber, from: at, stride, picked: 0 };
      const assigned = this.#table.assign(this.#isTime ? packedCodes(this.#codes) : plain, length, this.#groupIndices);
      kernels.countRows(this.#groupIndices, assigned, this.#counts);
      this.#isFull = assigned < length;
    }
  }

  partial(): PartialOf<'unique-codes'> {
    const { scratch } = this.#engine;
    const { known, entries } = this.#table;
    return { items: [scratch.u8(entries, 8 * known).slice()], counts: [scratch.u32(this.#counts, known).slice()] };
  }
}

/** Distinct texts of all chunks of a task as they are, and complex numbers by the codes of both parts. Tiles of these are packed. */
export class ItemsSink implements Sink {
  readonly #engine: Engine;
  readonly #dtype: DType;
  readonly #found: DistinctItems;

  constructor(engine: Engine, { dtype }: ChunkTask) {
    this.#engine = engine;
    this.#dtype = dtype;
    this.#found = new DistinctItems(engine, isText(dtype) ? dtype.itemsize : COMPLEX_CODE_BYTES);
  }

  add({ ptr, box }: Tile): void {
    const { kernels, scratch } = this.#engine;
    const count = sizeOf(box.axes.map(axis => axis.length));
    if (isText(this.#dtype)) {
      this.#found.add(ptr, this.#dtype.itemsize, 0, count);
      return;
    }
    const mark = scratch.mark();
    const codes = scratch.alloc(COMPLEX_CODE_BYTES * count);
    kernels.complexCodes(this.#dtype.itemsize / 2, ptr, count, codes);
    this.#found.add(codes, COMPLEX_CODE_BYTES, 0, count);
    scratch.release(mark);
  }

  partial(): PartialOf<'unique-items'> {
    return this.#found.take();
  }
}

const COMPLEX_CODE_BYTES = 16;

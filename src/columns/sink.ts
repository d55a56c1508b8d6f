/**
 * The worker's side of columns: the rows of a chunk, as float64, in blocks that fit the first cache, whatever tiles they
 * come in. Memory: a block, and two records (moments.ts); 1 MiB and 8 MiB for as many columns as there may be.
 */
import type { Engine } from '../kernels/engine.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../kernels/native-types.js';
import type { Axis } from '../scan/box.js';
import type { Tile } from '../scan/tiles.js';
import { combineRecords, countNans, recordLength, recordOf } from './moments.js';
import type { ColumnsPartial, ColumnsSpec } from './specs.js';

/** Blocks are of so many bytes, and of at least so many rows: each is combined with those before it. */
const BLOCK_BYTES = 32 * 1024;
const BLOCK_ROWS_MIN = 128;

/** One column of a stretch of rows, in the kernels' memory. */
interface Stretch {
  readonly type: number;
  readonly ptr: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
}

export class ColumnsSink {
  readonly #engine: Engine;
  readonly #spec: ColumnsSpec;
  /** Rows of a block. */
  readonly #length: number;
  readonly #block: number;
  readonly #values: Float64Array;
  readonly #found: Float64Array;
  readonly #record: Float64Array;
  /** Rows of the block that are filled. */
  #filled = 0;

  constructor(engine: Engine, spec: ColumnsSpec) {
    const { columns } = spec;
    this.#engine = engine;
    this.#spec = spec;
    this.#length = Math.max(BLOCK_ROWS_MIN, Math.floor(BLOCK_BYTES / (8 * columns)));
    this.#block = engine.scratch.alloc(8 * columns * this.#length);
    this.#values = engine.scratch.f64(this.#block, columns * this.#length);
    this.#found = new Float64Array(recordLength(columns));
    this.#record = new Float64Array(recordLength(columns));
  }

  add(tile: Tile): void {
    const { places } = this.#spec;
    const { rows } = tile;
    const picked = rows?.picked ?? 0;
    if (places.kind === 'apart') {
      const stretches = places.columns.map(column => {
        const { typeNumber: type, ptr, stride } = rows!.columns.get(column);
        return { type, ptr: ptr + (picked === 0 ? rows!.start * stride : 0), stride };
      });
      this.#push(stretches, picked, rows!.count);
    } else {
      eachStretch(tile, places.isComplex, (stretches, length) => {
        if (!rows) this.#push(stretches, 0, length);
        else this.#push(picked === 0 ? from(stretches, rows.start) : stretches, picked, rows.count);
      });
    }
  }

  partial(buffer: { f64(length: number): Float64Array }): ColumnsPartial {
    this.#empty();
    const record = buffer.f64(this.#found.length);
    record.set(this.#found);
    return { record };
  }

  /** Adds rows to the block, `picked` being the address of their numbers, or 0 for the first `count`. */
  #push(stretches: readonly Stretch[], picked: number, count: number): void {
    const { kernels } = this.#engine;
    for (let done = 0; done < count;) {
      const rows = Math.min(count - done, this.#length - this.#filled);
      for (const [i, { type, ptr, stride }] of stretches.entries()) {
        const to = this.#block + 8 * (i * this.#length + this.#filled);
        if (picked === 0) kernels.widen(type, ptr + done * stride, stride, 0, rows, to);
        else kernels.widen(type, ptr, stride, picked + 4 * done, rows, to);
      }
      this.#filled += rows;
      done += rows;
      if (this.#filled === this.#length) this.#empty();
    }
  }

  #empty(): void {
    const { columns, dropsNan } = this.#spec;
    const block = { values: this.#values, length: this.#length };
    const rows = dropsNan ? withoutNan(block, this.#filled, columns) : this.#filled;
    if (dropsNan) countNans(this.#found, this.#filled - rows);
    this.#filled = 0;
    if (rows === 0) return;
    recordOf(block, rows, columns, this.#record);
    combineRecords(this.#found, this.#record, columns);
  }
}

function from(stretches: readonly Stretch[], start: number): Stretch[] {
  return stretches.map(({ type, ptr, stride }) => ({ type, ptr: ptr + start * stride, stride }));
}

/** The rows of a tile whose columns are along its kept axis, as long as they come with one stride. */
function eachStretch(
  { type, ptr, box }: Tile,
  isComplex: boolean,
  use: (stretches: readonly Stretch[], rows: number) => void,
): void {
  const number = NATIVE_TYPES.indexOf(type);
  const bytes = NATIVE_BYTES[type];
  const itemBytes = isComplex ? 2 * bytes : bytes;
  const axis = box.axes.find(({ kept }) => kept) ?? ONE;
  const others = box.axes.filter(each => each !== axis);
  const rows =
    others.find(each => each.rows) ?? others.reduce((most, each) => (each.length > most.length ? each : most), ONE);
  const outer = others.filter(each => each !== rows);
  const parts = isComplex ? [0, bytes] : [0];
  const stride = rows.stride * itemBytes;
  const walk = (depth: number, at: number): void => {
    const along = outer[depth];
    if (along) {
      for (let i = 0; i < along.length; i++) walk(depth + 1, at + i * along.stride * itemBytes);
      return;
    }
    const stretches: Stretch[] = [];
    for (let i = 0; i < axis.length; i++) {
      for (const part of parts) stretches.push({ type: number, ptr: at + i * axis.stride * itemBytes + part, stride });
    }
    use(stretches, rows.length);
  };
  walk(0, ptr);
}

const ONE: Axis = { length: 1, stride: 0, kept: false, cellStep: 0, indexStep: 0 };

/** Moves the rows without NaN together; answers how many there are. */
function withoutNan(
  { values, length }: { values: Float64Array; length: number },
  rows: number,
  columns: number,
): number {
  const isNan = new Uint8Array(rows);
  let some = false;
  for (let p = 0; p < columns; p++) {
    const start = p * length;
    for (let i = 0; i < rows; i++) {
      const value = values[start + i]!;
      // Only NaN is not itself.
      if (value === value) continue; // oxlint-disable-line no-self-compare -- the quickest test there is
      isNan[i] = 1;
      some = true;
    }
  }
  if (!some) return rows;
  let kept = 0;
  for (let p = 0; p < columns; p++) {
    const start = p * length;
    kept = 0;
    for (let i = 0; i < rows; i++) if (isNan[i] === 0) values[start + kept++] = values[start + i]!;
  }
  return kept;
}

/** Columns of a stretch of rows as native numbers, each read once however often it is asked for. */
import { invariant } from '../../errors.js';
import type { Engine } from '../engine.js';
import type { RowColumn } from '../../filter/filter.js';
import { NATIVE_TYPES, nativeTypeOf, type NativeType } from '../../kernels/native-types.js';
import { nativeView, type TileSource } from './native-view.js';

/** One value per row, in the kernels' memory. */
export interface NativeColumn {
  readonly type: NativeType;
  /** The number that kernels know the type by. */
  readonly typeNumber: number;
  readonly ptr: number;
  /** Bytes from one value to the next. */
  readonly stride: number;
}

export class RowColumns {
  readonly #engine: Engine;
  readonly #sources: readonly TileSource[];
  readonly #first: number;
  readonly #count: number;
  readonly #known = new Map<string, NativeColumn>();
  /** The same by identity: blocks of rows ask again and again. */
  readonly #asked = new Map<RowColumn, NativeColumn>();

  /** Rows `first` to `first + count`. What is read stays in the scratch memory until its caller gives that back. */
  constructor(engine: Engine, sources: readonly TileSource[], first: number, count: number) {
    this.#engine = engine;
    this.#sources = sources;
    this.#first = first;
    this.#count = count;
  }

  get(column: RowColumn): NativeColumn {
    let known = this.#asked.get(column);
    if (known) return known;
    const key = nameOf(column);
    known = this.#known.get(key) ?? this.#read(column);
    this.#known.set(key, known);
    this.#asked.set(column, known);
    return known;
  }

  /** A column that has been packed already. */
  put(column: Pick<RowColumn, 'source' | 'dtype' | 'offset'>, ptr: number): void {
    const type = nativeTypeOf(column.dtype);
    this.#known.set(nameOf(column), {
      type,
      typeNumber: NATIVE_TYPES.indexOf(type),
      ptr,
      stride: column.dtype.itemsize,
    });
  }

  #read({ source, dtype, offset, stride }: RowColumn): NativeColumn {
    const from = this.#sources[source];
    invariant(from !== undefined, 'a task has the sources of its columns');
    const view = { shape: [this.#count], strides: [stride], offset: offset + this.#first * stride };
    const { ptr, strides } = nativeView(this.#engine, from, dtype, view);
    const type = nativeTypeOf(dtype);
    return { type, typeNumber: NATIVE_TYPES.indexOf(type), ptr, stride: strides[0]! };
  }
}

function nameOf({ source, offset }: Pick<RowColumn, 'source' | 'offset'>): string {
  return `${source}:${offset}`;
}

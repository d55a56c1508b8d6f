/**
 * The texts sink: the different texts that a column has in the rows that are used. Memory: a table of ITEMS_BYTES_MAX; where
 * it is full, what was found is set aside, so that a text may come up twice.
 */
import type { Engine } from '../../kernels/engine.js';
import type { Sink } from '../pass.js';
import type { ChunkTask } from '../../scan/scan.js';
import type { Tile } from '../../scan/tiles.js';
import type { PartialOf, SpecOf } from '../specs.js';

const ITEMS_BYTES_MAX = 4 * 1024 * 1024;
const ITEMS_MAX = 64 * 1024;

export class TextsSink implements Sink {
  readonly #engine: Engine;
  readonly #column: SpecOf<'texts'>['column'];
  readonly #knownMax: number;
  readonly #bits: number;
  readonly #slots: number;
  readonly #entries: number;
  readonly #state: number;
  readonly #items: Uint8Array<ArrayBuffer>[] = [];

  constructor(engine: Engine, { column }: SpecOf<'texts'>, _chunk: ChunkTask) {
    const { scratch } = engine;
    const { itemsize } = column.dtype;
    this.#engine = engine;
    this.#column = column;
    this.#knownMax = Math.max(1, Math.min(ITEMS_MAX, Math.floor(ITEMS_BYTES_MAX / itemsize)));
    this.#bits = Math.ceil(Math.log2(2 * this.#knownMax));
    this.#slots = scratch.alloc(4 * 2 ** this.#bits);
    this.#entries = scratch.alloc(this.#knownMax * itemsize);
    this.#state = scratch.alloc(4);
    this.#clear();
  }

  add({ rows }: Tile): void {
    const { columns, picked, start, count } = rows!;
    const { kernels } = this.#engine;
    const { itemsize } = this.#column.dtype;
    const { ptr, stride } = columns.items(this.#column);
    for (let done = 0; done < count;) {
      const from = picked === 0 ? ptr + (start + done) * stride : ptr;
      const rowNumbers = picked === 0 ? 0 : picked + 4 * done;
      done += kernels.distinctItems(
        from,
        stride,
        rowNumbers,
        count - done,
        itemsize,
        this.#slots,
        this.#bits,
        this.#entries,
        this.#knownMax,
        this.#state,
      );
      if (done < count) this.#setAside();
    }
  }

  partial(): PartialOf<'texts'> {
    this.#setAside();
    return { cellStart: 0, cellCount: 1, items: this.#items };
  }

  get #known(): number {
    return this.#engine.scratch.u32(this.#state, 1)[0]!;
  }

  #setAside(): void {
    const bytes = this.#known * this.#column.dtype.itemsize;
    if (bytes > 0) this.#items.push(this.#engine.scratch.u8(this.#entries, bytes).slice());
    this.#clear();
  }

  #clear(): void {
    const { scratch } = this.#engine;
    scratch.u32(this.#state, 1)[0] = 0;
    scratch.u8(this.#slots, 4 * 2 ** this.#bits).fill(0);
  }
}

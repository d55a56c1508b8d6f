/** The worker's side of a sample: the groups and the values of a few rows. */
import type { Engine } from '../../../kernels/engine.js';
import { nativeTypeOf } from '../../../kernels/native-types.js';
import type { Tile } from '../../scan/tiles.js';
import type { ChunkTask } from '../../scan/scan.js';
import { BLOCK_ROWS, RowGroups } from '../row-groups.js';
import { BlockValues } from './block-values.js';
import type { PartialOf, SpecOf } from '../../specs.js';
import type { Sink } from '../../pass.js';
import { eachBlock } from '../row-values.js';

export class SampleSink implements Sink {
  readonly #engine: Engine;
  readonly #groups: RowGroups;
  readonly #block: BlockValues;
  readonly #wide: number;
  readonly #values: Float64Array<ArrayBuffer>[] = [];
  #rows = 0;

  constructor(engine: Engine, { keys }: SpecOf<'group-sample'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#groups = new RowGroups(engine, keys, Math.max(1, chunk.rows!.length));
    this.#block = new BlockValues(engine, nativeTypeOf(chunk.dtype));
    this.#wide = engine.scratch.alloc(8 * BLOCK_ROWS);
  }

  add(tile: Tile): void {
    const { kernels, scratch } = this.#engine;
    const elements = this.#block.of(tile);
    eachBlock(
      this.#groups,
      tile.rows!,
      () => {},
      rows => {
        this.#rows += rows.count;
        for (const element of elements) {
          kernels.widen(...this.#block.plain(tile.ptr, element, rows), rows.count, this.#wide);
          this.#values.push(scratch.f64(this.#wide, rows.count).slice());
        }
      },
    );
  }

  partial(): PartialOf<'group-sample'> {
    const values = new Float64Array(this.#values.reduce((sum, each) => sum + each.length, 0));
    let at = 0;
    for (const each of this.#values) {
      values.set(each, at);
      at += each.length;
    }
    return { cellStart: 0, cellCount: 1, rows: this.#rows, keys: this.#groups.keysOf(), values };
  }
}

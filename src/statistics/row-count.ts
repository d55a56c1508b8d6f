/** How many rows a filter keeps, piece by piece: what a slice of them, and cells per row, are planned with. */
import type { Engine } from '../kernels/engine.js';
import type { Tile } from './scan/tiles.js';
import type { ChunkTask } from './scan/scan.js';
import type { PartialOf, SpecOf } from './specs.js';
import type { Sink } from './pass.js';

export class RowCountSink implements Sink {
  readonly #engine: Engine;
  readonly #pieceRows: number;
  readonly #counts: Float64Array<ArrayBuffer>;

  constructor(engine: Engine, { pieceRows }: SpecOf<'row-counts'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#pieceRows = pieceRows;
    this.#counts = new Float64Array(Math.ceil(chunk.rows!.length / pieceRows));
  }

  add({ rows }: Tile): void {
    const { picked, start, count, first } = rows!;
    const numbers = picked === 0 ? undefined : this.#engine.scratch.u32(picked, count);
    for (let i = 0; i < count;) {
      const piece = Math.floor((first + (numbers ? numbers[i]! : start + i)) / this.#pieceRows);
      const end = (piece + 1) * this.#pieceRows - first;
      const next = numbers ? firstAtLeast(numbers, end, i) : Math.min(count, end - start);
      this.#counts[piece]! += next - i;
      i = next;
    }
  }

  partial(): PartialOf<'row-counts'> {
    return { cellStart: 0, cellCount: 1, counts: this.#counts };
  }
}

/** The first position from `from` on whose number is not below `limit`. */
function firstAtLeast(numbers: Uint32Array, limit: number, from: number): number {
  let low = from;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! >= limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

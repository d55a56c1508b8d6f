/**
 * The three roles of a computation. An operator answers some of a query's statistics and asks for passes over the data; in a
 * pass each chunk goes through sinks, one for each thing that is measured; what a sink answers goes back to the operator.
 */
import type { SinkSpec, SinkPartial } from './specs.js';
import type { OperationResult } from './result.js';
import { emptyScan, type ChunkTask, type Scan } from '../scan/scan.js';
import type { Tile } from '../scan/tiles.js';

export interface Operator {
  /** The operator whose passes come before its own, since it asks what that one has found. */
  readonly after?: Operator | undefined;
  /** Memory of what it found that the plan could not know, its answer included. */
  readonly heldBytes?: number;
  /**
   * The next pass, undefined when nothing more has to be read. Called once before the first pass and once after each,
   * when all of its partials have been merged.
   */
  next(): Pass | undefined;
  /** Takes the next partial of the pass, in the order of the chunks; in turns, where a partial is long. @throws nan_found */
  combine(partial: SinkPartial): Generator<void, void> | void;
  /** The operations that it answers, by their position in the query, in turns of a few milliseconds. */
  finish(): Generator<void, ReadonlyMap<number, OperationResult>>;
}

/** A scan without chunks is a turn for whatever else the event loop has to do. */
export interface Pass {
  readonly scan: Scan;
  readonly spec: SinkSpec;
  /** What is measured beside it. */
  readonly also?: readonly SinkSpec[];
}

/** A pass that reads nothing, in the place of one over a scan. */
export function turnOf({ dtype, tileBytesMax }: Scan): Pass {
  return { scan: emptyScan(dtype, tileBytesMax), spec: { kind: 'group-sample', keys: [] } };
}

/** What sees the elements of one chunk, or over all chunks of a task where partials combine exactly. */
export interface Sink {
  /** The chunk that the next tiles are of; for those that need more of it than the tiles say. */
  begin?(chunk: ChunkTask): void;
  /** The next tile of the chunk, in the order of the chunk's box. */
  add(tile: Tile): void;
  /** What goes back to the operator, in the buffer where there is space in it, or in memory of its own: it goes to another thread. */
  partial(buffer: PartialBuffer): SinkPartial;
}

/**
 * Memory that partials are put into, one behind the other, until it is full: memory of their own for the partials of
 * every task would have the threads collect garbage for as long as they compute. What is taken from it is to be written
 * whole: whatever was there before is still in it.
 */
export class PartialBuffer {
  readonly #buffer: ArrayBuffer | SharedArrayBuffer | undefined;
  #usedBytes = 0;

  constructor(buffer?: ArrayBuffer | SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  f64(length: number): Float64Array {
    const start = this.#take(8 * length);
    return start === undefined ? new Float64Array(length) : new Float64Array(this.#buffer!, start, length);
  }

  u32(length: number): Uint32Array {
    const start = this.#take(4 * length);
    return start === undefined ? new Uint32Array(length) : new Uint32Array(this.#buffer!, start, length);
  }

  #take(bytes: number): number | undefined {
    const start = Math.ceil(this.#usedBytes / 8) * 8;
    if (!this.#buffer || start + bytes > this.#buffer.byteLength) return undefined;
    this.#usedBytes = start + bytes;
    return start;
  }
}

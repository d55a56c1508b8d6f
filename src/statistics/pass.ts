/**
 * The three roles of a computation. An operator answers some of a query's statistics and asks for passes over the data; in a
 * pass each chunk goes through sinks, one for each thing that is measured; what a sink answers goes back to the operator.
 */
import type { Measure, SinkPartial } from './specs.js';
import type { OperationResult } from './result.js';
import type { ChunkTask, Walk } from './walk.js';
import type { Tile } from './tiles.js';
import type { Room } from './room.js';

export interface Part {
  /**
   * The next round, undefined when nothing more has to be read. Called once before the first round and once after each,
   * when all of its partials have been merged.
   */
  next(): Round | undefined;
  /** Takes the next partial of the round, in the order of the chunks. @throws nan_found */
  /** In turns, where a partial is long. */
  merge(partial: SinkPartial): Generator<void, void> | void;
  /** The operations that it answers, by their position in the query, in turns of a few milliseconds. */
  finish(): Generator<void, ReadonlyMap<number, OperationResult>>;
}

/** A walk without chunks is a turn for whatever else the event loop has to do. */
export interface Round {
  readonly walk: Walk;
  readonly measure: Measure;
  /** What is measured beside it. */
  readonly also?: readonly Measure[];
}

/** One measure over one chunk, or over all chunks of a task where partials combine exactly. */
export interface Measurement {
  /** The chunk that the next tiles are of; for those that need more of it than the tiles say. */
  begin?(chunk: ChunkTask): void;
  /** The next tile of the chunk, in the order of the chunk's box. */
  add(tile: Tile): void;
  /** The mergeable result, in the room where there is some, or in memory of its own: it goes to another thread. */
  partial(room: Room): SinkPartial;
}

/**
 * The three roles of a computation. An operator answers some of a query's statistics and asks for passes over the data; in a
 * pass each chunk goes through sinks, one for each thing that is measured; what a sink answers goes back to the operator.
 */
import type { SinkSpec, SinkPartial } from './specs.js';
import type { OperationResult } from './result.js';
import { emptyScan, type ChunkTask, type Scan } from './scan/scan.js';
import type { Tile } from './scan/tiles.js';
import type { PartialBuffer } from './partials.js';

export interface Operator {
  /** The operator whose passes come before its own, since it asks what that one has found. */
  readonly after?: Operator | undefined;
  /**
   * The next pass, undefined when nothing more has to be read. Called once before the first pass and once after each,
   * when all of its partials have been merged.
   */
  next(): Pass | undefined;
  /** Takes the next partial of the pass, in the order of the chunks. @throws nan_found */
  /** In turns, where a partial is long. */
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

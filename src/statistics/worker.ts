/**
 * The worker's side of a pass: chunks go through the sinks tile by tile, and each tile is filled once for all of
 * them, while it is in the cache. Synchronous; memory is the engine's scratch and the partials.
 */
import type { Engine } from './engine.js';
import { partialBytes, ReduceSink } from './accumulators/sink.js';
import { GroupsSink } from './groups/sink.js';
import { BucketsSink } from './groups/select/buckets.js';
import { SampleSink } from './groups/select/sample.js';
import { PartialBuffer } from './partial-buffer.js';
import { RowCountSink } from './row-count.js';
import { RowMask } from './scan/mask.js';
import { eachRowsTile, type RowMasks } from './scan/row-tiles.js';
import { HistogramSink } from './histogram/sink.js';
import { GatherSink } from './quantiles/gather-sink.js';
import { counterBytes, KeyCountsSink, KeysSink } from './quantiles/key-sinks.js';
import { eachTile, type Tile } from './scan/tiles.js';
import type { ChunkRows, ChunkTask } from './scan/scan.js';
import type { SinkName, SinkTypes, SinkSpec, SinkPartial } from './specs.js';
import type { Sink } from './pass.js';
import type { TileSource } from './scan/native-view.js';

type Opener<K extends SinkName> = (engine: Engine, spec: SinkTypes[K]['spec'], chunk: ChunkTask) => Sink;

interface SinkRow<K extends SinkName> {
  readonly open: Opener<K>;
  /** One partial stands for all chunks of a task: for counts, whose sums do not depend on the order. */
  readonly combines: boolean;
  /** Bytes of the buffer that a partial is put into: one for each chunk, or for each task where they combine. */
  readonly bufferBytes?: (spec: SinkTypes[K]['spec'], chunk: ChunkTask) => number;
}

const SINKS: { readonly [K in SinkName]: SinkRow<K> } = {
  reduce: { open: (...args) => new ReduceSink(...args), combines: false, bufferBytes: partialBytes },
  'row-counts': { open: (...args) => new RowCountSink(...args), combines: false },
  groups: { open: (...args) => new GroupsSink(...args), combines: false },
  'group-sample': { open: (...args) => new SampleSink(...args), combines: false },
  'group-buckets': { open: (...args) => new BucketsSink(...args), combines: true },
  gather: { open: (...args) => new GatherSink(...args), combines: false },
  'key-counts': { open: (...args) => new KeyCountsSink(...args), combines: true, bufferBytes: counterBytes },
  keys: { open: (...args) => new KeysSink(...args), combines: true },
  histogram: { open: (...args) => new HistogramSink(...args), combines: true },
};

export interface ScanOptions {
  /** Asked between two chunks. */
  readonly isCancelled?: () => boolean;
  /** Asked after a chunk: when it has been long enough for one task, the rest is left to another. */
  readonly isEnough?: () => boolean;
  /** Where partials are put. */
  readonly buffer?: PartialBuffer;
}

/**
 * Bytes of a buffer that a chunk adds to what a task needs, its first chunk more than the others where partials combine.
 * Partials that nothing is counted for have memory of their own.
 */
export function partialBytesOf(specs: readonly SinkSpec[], chunk: ChunkTask, isFirst: boolean): number {
  return specs.reduce((bytes, spec) => {
    // As in openAny: the row belongs to the spec's kind.
    const { bufferBytes, combines } = SINKS[spec.kind] as SinkRow<SinkName>;
    return bytes + (bufferBytes && (isFirst || !combines) ? bufferBytes(spec, chunk) : 0);
  }, 0);
}

/**
 * `sources` are the computation's datasets. For each chunk the partial of each sink; undefined where it is part of a
 * later chunk's. Short when it was cancelled, or was enough.
 */
export function scanChunks(
  engine: Engine,
  specs: readonly SinkSpec[],
  chunks: readonly ChunkTask[],
  sources: readonly TileSource[],
  options: ScanOptions = {},
): (SinkPartial | undefined)[][] {
  const start = engine.scratch.mark();
  try {
    return scanInTurn(engine, specs, chunks, sources, options);
  } finally {
    // Also after a file that could not be read, or the thread would have less memory with every fault.
    engine.scratch.release(start);
  }
}

function scanInTurn(
  engine: Engine,
  specs: readonly SinkSpec[],
  chunks: readonly ChunkTask[],
  sources: readonly TileSource[],
  { isCancelled = () => false, isEnough = () => false, buffer = new PartialBuffer() }: ScanOptions,
): (SinkPartial | undefined)[][] {
  // The chunks of a scan have the same filters.
  const masks = chunks[0]?.rows && masksOf(engine, chunks[0].rows);
  const rows = specs.map(({ kind }) => SINKS[kind]);
  const combined = specs.map((spec, i) => (rows[i]!.combines ? openAny(engine, spec, chunks[0]!) : undefined));
  const answers: (SinkPartial | undefined)[][] = [];
  for (const [number, chunk] of chunks.entries()) {
    if (isCancelled()) break;
    const mark = engine.scratch.mark();
    const sinks = specs.map((spec, i) => combined[i] ?? openAny(engine, spec, chunk));
    for (const sink of sinks) sink.begin?.(chunk);
    const add = (tile: Tile): void => {
      for (const sink of sinks) sink.add(tile);
    };
    if (chunk.rows) eachRowsTile(engine, chunk, chunk.rows, masks!, sources, add);
    else eachTile(engine, chunk, sources[chunk.source]!, add);
    const isLast = number === chunks.length - 1 || isEnough();
    answers.push(sinks.map((each, i) => (rows[i]!.combines && !isLast ? undefined : each.partial(buffer))));
    engine.scratch.release(mark);
    if (isLast) break;
  }
  return answers;
}

function masksOf(engine: Engine, { filter, within }: ChunkRows): RowMasks {
  return { filter: new RowMask(engine, filter), within: within && new RowMask(engine, within) };
}

function openAny(engine: Engine, spec: SinkSpec, chunk: ChunkTask): Sink {
  // The row belongs to the spec's kind; the compiler does not follow that through a union.
  const { open } = SINKS[spec.kind] as { open: (...args: [Engine, SinkSpec, ChunkTask]) => Sink };
  return open(engine, spec, chunk);
}

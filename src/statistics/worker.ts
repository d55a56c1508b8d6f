/**
 * The worker's side of a pass: chunks go through the sinks tile by tile, and each tile is filled once for all of
 * them, while it is in the cache. Synchronous; memory is the engine's scratch and the partials.
 */
import { ColumnsSink, recordLength } from '../columns/index.js';
import type { Engine } from '../kernels/engine.js';
import { openReduce } from './accumulators/facet-sink.js';
import { partialBytes } from './accumulators/sink.js';
import { GroupsSink } from './groups/sink.js';
import { BucketsSink, SampleSink } from './groups/quantiles/buckets.js';
import { CodesSink, ItemsSink, TextsSink } from './groups/distinct-sinks.js';
import { RowMask } from '../scan/mask.js';
import { putTexts } from '../scan/text-column.js';
import { eachRowsTile, type RowMasks } from '../scan/row-tiles.js';
import { HistogramSink } from './histogram/sink.js';
import { GatherSink } from './quantiles/gather-sink.js';
import { counterBytes, KeyCountsSink, KeysSink } from './quantiles/key-sinks.js';
import { eachTile, type Tile } from '../scan/tiles.js';
import type { ChunkRows, ChunkTask } from '../scan/scan.js';
import type { PartialOf, SinkName, SinkPartial, SinkSpec, SinkTypes, SpecOf } from './specs.js';
import { PartialBuffer, type Sink } from './pass.js';
import type { TileSource } from '../scan/native-view.js';

type Opener<K extends SinkName> = (engine: Engine, spec: SinkTypes[K]['spec'], chunk: ChunkTask) => Sink;

interface SinkRow<K extends SinkName> {
  readonly open: Opener<K>;
  /** One partial stands for all chunks of a task: for counts, whose sums do not depend on the order. */
  readonly combines: boolean;
  /** What the partials of a task take is known beforehand: it may go on for as long as there are chunks. */
  readonly isBounded?: boolean;
  /** Bytes of the buffer that a partial is put into: one for each chunk, or for each task where they combine. */
  readonly bufferBytes?: (spec: SinkTypes[K]['spec'], chunk: ChunkTask) => number;
}

const SINKS: { readonly [K in SinkName]: SinkRow<K> } = {
  reduce: { open: openReduce, combines: false, isBounded: true, bufferBytes: partialBytes },
  'row-counts': { open: (...args) => new RowCountSink(...args), combines: false },
  'row-numbers': { open: (engine, _, chunk) => new RowNumberSink(engine, chunk), combines: false },
  texts: { open: (...args) => new TextsSink(...args), combines: true },
  groups: { open: (...args) => new GroupsSink(...args), combines: false },
  'group-sample': { open: (...args) => new SampleSink(...args), combines: false },
  'group-buckets': { open: (...args) => new BucketsSink(...args), combines: true },
  gather: { open: (...args) => new GatherSink(...args), combines: false },
  'key-counts': {
    open: (...args) => new KeyCountsSink(...args),
    combines: true,
    isBounded: true,
    bufferBytes: counterBytes,
  },
  keys: { open: (...args) => new KeysSink(...args), combines: true },
  histogram: { open: (...args) => new HistogramSink(...args), combines: true, isBounded: true },
  'unique-codes': { open: (engine, _, chunk) => new CodesSink(engine, chunk), combines: true, isBounded: true },
  'unique-items': { open: (engine, _, chunk) => new ItemsSink(engine, chunk), combines: true },
  columns: {
    open: (engine, spec) => new ColumnsSink(engine, spec),
    combines: false,
    isBounded: true,
    bufferBytes: ({ columns }) => 8 * recordLength(columns),
  },
};

/** Whether the partials of some chunk stand for others of its task, too. */
export function combinesPartials(specs: readonly SinkSpec[]): boolean {
  return specs.some(({ kind }) => SINKS[kind].combines);
}

/** Whether the partials of a task grow with what is found, so that it has to end soon. */
export function turnsAreShort(specs: readonly SinkSpec[]): boolean {
  return specs.some(({ kind }) => !SINKS[kind].isBounded);
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
 * `sources` are the computation's datasets; the next of the chunks is asked for when the one before has been read. For each
 * chunk the partial of each sink, put into the buffer where there is space; undefined where it is part of the last one's.
 */
export function scanChunks(
  engine: Engine,
  specs: readonly SinkSpec[],
  chunks: Iterable<ChunkTask>,
  sources: readonly TileSource[],
  buffer = new PartialBuffer(),
): (SinkPartial | undefined)[][] {
  const start = engine.scratch.mark();
  try {
    return scanInTurn(engine, specs, chunks, sources, buffer);
  } finally {
    // Also after a file that could not be read, or the thread would have less memory with every fault.
    engine.scratch.release(start);
  }
}

function scanInTurn(
  engine: Engine,
  specs: readonly SinkSpec[],
  chunks: Iterable<ChunkTask>,
  sources: readonly TileSource[],
  buffer: PartialBuffer,
): (SinkPartial | undefined)[][] {
  let masks: RowMasks | undefined;
  let combined: (Sink | undefined)[] | undefined;
  const answers: (SinkPartial | undefined)[][] = [];
  for (const chunk of chunks) {
    // The chunks of a scan have the same filters.
    if (chunk.rows) masks ??= masksOf(engine, chunk.rows);
    combined ??= specs.map(spec => (SINKS[spec.kind].combines ? openAny(engine, spec, chunk) : undefined));
    const mark = engine.scratch.mark();
    const sinks = specs.map((spec, i) => combined![i] ?? openAny(engine, spec, chunk));
    for (const sink of sinks) sink.begin?.(chunk);
    const add = (tile: Tile): void => {
      for (const sink of sinks) sink.add(tile);
    };
    if (chunk.rows) eachRowsTile(engine, chunk, chunk.rows, masks!, sources, add);
    else eachTile(engine, chunk, sources[chunk.source]!, add);
    answers.push(sinks.map((each, i) => (combined![i] ? undefined : each.partial(buffer))));
    engine.scratch.release(mark);
  }
  for (const [i, sink] of combined?.entries() ?? []) if (sink) answers.at(-1)![i] = sink.partial(buffer);
  return answers;
}

function masksOf(engine: Engine, { filter, within, columns }: ChunkRows): RowMasks {
  return {
    filter: new RowMask(engine, filter),
    within: within && new RowMask(engine, within),
    texts: putTexts(engine, columns),
  };
}

function openAny(engine: Engine, spec: SinkSpec, chunk: ChunkTask): Sink {
  // The row belongs to the spec's kind; the compiler does not follow that through a union.
  const { open } = SINKS[spec.kind] as { open: (...args: [Engine, SinkSpec, ChunkTask]) => Sink };
  return open(engine, spec, chunk);
}

/** How many rows a filter keeps, piece by piece: what a slice of them, and cells per row, are planned with. */
class RowCountSink implements Sink {
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

/** Which rows a filter keeps. */
class RowNumberSink implements Sink {
  readonly #engine: Engine;
  readonly #rows: number;
  readonly #found: Uint32Array<ArrayBuffer>[] = [];

  constructor(engine: Engine, chunk: ChunkTask) {
    this.#engine = engine;
    this.#rows = chunk.rows!.length;
  }

  add({ rows }: Tile): void {
    const { picked, start, count, first } = rows!;
    const numbers = new Uint32Array(count);
    if (picked === 0) for (let i = 0; i < count; i++) numbers[i] = first + start + i;
    else {
      const from = this.#engine.scratch.u32(picked, count);
      for (let i = 0; i < count; i++) numbers[i] = first + from[i]!;
    }
    this.#found.push(numbers);
  }

  partial(): PartialOf<'row-numbers'> {
    const [sole] = this.#found;
    const numbers = this.#found.length === 1 ? sole! : joined(this.#found);
    return { cellStart: 0, cellCount: 1, numbers, rows: this.#rows };
  }
}

function joined(parts: readonly Uint32Array[]): Uint32Array<ArrayBuffer> {
  const whole = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
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

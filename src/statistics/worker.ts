/**
 * The worker's side of a pass: chunks go through the sinks tile by tile, and each tile is filled once for all of
 * them, while it is in the cache. Synchronous; memory is the engine's scratch and the partials.
 */
import type { Engine } from '../kernels/engine.js';
import { partialBytes, ReduceSink } from './accumulators/sink.js';
import { GroupsSink } from './groups/sink.js';
import { BucketsSink, SampleSink } from './groups/select/buckets.js';
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
import { CellMemory } from './accumulators/cell-memory.js';
import { CELL_FIELDS, WORKSPACE_BYTES } from '../kernels/cell-fields.js';
import { NATIVE_BYTES, NATIVE_TYPES } from '../kernels/native-types.js';
import { PartialBuffer } from './partials.js';

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
  reduce: { open: (...args) => new ReduceSink(...args), combines: false, isBounded: true, bufferBytes: partialBytes },
  'row-counts': { open: (...args) => new RowCountSink(...args), combines: false },
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

function masksOf(engine: Engine, { filter, within }: ChunkRows): RowMasks {
  return { filter: new RowMask(engine, filter), within: within && new RowMask(engine, within) };
}

function openAny(engine: Engine, spec: SinkSpec, chunk: ChunkTask): Sink {
  // The row belongs to the spec's kind; the compiler does not follow that through a union.
  const { open } = SINKS[spec.kind] as { open: (...args: [Engine, SinkSpec, ChunkTask]) => Sink };
  return open(engine, spec, chunk);
}

/**
 * The first calls of a kernel run in V8's baseline code, at half the speed, until its optimizing compiler has seen enough
 * of them; a single call over much data would run so to its end. A few hundred tiny calls when a thread starts are enough.
 */
const CALLS = 200;
const ELEMENTS = 256;
/** Long runs have loops of their own, which take fewer calls to be seen enough. */
const LONG_CALLS = 8;
const LONG_ELEMENTS = 8192;
const ROWS = 16;
/** What most data is; other types take their first tile to warm up. */
const TYPES = ['f32', 'f64'] as const;

/** Takes about a millisecond, and nothing of the engine's memory. */
export function warmUp(engine: Engine): void {
  const { kernels, scratch, lines } = engine;
  const mark = scratch.mark();
  for (const type of TYPES) {
    const number = NATIVE_TYPES.indexOf(type);
    const ptr = scratch.alloc(LONG_ELEMENTS * NATIVE_BYTES[type]);
    scratch.u8(ptr, LONG_ELEMENTS * NATIVE_BYTES[type]).fill(1);
    const width = ELEMENTS / ROWS;
    const workspace = scratch.alloc(WORKSPACE_BYTES * width);
    const cells = new CellMemory(engine, type, width, CELL_FIELDS, 'columns');
    cells.begin(0, width);
    const into = { cells: cells.at('sum'), fieldBytes: cells.fieldBytes, cellStep: 0 };
    const run = { type: number, ptr, step: 0, count: 1, length: ELEMENTS, ...into };
    const step = width * NATIVE_BYTES[type];
    const rows = { type: number, ptr, step, count: ROWS, length: width, blocks: 1, workspace, ...into };
    const reduceRun = (length: number): void => {
      kernels.momentsRuns(lines.write({ ...run, length, extremes: true }));
      const over = lines.write({ ...run, length });
      kernels.sumRuns(over);
      kernels.momentsRuns(over);
      kernels.extremesRuns(over);
    };
    for (let call = 0; call < LONG_CALLS; call++) reduceRun(LONG_ELEMENTS);
    for (let call = 0; call < CALLS; call++) {
      reduceRun(ELEMENTS);
      const over = lines.write(rows);
      kernels.sumRows(over);
      kernels.momentsRows(over);
      kernels.extremesRows(over);
    }
  }
  scratch.release(mark);
}

/**
 * The worker's side of a round: chunks go through the measures tile by tile, and each tile is filled once for all of
 * them, while it is in the cache. Synchronous; memory is the engine's scratch and the partials.
 */
import type { Engine } from './engine.js';
import { partialBytes, ReduceMeasurement } from './chunk.js';
import { GroupsMeasurement } from './groups/measurement.js';
import { BucketsMeasurement } from './groups/select/buckets.js';
import { CodesMeasurement, DigitsOfGroupsMeasurement } from './groups/select/ranged.js';
import { SampleMeasurement } from './groups/select/sample.js';
import { Room } from './room.js';
import { RowsMeasurement } from './rows/count.js';
import { RowMask } from './rows/row-mask.js';
import { eachRowsTile, type RowMasks } from './rows/rows-tiles.js';
import { BinsMeasurement } from './histogram/bins.js';
import { CellsMeasurement } from './quantiles/cells.js';
import { DigitsMeasurement, tableBytes } from './quantiles/digits.js';
import { eachTile, type Tile } from './tiles.js';
import type { ChunkRows, ChunkTask } from './walk.js';
import type { Kind, Kinds, Measure, SinkPartial } from './specs.js';
import type { Measurement } from './pass.js';
import type { TileSource } from './native-view.js';

type Opener<K extends Kind> = (engine: Engine, measure: Kinds[K]['measure'], chunk: ChunkTask) => Measurement;

interface MeasurementRow<K extends Kind> {
  readonly open: Opener<K>;
  /** One partial stands for all chunks of a task: for counts, whose sums do not depend on the order. */
  readonly combines: boolean;
  /** Bytes of the room that a partial is put into: one for each chunk, or for each task where they combine. */
  readonly roomBytes?: (measure: Kinds[K]['measure'], chunk: ChunkTask) => number;
}

const MEASUREMENTS: { readonly [K in Kind]: MeasurementRow<K> } = {
  reduce: { open: (...args) => new ReduceMeasurement(...args), combines: false, roomBytes: partialBytes },
  rows: { open: (...args) => new RowsMeasurement(...args), combines: false },
  groups: { open: (...args) => new GroupsMeasurement(...args), combines: false },
  'group-sample': { open: (...args) => new SampleMeasurement(...args), combines: false },
  'group-buckets': { open: (...args) => new BucketsMeasurement(...args), combines: true },
  'group-digits': { open: (...args) => new DigitsOfGroupsMeasurement(...args), combines: true },
  'group-codes': { open: (...args) => new CodesMeasurement(...args), combines: true },
  cells: { open: (...args) => new CellsMeasurement(...args), combines: false },
  digits: { open: (...args) => new DigitsMeasurement(...args), combines: true, roomBytes: tableBytes },
  bins: { open: (...args) => new BinsMeasurement(...args), combines: true },
};

export interface MeasureOptions {
  /** Asked between two chunks. */
  readonly isCancelled?: () => boolean;
  /** Asked after a chunk: when it has been long enough for one task, the rest is left to another. */
  readonly isEnough?: () => boolean;
  /** Where partials are put. */
  readonly room?: Room;
}

/**
 * Bytes of a room that a chunk adds to what a task needs, its first chunk more than the others where partials combine.
 * Partials that nothing is counted for have memory of their own.
 */
export function roomBytesOf(measures: readonly Measure[], chunk: ChunkTask, isFirst: boolean): number {
  return measures.reduce((bytes, measure) => {
    // As in openAny: the row belongs to the measure's kind.
    const { roomBytes, combines } = MEASUREMENTS[measure.kind] as MeasurementRow<Kind>;
    return bytes + (roomBytes && (isFirst || !combines) ? roomBytes(measure, chunk) : 0);
  }, 0);
}

/**
 * `sources` are the computation's datasets. For each chunk the partial of each measure; undefined where it is part of a
 * later chunk's. Short when it was cancelled, or was enough.
 */
export function measureChunks(
  engine: Engine,
  measures: readonly Measure[],
  chunks: readonly ChunkTask[],
  sources: readonly TileSource[],
  options: MeasureOptions = {},
): (SinkPartial | undefined)[][] {
  const start = engine.scratch.mark();
  try {
    return measureInTurn(engine, measures, chunks, sources, options);
  } finally {
    // Also after a file that could not be read, or the thread would have less memory with every fault.
    engine.scratch.release(start);
  }
}

function measureInTurn(
  engine: Engine,
  measures: readonly Measure[],
  chunks: readonly ChunkTask[],
  sources: readonly TileSource[],
  { isCancelled = () => false, isEnough = () => false, room = new Room() }: MeasureOptions,
): (SinkPartial | undefined)[][] {
  // The chunks of a walk have the same filters.
  const masks = chunks[0]?.rows && masksOf(engine, chunks[0].rows);
  const rows = measures.map(({ kind }) => MEASUREMENTS[kind]);
  const combined = measures.map((measure, i) => (rows[i]!.combines ? openAny(engine, measure, chunks[0]!) : undefined));
  const answers: (SinkPartial | undefined)[][] = [];
  for (const [number, chunk] of chunks.entries()) {
    if (isCancelled()) break;
    const mark = engine.scratch.mark();
    const measurements = measures.map((measure, i) => combined[i] ?? openAny(engine, measure, chunk));
    for (const measurement of measurements) measurement.begin?.(chunk);
    const add = (tile: Tile): void => {
      for (const measurement of measurements) measurement.add(tile);
    };
    if (chunk.rows) eachRowsTile(engine, chunk, chunk.rows, masks!, sources, add);
    else eachTile(engine, chunk, sources[chunk.source]!, add);
    const isLast = number === chunks.length - 1 || isEnough();
    answers.push(measurements.map((each, i) => (rows[i]!.combines && !isLast ? undefined : each.partial(room))));
    engine.scratch.release(mark);
    if (isLast) break;
  }
  return answers;
}

function masksOf(engine: Engine, { filter, within }: ChunkRows): RowMasks {
  return { filter: new RowMask(engine, filter), within: within && new RowMask(engine, within) };
}

function openAny(engine: Engine, measure: Measure, chunk: ChunkTask): Measurement {
  // The row belongs to the measure's kind; the compiler does not follow that through a union.
  const { open } = MEASUREMENTS[measure.kind] as { open: (...args: [Engine, Measure, ChunkTask]) => Measurement };
  return open(engine, measure, chunk);
}

/** What a worker can be asked to do: plain functions on plain data, which tests call without a thread. */
import type { SourceDescriptor } from '../descriptor.js';
import type { ScatterTask } from '../dataset/off-loop.js';
import { invariant } from '../errors.js';
import { eachRun } from '../file/change.js';
import { writeFullySync } from '../file/io.js';
import { openSource } from '../file/sources.js';
import { gather } from '../layout/gather.js';
import type { View } from '../layout/view.js';
import {
  measureChunks,
  newEngine,
  type ChunkTask,
  type Engine,
  type Measure,
  type Partial,
  type TileSource,
} from '../statistics/index.js';

export interface GatherTask {
  readonly source: SourceDescriptor;
  readonly view: View;
  readonly itemsize: number;
  /** Shared memory of exactly the view's bytes. */
  readonly out: Uint8Array;
}

export interface WalkTask {
  /** The computation's datasets; undefined where these chunks read none of it. */
  readonly sources: readonly (SourceDescriptor | undefined)[];
  readonly measures: readonly Measure[];
  readonly chunks: readonly ChunkTask[];
  /** Shared: 1 as soon as nobody wants the answer any more. */
  readonly cancel: Int32Array;
}

export interface WalkAnswer {
  /** Per chunk, the partial of each measure; undefined where it is part of a later one's. Short when cancelled. */
  readonly partials: (Partial | undefined)[][];
  readonly ms: number;
}

export function gatherView({ source, view, itemsize, out }: GatherTask): void {
  gather(openSource(source), view, itemsize, out);
}

export function scatterView({ fd, ...change }: ScatterTask): void {
  eachRun(change, (offset, run) => writeFullySync(fd, run, offset));
}

let engine: Engine | undefined;

export function walkChunks({ sources, measures, chunks, cancel }: WalkTask): WalkAnswer {
  const started = performance.now();
  engine ??= newEngine();
  const isCancelled = (): boolean => Atomics.load(cancel, 0) !== 0;
  const partials = measureChunks(engine, measures, chunks, sources.map(tileSource), isCancelled);
  return { partials, ms: performance.now() - started };
}

function tileSource(descriptor: SourceDescriptor | undefined): TileSource {
  const source = descriptor && openSource(descriptor);
  return {
    read(view, itemsize, into) {
      invariant(source !== undefined, 'a task describes what its chunks read');
      gather(source, view, itemsize, into);
    },
  };
}

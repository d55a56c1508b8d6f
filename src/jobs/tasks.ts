/** What a worker can be asked to do: plain functions on plain data, which tests call without a thread. */
import type { SourceDescriptor } from '../descriptor.js';
import type { ScatterTask } from '../dataset/off-loop.js';
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
} from '../statistics/index.js';

export interface GatherTask {
  readonly source: SourceDescriptor;
  readonly view: View;
  readonly itemsize: number;
  /** Shared memory of exactly the view's bytes. */
  readonly out: Uint8Array;
}

export interface WalkTask {
  readonly source: SourceDescriptor;
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

export function walkChunks({ source, measures, chunks, cancel }: WalkTask): WalkAnswer {
  const started = performance.now();
  const bytesOf = openSource(source);
  engine ??= newEngine();
  const partials = measureChunks(
    engine,
    measures,
    chunks,
    { read: (view, itemsize, into) => gather(bytesOf, view, itemsize, into) },
    () => Atomics.load(cancel, 0) !== 0,
  );
  return { partials, ms: performance.now() - started };
}

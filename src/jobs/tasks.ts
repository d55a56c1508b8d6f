/** What a worker can be asked to do: plain functions on plain data, which tests call without a thread. */
import fs from 'node:fs';
import type { SourceDescriptor } from '../descriptor.js';
import type { ScatterTask } from '../dataset/off-loop.js';
import { invariant } from '../errors.js';
import { Arena, type KeptFile } from '../file/arena.js';
import { applyTo } from '../file/change.js';
import { openSource } from '../file/sources.js';
import { gather, gatherParts } from '../layout/gather.js';
import type { View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import {
  chunkAt,
  scanChunks,
  newEngine,
  PartialBuffer,
  type Engine,
  type SinkSpec,
  type SinkPartial,
  type TileSource,
  type Scan,
} from '../statistics/index.js';

export interface GatherTask {
  readonly source: SourceDescriptor;
  readonly view: View;
  readonly itemsize: number;
  /** Shared memory of exactly the view's bytes. */
  readonly out: Uint8Array;
  /** Parts of it that other tasks have gathered. */
  readonly done: number;
}

export interface ScanTask {
  /** The computation's datasets; undefined where these chunks read none of it. */
  readonly sources: readonly (SourceDescriptor | undefined)[];
  readonly specs: readonly SinkSpec[];
  /** Chunks `[first, first + count)` of a scan. */
  readonly scan: Scan;
  readonly first: number;
  readonly count: number;
  /** The same for all tasks of one scan over the data, and for no other's. */
  readonly scanId: number;
  /** Shared: 1 as soon as nobody wants the answer any more. */
  readonly cancel: Int32Array;
  /** Where partials are put that have space in it (partialBytesOf), so that none is given memory of its own. */
  readonly buffer?: SharedArrayBuffer | undefined;
}

export interface ScanAnswer {
  /** Per chunk, the partial of each sink; undefined where it is part of a later one's. Short when cancelled, or when it took long. */
  readonly partials: (SinkPartial | undefined)[][];
  readonly ms: number;
}

/** Gathers for a while. Answers how many parts are done when there are more; undefined at the end. */
export function gatherView({ source, view, itemsize, out, done }: GatherTask): number | undefined {
  const started = performance.now();
  const parts = gatherParts(openSource(source), view, itemsize, out, LIMITS.gatherPartBytesMax, done);
  for (let count = done + 1; !parts.next().done; count++) {
    if (performance.now() - started > LIMITS.taskMsMax) return count;
  }
  return undefined;
}

export function scatterView({ fd, ...change }: ScatterTask): void {
  applyTo(fd, change);
}

/** What a thread computes with. */
export interface Workplace {
  readonly engine: Engine;
  /** Undefined: files are read. */
  readonly arena: Arena | undefined;
}

/** @throws where the memory of the kernels cannot be had */
export function newWorkplace(module: WebAssembly.Module, keepsFiles: boolean): Workplace {
  if (!keepsFiles) return { engine: newEngine(module), arena: undefined };
  const engine = newEngine(module, LIMITS.kernelMemoryBytes);
  return { engine, arena: Arena.over(engine.memory.buffer, LIMITS.kernelScratchBytes) };
}

export function runScan(
  { engine, arena }: Workplace,
  { sources, specs, scan, first, count, scanId, cancel, buffer }: ScanTask,
): ScanAnswer {
  const started = performance.now();
  const isCancelled = (): boolean => Atomics.load(cancel, 0) !== 0;
  const opened = sources.map(source => tileSource(source, arena, scanId));
  const chunks = Array.from({ length: count }, (_, i) => chunkAt(scan, first + i));
  const isEnough = (): boolean => performance.now() - started > LIMITS.taskMsMax;
  const partials = scanChunks(engine, specs, chunks, opened, {
    isCancelled,
    isEnough,
    buffer: new PartialBuffer(buffer),
  });
  return { partials, ms: performance.now() - started };
}

function tileSource(descriptor: SourceDescriptor | undefined, arena: Arena | undefined, scanId: number): TileSource {
  const source = descriptor && openSource(descriptor);
  const kept = descriptor && keptFile(descriptor);
  return {
    read(view, itemsize, into) {
      invariant(source !== undefined, 'a task describes what its chunks read');
      gather(source, view, itemsize, into);
    },
    kept: (start, end) => (kept && end <= kept.bytes ? arena?.find(kept, start, end, scanId) : undefined),
  };
}

/** Old bytes in the place of present ones are no file's; and whoever truncated one after all must not end us. */
function keptFile({ fd, keptAs, patches }: SourceDescriptor): (KeptFile & { readonly bytes: number }) | undefined {
  if (keptAs === undefined || patches) return undefined;
  return { fd, keptAs, bytes: fs.fstatSync(fd).size };
}

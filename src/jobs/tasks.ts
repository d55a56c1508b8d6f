/** What a worker can be asked to do: plain functions on plain data, which tests call without a thread. */
import type { SourceDescriptor } from '../descriptor.js';
import { conversionFrom } from '../convert/index.js';
import type { ConvertTask, ScatterTask } from '../dataset/off-loop.js';
import { Arena } from '../file/arena.js';
import { applyTo, type Change } from '../file/change.js';
import { openSource } from '../file/sources.js';
import { encoderFrom, type EncodeTask } from '../formats/index.js';
import { arrange, type Arranged } from '../layout/arrange.js';
import { gather, gatherParts } from '../layout/gather.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { newEngine, type Engine } from '../statistics/index.js';

export interface GatherTask {
  readonly source: SourceDescriptor;
  readonly view: View;
  readonly itemsize: number;
  /** Shared memory of exactly the view's bytes. */
  readonly out: Uint8Array;
  /** Parts of it that other tasks have gathered. */
  readonly done: number;
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

export function convertItems({ spec, source, target, first }: ConvertTask): void {
  conversionFrom(spec).run(source, target, first);
}

/** The bytes that were written. */
export function encodeElements({ spec, source, first, target }: EncodeTask): number {
  return encoderFrom(spec).encode(source, first, target);
}

export interface TrueTask {
  readonly source: SourceDescriptor;
  /** Of bytes. */
  readonly view: View;
}

/** The numbers of the elements of a mask, in its C order, that are true. */
export function numbersOfTrue({ source, view }: TrueTask): Uint32Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeOf(view.shape));
  gather(openSource(source), view, 1, bytes);
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) count++;
  const numbers = new Uint32Array(count);
  for (let i = 0, at = 0; at < count; i++) if (bytes[i] !== 0) numbers[at++] = i;
  return numbers;
}

export function arrangeChange({ target, itemsize, source, bytes }: Change): Arranged {
  return arrange(target, itemsize, source, bytes);
}

export function scatterView({ fd, ...change }: ScatterTask): void {
  applyTo(fd, change);
}

/** What a thread computes with. */
export interface Workplace {
  readonly engine: Engine;
  /** Undefined: files are read. */
  readonly arena: Arena | undefined;
  /** Shared: tasks in line for the workers, by lane (WAITING). */
  readonly waiting: Int32Array;
}

/** @throws where the memory of the kernels cannot be had */
export function newWorkplace(
  module: WebAssembly.Module,
  keepsFiles: boolean,
  waiting: Int32Array = new Int32Array(2),
): Workplace {
  if (!keepsFiles) return { engine: newEngine(module), arena: undefined, waiting };
  const engine = newEngine(module, LIMITS.kernelMemoryBytes);
  return { engine, arena: Arena.over(engine.memory.buffer, LIMITS.kernelScratchBytes), waiting };
}

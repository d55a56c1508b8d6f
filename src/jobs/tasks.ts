/** What a worker can be asked to do: plain functions on plain data, which tests call without a thread. */
import type { SourceDescriptor } from '../descriptor.js';
import { conversionFrom } from '../convert/index.js';
import type { ConvertTask, ScatterTask } from '../dataset/off-loop.js';
import { Arena } from '../file/arena.js';
import { applyTo, type Change } from '../file/change.js';
import { openSource } from '../file/sources.js';
import { readFullySync } from '../file/io.js';
import {
  convertStep,
  encoderFrom,
  layoutOf,
  lookAt,
  type BodyFile,
  type BodySource,
  type Converted,
  type ConvertStepTask,
  type Encoder,
  type EncodeTask,
  type EncodingSpec,
  type FoundLayout,
  type Kept,
  type Looked,
  type LookTask,
} from '../formats/index.js';
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
  return encoderOf(spec).encode(source, first, target);
}

/** The stretches of one answer come one behind the other; a table may have a thousand columns to be made again for each. */
let latest: { readonly key: string; readonly encoder: Encoder } | undefined;

function encoderOf(spec: EncodingSpec): Encoder {
  const key = JSON.stringify(spec);
  if (latest?.key !== key) latest = { key, encoder: encoderFrom(spec) };
  return latest.encoder;
}

/** Looks at the next part of a body. */
export function lookAtBody(task: LookTask): Looked<Kept> {
  return lookAt(task, bodySource(task.body));
}

/** What a body becomes that was looked at to its end. */
export function layoutOfBody(task: LookTask): FoundLayout {
  return layoutOf(task, bodySource(task.body));
}

/** Converts the next elements of a body. */
export function convertBody(task: ConvertStepTask): Converted<Kept> {
  return convertStep(task, bodySource(task.body));
}

/** Memory of the thread for the parts of bodies; longer parts have their own. */
let bodyScratch: Uint8Array | undefined;

function bodySource({ fd, size, isWhole }: BodyFile): BodySource {
  return {
    size,
    isWhole,
    read(start, length) {
      bodyScratch ??= new Uint8Array(LIMITS.decodePieceBytes);
      const bytes = length <= bodyScratch.length ? bodyScratch.subarray(0, length) : new Uint8Array(length);
      readFullySync(fd, bytes, start);
      return bytes;
    },
  };
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

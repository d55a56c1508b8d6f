/**
 * Many numbers as JSON, stretch by stretch, by several workers at once. Memory: that of the text, and of the stretches under
 * way four times their elements.
 */
import type { Block } from '../block.js';
import { returnBuffer, takeBuffer } from '../dataset/buffers.js';
import { isNumber } from '../dtype/index.js';
import { jsonStretchBytesMax, type JsonDataOptions, type JsonTask } from '../formats/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';

export interface JsonWorkers {
  json(task: JsonTask): Promise<number>;
}

/** More numbers than one task has. */
export function isForWorkers({ dtype, shape }: Block): boolean {
  return isNumber(dtype) && sizeOf(shape) > LIMITS.jsonElementsPerTask;
}

/** The text in its parts, in order. */
export async function jsonByWorkers(
  { dtype, shape, bytes }: Block,
  { int64 }: JsonDataOptions,
  workers: JsonWorkers,
): Promise<Uint8Array[]> {
  const perTask = LIMITS.jsonElementsPerTask;
  const count = Math.ceil(sizeOf(shape) / perTask);
  const texts: Uint8Array[] = Array.from({ length: count });
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const elements = bytes.subarray(i * perTask * dtype.itemsize, (i + 1) * perTask * dtype.itemsize);
      const source = takeBuffer(elements.byteLength);
      const target = takeBuffer(jsonStretchBytesMax(perTask, shape));
      source.set(elements);
      const task = { dtype: dtype.typestr, shape, int64, first: i * perTask };
      // oxlint-disable-next-line no-await-in-loop
      const written = await workers.json({ ...task, source: source.subarray(0, elements.byteLength), target });
      texts[i] = Uint8Array.from(target.subarray(0, written));
      returnBuffer(source);
      returnBuffer(target);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, LIMITS.jsonTasksMax) }, work));
  return texts;
}

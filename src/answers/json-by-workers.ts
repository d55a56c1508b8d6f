/**
 * Many numbers as JSON, stretch by stretch, by several workers at once. Memory: that of the text, and a megabyte for each
 * stretch under way.
 */
import type { Block } from '../block.js';
import { asShared, returnBuffer, takeBuffer, type KeptBytes } from '../dataset/buffers.js';
import { isNumber } from '../dtype/index.js';
import { jsonStretchBytesMax, type JsonDataOptions, type JsonTask } from '../formats/index.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';

export interface JsonWorkers {
  json(task: JsonTask): Promise<number>;
}

/** Numbers that are worth the way to a worker: more than half of what one task has. */
export function isForWorkers({ dtype, shape }: Block): boolean {
  return isNumber(dtype) && sizeOf(shape) > LIMITS.jsonElementsPerTask / 2;
}

/**
 * Adds the text, stretch by stretch in order. Some are written at once, and each gives its memory back before one that
 * many places behind it begins.
 */
export async function jsonByWorkers(
  { dtype, shape, bytes }: Block,
  { int64 }: JsonDataOptions,
  workers: JsonWorkers,
  text: KeptBytes,
): Promise<void> {
  const perTask = LIMITS.jsonElementsPerTask;
  const count = Math.ceil(sizeOf(shape) / perTask);
  const write = async (i: number): Promise<Written> => {
    const target = takeBuffer(jsonStretchBytesMax(perTask, shape));
    const source = asShared(bytes.subarray(i * perTask * dtype.itemsize, (i + 1) * perTask * dtype.itemsize));
    const written = await workers.json({ dtype: dtype.typestr, shape, int64, first: i * perTask, source, target });
    return { target, written };
  };
  const writing: Promise<Written>[] = [];
  for (let begun = 0, kept = 0; kept < count; kept++) {
    for (; begun < count && begun < kept + LIMITS.jsonTasksMax; begun++) {
      writing[begun] = write(begun);
      // Where one before it fails, nobody waits for it.
      writing[begun]!.catch(() => undefined);
    }
    const { target, written } = await writing[kept]!; // oxlint-disable-line no-await-in-loop
    text.add(target.subarray(0, written));
    returnBuffer(target);
  }
}

interface Written {
  readonly target: Buffer;
  /** Bytes of it. */
  readonly written: number;
}

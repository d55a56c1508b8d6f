/** Blocks of a coarsened array as bytes, in turns. */
import type { Block } from '../block.js';
import { isNativeOrder, withByteOrder } from '../dtype/index.js';
import { LIMITS } from '../limits.js';
import { swapItems } from '../native.js';
import type { OperationResult } from '../statistics/index.js';
import type { Coarsened } from './coarsen.js';
import { toBlock } from '../answers/json.js';

/**
 * The answer as an array; several results of each block stand side by side.
 * @throws would_lose when an exact integer is outside 64 bits
 */
export function* coarsenedBlock(
  results: readonly OperationResult[],
  { dtype, shape }: Coarsened,
): Generator<void, Block> {
  const { length } = results[0]!.values;
  const { itemsize } = dtype;
  const step = itemsize * results.length;
  const native = withByteOrder(dtype, '<');
  const bytes = new Uint8Array(step * length);
  for (let from = 0; from < length; from += LIMITS.cellsPerTurn) {
    const to = Math.min(length, from + LIMITS.cellsPerTurn);
    for (const [i, { name, values }] of results.entries()) {
      const some = values instanceof Float64Array ? values.subarray(from, to) : values.slice(from, to);
      const packed = toBlock({ name, dtype: native, shape: [to - from], values: some }).bytes;
      put(packed, itemsize, bytes, from * step + i * itemsize, step);
    }
    if (!isNativeOrder(dtype)) swapItems(dtype, bytes.subarray(from * step, to * step));
    yield;
  }
  return { dtype, shape, bytes };
}

/** Items to every `step` bytes. */
function put(items: Uint8Array, itemsize: number, into: Uint8Array, start: number, step: number): void {
  if (step === itemsize) {
    into.set(items, start);
    return;
  }
  for (let from = 0, to = start; from < items.byteLength; from += itemsize, to += step) {
    for (let i = 0; i < itemsize; i++) into[to + i] = items[from + i]!;
  }
}

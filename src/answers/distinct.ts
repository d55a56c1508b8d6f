/** Distinct elements as an array: a structure of each with its count. */
import type { Block } from '../block.js';
import { isText, structureFrom, type TextDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import type { TextKey } from '../filter/texts.js';
import { LIMITS } from '../limits.js';
import type { Distinct, Numbers, OperationResult } from '../statistics/result.js';
import { isTurnOver } from '../turns.js';
import { toBlock } from './json.js';

const COUNT_BYTES = 8;

/**
 * `[["values", dtype], ["counts", "<i8"]]`, in turns.
 * @throws too_large where texts of this dtype would take too much
 */
export function* distinctBlock(
  entry: Pick<OperationResult, 'name' | keyof Numbers>,
  { dtype, values }: Distinct,
): Generator<void, Block> {
  const { itemsize } = dtype;
  const fields = [
    { name: 'values', dtype, shape: [], offset: 0 },
    { name: 'counts', dtype: entry.dtype, shape: [], offset: itemsize },
  ];
  const structure = structureFrom(fields, itemsize + COUNT_BYTES);
  const [length = 0] = entry.shape;
  if (isText(dtype)) checkBytes(length * structure.itemsize);
  const bytes = new Uint8Array(length * structure.itemsize);
  const counts = toBlock(entry).bytes;
  const packed = isText(dtype) ? undefined : toBlock({ ...entry, dtype, values: values as Numbers['values'] }).bytes;
  for (let i = 0, at = 0; i < length; i++, at += structure.itemsize) {
    if (packed) bytes.set(packed.subarray(i * itemsize, (i + 1) * itemsize), at);
    else putKey(dtype as TextDType, values[i] as TextKey, bytes, at);
    bytes.set(counts.subarray(i * COUNT_BYTES, (i + 1) * COUNT_BYTES), at + itemsize);
    if (isTurnOver(i)) yield;
  }
  return { dtype: structure, shape: entry.shape, bytes };
}

/** Texts are as long as their dtype allows, however short those are that were found. */
function checkBytes(asked: number): void {
  const limit = LIMITS.distinctTextBytesMax;
  if (asked <= limit) return;
  const detail = `As an array the answer would have ${asked} bytes, since each text takes as many as its dtype; at most ${limit} are possible. Ask for format=json, where texts are as long as they are.`;
  fail('too_large', detail, { limit, asked });
}

/** A text of which code points are known, valid or not, in little-endian order. */
function putKey({ kind }: TextDType, key: TextKey, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < key.length; i += 4) {
    if (kind === 'S') bytes[at + i / 4] = key.charCodeAt(i + 3);
    else for (let unit = 0; unit < 4; unit++) bytes[at + i + unit] = key.charCodeAt(i + 3 - unit);
  }
}

/** A whole body that is a `.npy`: an integer array for axis 0, or a boolean mask over the leading axes. */
import { isNumber, type NumberDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { parseNpyHeader } from '../formats/index.js';
import { gatherParts, type ByteSource } from '../layout/gather.js';
import { packedView, sizeOf } from '../layout/view.js';
import { toNative } from '../native.js';
import { isTurnOver } from '../turns.js';
import type { ListItem } from './items.js';
import type { EntriesLeft } from './read-lists.js';

/** Entries that are converted in one turn. */
const ENTRIES_PER_TURN = 64 * 1024;
/** Bytes that are laid out in one turn, by the pages that they cost. */
const PART_BYTES = 1024 * 1024;

/** In turns. @throws bad_npy, bad_index, body_size_mismatch, too_large */
export function* itemOfNpy(body: Uint8Array, left: EntriesLeft): Generator<void, ListItem> {
  const header = parseNpyHeader(body);
  if ('needBytes' in header) {
    return fail(
      'bad_npy',
      `The body ends after ${body.byteLength} bytes, inside its .npy header. Send what np.save writes.`,
      {
        size: body.byteLength,
      },
    );
  }
  const { dtype, shape, order, dataOffset } = header;
  if (!isNumber(dtype) || dtype.kind === 'f') {
    return fail('bad_index', `The body is an array of ${dtype.typestr}; an index is one of integers, or of booleans.`, {
      dtype: dtype.typestr,
    });
  }
  const size = sizeOf(shape);
  const data = body.subarray(dataOffset);
  if (data.byteLength !== size * dtype.itemsize) {
    fail(
      'body_size_mismatch',
      `The body has ${data.byteLength} bytes behind its header; its shape takes ${size * dtype.itemsize}.`,
      {
        expected: size * dtype.itemsize,
        sent: data.byteLength,
      },
    );
  }
  if (shape.length === 0) return fail('bad_index', 'The body is a single value; an index has one axis at least.');
  if (dtype.kind !== 'b') left.take(size);
  const packed = order === 'C' ? data : yield* inCOrder(data, shape, dtype.itemsize);
  return dtype.kind === 'b' ? yield* booleans(packed, shape, left) : yield* integers(packed, dtype, shape);
}

function* inCOrder(data: Uint8Array, shape: readonly number[], itemsize: number): Generator<void, Uint8Array> {
  const packed = Buffer.allocUnsafeSlow(data.byteLength);
  yield* gatherParts(inMemory(data), packedView(shape, itemsize, 'F', 0), itemsize, packed, PART_BYTES, 0);
  return packed;
}

function inMemory(bytes: Uint8Array): ByteSource {
  const span = (start: number, length: number): Uint8Array => bytes.subarray(start, start + length);
  return { span, read: (start, into) => into.set(span(start, into.byteLength)) };
}

function* booleans(bytes: Uint8Array, shape: readonly number[], left: EntriesLeft): Generator<void, ListItem> {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) count++;
    if (isTurnOver(i, 8 * ENTRIES_PER_TURN)) yield;
  }
  left.take(count);
  const kept = new Float64Array(count);
  for (let i = 0, at = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) kept[at++] = i;
    if (isTurnOver(i, 8 * ENTRIES_PER_TURN)) yield;
  }
  return { kind: 'booleans', shape, kept };
}

function* integers(bytes: Uint8Array, dtype: NumberDType, shape: readonly number[]): Generator<void, ListItem> {
  const values = new Float64Array(bytes.byteLength / dtype.itemsize);
  for (let first = 0; first < values.length; first += ENTRIES_PER_TURN) {
    const end = Math.min(values.length, first + ENTRIES_PER_TURN);
    const items = toNative(dtype, bytes.subarray(first * dtype.itemsize, end * dtype.itemsize));
    for (const [i, item] of items.entries()) values[first + i] = Number(item);
    yield;
  }
  return { kind: 'integers', shape, values };
}

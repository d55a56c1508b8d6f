/** What a body brings, and how it becomes the payload of a write: numpy's casts, byte orders and broadcasting. */
import { conversionOf, incomingConversion, type Conversion } from '../convert/index.js';
import type { Payload } from '../dataset/write.js';
import { withByteOrder, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import type { FormatName } from '../formats/index.js';
import { broadcastTo } from '../layout/select.js';
import { packedView, sizeOf, type Order } from '../layout/view.js';
import type { Selection } from '../selection.js';

/** What a body will bring: elements of a dtype, in an order, of a shape. */
export interface Incoming {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly order: Order;
}

/** How a body comes. */
export interface BodyForm {
  /** The dataset's. */
  readonly dtype: DType;
  readonly format: FormatName;
  /** Byte order of a raw body, where it is not the dataset's own. */
  readonly endian: '<' | '>' | undefined;
}

/**
 * From the elements of a body to the dataset's. Raw ones are taken as they are, padding too, but for the byte order.
 * @throws would_lose, unsupported_dtype, unknown_field
 */
export function conversionOfBody({ dtype, format, endian }: BodyForm, incoming: Pick<Incoming, 'dtype'>): Conversion {
  if (format === 'npy') return incomingConversion(incoming.dtype, dtype);
  return conversionOf(endian ? withByteOrder(dtype, endian) : dtype, dtype, 'refuse');
}

export function payloadOf(incoming: Incoming, bytes: Uint8Array, selection: Selection): Payload {
  checkTarget(incoming, selection);
  const { shape } = selection;
  const itemsize = bytes.byteLength / Math.max(1, sizeOf(incoming.shape));
  const source = broadcastTo(packedView(incoming.shape, itemsize, incoming.order, 0), shape);
  return { bytes, source: source! };
}

/** @throws outside, shape_mismatch */
export function checkTarget(incoming: Incoming, selection: Selection): void {
  if (sizeOf(incoming.shape) > 0) checkInside(selection);
  const { shape } = selection;
  if (!broadcastTo(packedView(incoming.shape, 1, incoming.order, 0), shape)) {
    fail(
      'shape_mismatch',
      `Data of shape [${incoming.shape.join(', ')}] cannot be broadcast to the selection's [${shape.join(', ')}]. Send that shape, one value, or lengths of 1 where it repeats.`,
      {
        data_shape: incoming.shape,
        selection_shape: shape,
      },
    );
  }
}

/** For data that has elements: numpy would write none of them, and say nothing. @throws outside */
export function checkInside({ outside }: Selection): void {
  if (!outside) return;
  const { axis, start, length } = outside;
  fail(
    'outside',
    `The slice starts at ${start}, and axis ${axis} has the length ${length}: nothing would be written. Write below ${length}, or add rows with POST …/append.`,
    { axis, start, length },
  );
}

/** @param isPrivate the write would stay in memory, which it is copied to whole */
export function failCommitSize(asked: number, limit: number, isPrivate = false): never {
  if (isPrivate) {
    fail(
      'too_large',
      `The write has ${asked} bytes of data; one to a dataset of mode c takes at most ${limit}. Write smaller slices.`,
      { limit, asked },
    );
  }
  return fail(
    'too_large',
    `The write has ${asked} bytes of data; durability=commit takes at most ${limit}. Write smaller slices, or use durability=none and flush.`,
    { limit, asked },
  );
}

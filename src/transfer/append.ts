/**
 * A body in any format → rows behind the end of an array. What fits a commit is held whole and becomes one; more is laid
 * down behind the end as it comes, seen by nobody, and counts with one commit when all of it is on the disk.
 */
import type { Conversion } from '../convert/index.js';
import { sharedBytes } from '../dataset/buffers.js';
import { convertHeld } from '../dataset/convert.js';
import { fail } from '../errors.js';
import { parseJsonData } from '../formats/index.js';
import { packedView, sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { runTurns } from '../turns.js';
import {
  checkWholeRows,
  commitRows,
  openPresent,
  streamRows,
  type AppendAnswer,
  type AppendRequest,
  type Rows,
} from './append-rows.js';
import { withNpy } from './as-npy.js';
import { BodyReader, failSize } from './body.js';
import { conversionOfBody, type Incoming } from './incoming.js';
import { checkLengthIs, growableOf, type Growable } from './lengthening.js';
import { withMeasured } from './measured.js';
import { readNpyHeader } from './npy-body.js';
import { failJsonSize, jsonBodyHeldBytes, otherForm, type WriteContext } from './write.js';

export async function appendBody(asked: AppendRequest, context: WriteContext): Promise<AppendAnswer> {
  const { dataset, precondition, at } = asked;
  const growable = growableOf(dataset);
  (await openPresent(asked.current)).checkWritable();
  // Once before the body is read, to spare it; again when it is its turn, where it counts.
  precondition(dataset.generation);
  const { shape } = asked.current().record;
  checkLengthIs(at, shape[growable.axis]!, dataset, shape);
  const { format, body, bodyBytes } = asked;
  if (format === 'json') return appendJson(asked, growable, context);
  const form = otherForm({ ...asked, rank: dataset.record.shape.length });
  if (!form) return format === 'raw' ? appendRaw(asked, growable, context) : appendNpy(asked, growable, context);
  return withNpy(form, { body, bodyBytes }, context.decoding, npy =>
    appendNpy({ ...asked, format: 'npy', body: npy.body, bodyBytes: npy.bodyBytes }, growable, context),
  );
}

async function appendJson(asked: AppendRequest, growable: Growable, context: WriteContext): Promise<AppendAnswer> {
  const { body, bodyBytes, target, signal } = asked;
  if ((bodyBytes ?? 0) > LIMITS.jsonBodyBytesMax) failJsonSize(bodyBytes!);
  return context.budget.with(
    jsonBodyHeldBytes(target.dtype, bodyBytes),
    async () => {
      const text = await body.everything(LIMITS.jsonBodyBytesMax);
      const { dtype, shape, bytes } = await runTurns(parseJsonData(target.dtype, text));
      // An empty list says nothing of the axes inside.
      const isNone = shape.length === 1 && shape[0] === 0;
      const own = growable.dataset.record.shape;
      const incoming: Incoming = {
        dtype,
        shape: isNone && own.length > 1 ? own.with(growable.axis, 0) : shape,
        order: 'C',
      };
      const rows = rowsOf(growable, incoming, bytes);
      if (bytes.byteLength <= context.commitBytesMax) return commitRows(asked, growable, context, rows);
      // A few characters may be an item of megabytes.
      const conversion = conversionOfBody({ dtype, format: 'raw', endian: undefined }, incoming);
      const coming = { body: new BodyReader(oneChunk(bytes)), incoming, conversion, count: rows.count };
      return streamRows(asked, growable, context, coming);
    },
    signal,
  );
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function appendNpy(asked: AppendRequest, growable: Growable, context: WriteContext): Promise<AppendAnswer> {
  const header = await readNpyHeader(asked.body);
  return appendElements(asked, growable, context, header, header.dataOffset);
}

/** Whole rows, in C order; how many, the length of the body says. @throws body_size_mismatch */
async function appendRaw(asked: AppendRequest, growable: Growable, context: WriteContext): Promise<AppendAnswer> {
  const { dataset, axis, rowBytes } = growable;
  const { dtype } = asked.target;
  const known = (body: BodyReader, bodyBytes: number): Promise<AppendAnswer> => {
    checkWholeRows(bodyBytes, rowBytes);
    const shape = dataset.record.shape.with(axis, bodyBytes / rowBytes);
    return appendElements({ ...asked, body, bodyBytes }, growable, context, { dtype, shape, order: 'C' }, 0);
  };
  if (asked.bodyBytes !== undefined) return known(asked.body, asked.bodyBytes);
  // Where the bytes of the file come in another order, the place of each depends on how many rows there are.
  const isInFileOrder = axis === 0;
  const bytesMax = isInFileOrder ? context.commitBytesMax : Number.POSITIVE_INFINITY;
  const { folder } = context.decoding;
  return withMeasured({ body: asked.body, folder, bytesMax }, ({ body, bodyBytes }) => {
    if (bodyBytes !== undefined) return known(body, bodyBytes);
    const incoming = { dtype, order: 'C' } as const;
    const coming = { body, incoming, conversion: conversionFor(asked, incoming), count: undefined };
    return streamRows(asked, growable, context, coming);
  });
}

function conversionFor({ target, format, endian }: AppendRequest, incoming: Pick<Incoming, 'dtype'>): Conversion {
  return conversionOfBody({ dtype: target.dtype, format, endian }, incoming);
}

/** A body of which it is known what it has. */
async function appendElements(
  asked: AppendRequest,
  growable: Growable,
  context: WriteContext,
  incoming: Incoming,
  headerBytes: number,
): Promise<AppendAnswer> {
  const { body, bodyBytes, signal } = asked;
  // Refuses a dtype or a shape that does not fit before any data is read.
  const conversion = conversionFor(asked, incoming);
  const count = countOf(growable, incoming.shape);
  const nbytes = sizeOf(incoming.shape) * incoming.dtype.itemsize;
  if (bodyBytes !== undefined && bodyBytes !== headerBytes + nbytes) failSize(bodyBytes, headerBytes + nbytes);
  const rowsBytes = count * growable.rowBytes;
  if (Math.max(nbytes, rowsBytes) > context.commitBytesMax || nbytes + rowsBytes > context.budget.limitBytes) {
    return streamRows(asked, growable, context, { body, incoming, conversion, count });
  }
  return context.budget.with(
    nbytes + rowsBytes,
    async () => {
      const data = sharedBytes(nbytes);
      const read = await body.readInto(data);
      if (read !== nbytes) failSize(read, nbytes);
      await body.expectEnd(headerBytes + nbytes);
      const bytes = await convertHeld(conversion, { source: data }, context.offLoop);
      return commitRows(asked, growable, context, rowsOf(growable, incoming, bytes));
    },
    signal,
  );
}

/** How many rows a block has. @throws shape_mismatch */
function countOf({ dataset, axis }: Growable, block: readonly number[]): number {
  const { shape } = dataset.record;
  const rest = shape.toSpliced(axis, 1);
  const isRow = block.length === rest.length;
  const others = isRow ? block : block.toSpliced(axis, 1);
  if (others.length === rest.length && others.every((length, i) => length === rest[i])) return isRow ? 1 : block[axis]!;
  const asRow = rest.length === 0 ? 'one value' : `[${rest.join(', ')}]`;
  return fail(
    'shape_mismatch',
    `Data of shape [${block.join(', ')}] cannot join the end of [${shape.join(', ')}], which grows along axis ${axis}. Send [${shape
      .with(axis, -1)
      .join(', ')
      .replace('-1', 'n')}], or ${asRow} for a single row.`,
    { data_shape: block, shape },
  );
}

function rowsOf(growable: Growable, incoming: Incoming, bytes: Uint8Array): Rows {
  const { dataset, axis } = growable;
  const count = countOf(growable, incoming.shape);
  const itemsize = bytes.byteLength / Math.max(1, sizeOf(incoming.shape));
  const source = packedView(dataset.record.shape.with(axis, count), itemsize, incoming.order, 0);
  return { count, bytes, source };
}

/**
 * A body in any format → rows behind the end of an array. What fits a commit is held whole and becomes one; more is laid
 * down behind the end as it comes, seen by nobody, and counts with one commit when all of it is on the disk.
 */
import { sharedBytes } from '../dataset/buffers.js';
import { convertHeld } from '../dataset/convert.js';
import type { Dataset } from '../dataset/dataset.js';
import { changesAt, type Target } from '../dataset/target.js';
import { applierOf, onlyInto } from '../dataset/write.js';
import { fail } from '../errors.js';
import type { Change } from '../file/change.js';
import { commitChanges } from '../file/commit.js';
import { parseJsonData } from '../formats/index.js';
import { packedView, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { runTurns } from '../turns.js';
import { withNpy } from './as-npy.js';
import { failSize } from './body.js';
import { conversionOfBody, type Incoming } from './incoming.js';
import { checkLengthIs, growableOf, growthOf, type Growable, type Outcome } from './lengthening.js';
import { readNpyHeader } from './npy-body.js';
import {
  failJsonSize,
  jsonBodyHeldBytes,
  otherForm,
  type WriteAnswer,
  type WriteContext,
  type WriteRequest,
} from './write.js';

export interface AppendRequest extends Omit<WriteRequest, 'selection' | 'durability'> {
  /** The length that the array must have. */
  readonly at: number | undefined;
  /** The dataset that has the name by now. */
  readonly current: () => Dataset;
}

export interface AppendAnswer extends WriteAnswer {
  readonly shape: readonly number[];
  /** Its header was made anew, with room for the number. */
  readonly rewritten?: true;
}

/** Rows that are there, as the array's dtype. */
interface Rows {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Over the bytes, in the array's axes. */
  readonly source: View;
}

export async function appendBody(asked: AppendRequest, context: WriteContext): Promise<AppendAnswer> {
  const { dataset, precondition, at } = asked;
  const growable = growableOf(dataset);
  await openPresent(asked.current);
  // Once before the body is read, to spare it; again when it is its turn, where it counts.
  precondition(dataset.generation);
  const { shape } = asked.current().record;
  checkLengthIs(at, shape[growable.axis]!, dataset, shape);
  const { format, body, bodyBytes } = asked;
  if (format === 'json') return appendJson(asked, growable, context);
  const form = otherForm({ ...asked, rank: dataset.record.shape.length });
  if (!form) return appendBinary(asked, growable, context);
  return withNpy(form, { body, bodyBytes }, context.decoding, npy =>
    appendBinary({ ...asked, format: 'npy', body: npy.body, bodyBytes: npy.bodyBytes }, growable, context),
  );
}

async function appendJson(asked: AppendRequest, growable: Growable, context: WriteContext): Promise<AppendAnswer> {
  const { body, bodyBytes, target, signal } = asked;
  if ((bodyBytes ?? 0) > LIMITS.jsonBodyBytesMax) failJsonSize(bodyBytes!);
  return context.budget.with(
    jsonBodyHeldBytes(target.dtype, bodyBytes),
    async () => {
      const text = await body.everything(LIMITS.jsonBodyBytesMax);
      const block = await runTurns(parseJsonData(target.dtype, text));
      // An empty list says nothing of the axes inside.
      const isNone = block.shape.length === 1 && block.shape[0] === 0;
      const rank = growable.dataset.record.shape.length;
      const shape = isNone && rank > 1 ? growable.dataset.record.shape.with(growable.axis, 0) : block.shape;
      return commitRows(
        asked,
        growable,
        context,
        rowsOf(growable, { dtype: block.dtype, shape, order: 'C' }, block.bytes),
      );
    },
    signal,
  );
}

async function appendBinary(asked: AppendRequest, growable: Growable, context: WriteContext): Promise<AppendAnswer> {
  const { body, bodyBytes, target, signal, format } = asked;
  const header = format === 'npy' ? await readNpyHeader(body) : undefined;
  const headerBytes = header?.dataOffset ?? 0;
  const incoming: Incoming = header ?? rawIncoming(growable, target, bodyBytes!);
  // Refuses a dtype or a shape that does not fit before any data is read.
  const conversion = conversionOfBody({ dtype: target.dtype, format, endian: asked.endian }, incoming);
  countOf(growable, incoming.shape);
  const nbytes = sizeOf(incoming.shape) * incoming.dtype.itemsize;
  if (bodyBytes !== undefined && bodyBytes !== headerBytes + nbytes) failSize(bodyBytes, headerBytes + nbytes);
  return context.budget.with(
    nbytes + sizeOf(incoming.shape) * target.dtype.itemsize,
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

/** Whole rows, in C order. @throws body_size_mismatch */
function rawIncoming({ dataset, axis, rowBytes }: Growable, { dtype }: Target, bodyBytes: number): Incoming {
  if (bodyBytes % rowBytes !== 0) {
    fail(
      'body_size_mismatch',
      `The body has ${bodyBytes} bytes, and a row takes ${rowBytes}. Send whole rows, in C order.`,
      { sent: bodyBytes, row_bytes: rowBytes },
    );
  }
  return { dtype, shape: dataset.record.shape.with(axis, bodyBytes / rowBytes), order: 'C' };
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

async function commitRows(
  asked: AppendRequest,
  growable: Growable,
  { offLoop }: WriteContext,
  { count, bytes, source }: Rows,
): Promise<AppendAnswer> {
  const { dataset, at, target, precondition, asksShape = false, signal, current } = asked;
  const outcome: Outcome = { shape: current().record.shape, isRewritten: false };
  if (count === 0) {
    precondition(dataset.generation);
    checkLengthIs(at, outcome.shape[growable.axis]!, dataset, outcome.shape);
    return answerOf(asked, growable, 0, dataset.generation, outcome);
  }
  const file = await openPresent(current);
  const dataIn = (items: View): Change[] => changesAt(target, items, { bytes, source });
  const growth = growthOf(
    growable,
    file,
    {
      lengthFrom(length, shape) {
        checkLengthIs(at, length, dataset, shape);
        return length + count;
      },
      dataIn,
      holds: true,
    },
    current,
    outcome,
  );
  const release = file.lease();
  try {
    const changes = dataIn({ ...source, strides: growable.dataset.geometry.view.strides, offset: 0 });
    const generation = await commitChanges(file, dataset.files, {
      changes,
      growth,
      precondition: generation => onlyInto(current(), file, precondition)(generation),
      asksShape,
      applier: applierOf(offLoop),
      signal,
      client: offLoop.client,
    });
    return answerOf(asked, growable, count, generation, outcome);
  } catch (error) {
    return await dataset.learned(error);
  } finally {
    release();
  }
}

/** The file of an array whose length may have moved while the body came. */
async function openPresent(current: () => Dataset): ReturnType<Dataset['open']> {
  for (;;) {
    const dataset = current();
    // oxlint-disable-next-line no-await-in-loop
    const file = await dataset.open().catch((error: unknown) => {
      if (current() === dataset) throw error;
      return undefined;
    });
    if (file) return file;
  }
}

function answerOf(
  { dataset, target }: AppendRequest,
  { rowBytes }: Growable,
  count: number,
  generation: number,
  { shape, isRewritten }: Outcome,
): AppendAnswer {
  const bytes = count * rowBytes;
  return {
    dataset: dataset.record.name,
    generation,
    elements: bytes / target.dtype.itemsize,
    bytes,
    durability: 'commit',
    shape,
    ...(isRewritten && { rewritten: true }),
  };
}

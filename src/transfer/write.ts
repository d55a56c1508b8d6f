/**
 * A body in any format → a write. Bodies up to the commit limit are held whole, counted against a budget, and applied
 * only when the last byte is there. Larger ones, which only durability none may have, are applied piece by piece while
 * the file is closed to everybody else.
 */
import { fail } from '../errors.js';
import type { Budget } from '../budget.js';
import type { Conversion } from '../convert/index.js';
import { returnBuffer, sharedBytes, takeBuffer } from '../dataset/buffers.js';
import { convertHeld } from '../dataset/convert.js';
import type { Dataset } from '../dataset/dataset.js';
import { JoinedDataset } from '../dataset/joined.js';
import type { OffLoop } from '../dataset/off-loop.js';
import { changesAt, changesOf, type Target } from '../dataset/target.js';
import { StreamToParts } from '../dataset/write-parts.js';
import {
  applierOf,
  applyChange,
  checkWritable,
  gapsOf,
  inFileOrder,
  onlyInto,
  writeChanges,
  type Payload,
} from '../dataset/write.js';
import { isNumber, type DType } from '../dtype/index.js';
import type { Change } from '../file/change.js';
import type { Durability } from '../file/commit.js';
import { writeThrough } from '../file/write-through.js';
import { isDecoded, jsonBlockBytesMax, parseJsonData, type FormatName } from '../formats/index.js';
import { selectFrom, transpose } from '../layout/select.js';
import { piecesOf } from '../layout/pieces.js';
import { NO_BYTES } from '../layout/runs.js';
import { extentOf, packedView, sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { runTurns } from '../turns.js';
import type { Selection } from '../selection.js';
import { failSize, type BodyReader } from './body.js';
import { withNpy, type OtherForm } from './as-npy.js';
import type { DecodingContext } from './decoded.js';
import { checkInside, checkTarget, conversionOfBody, failCommitSize, payloadOf, type Incoming } from './incoming.js';
import { readNpyHeader } from './npy-body.js';

export interface WriteRequest {
  readonly dataset: Dataset;
  /** What of the dataset is written: all of it, or fields. */
  readonly target: Target;
  readonly selection: Selection;
  readonly format: FormatName;
  /** Byte order of a raw body, where it is not the dataset's own. */
  readonly endian: '<' | '>' | undefined;
  readonly body: BodyReader;
  /** Content-Length, when the client sent one. */
  readonly bodyBytes: number | undefined;
  readonly durability: Durability;
  /** Of a format of tables: whether the first line has names, and those of the columns that are written. */
  readonly table?: { readonly header: boolean; readonly names: readonly string[] | undefined };
  /** Of a .npz: which of its arrays is written. */
  readonly member?: string | undefined;
  /** Throws when the generation is not the one that the client expects. */
  readonly precondition: (generation: number) => void;
  /** The precondition asks how long the array is. */
  readonly asksShape?: boolean;
  /** Fires when the client has gone: a write that has not begun is not made. */
  readonly signal: AbortSignal;
  /** Told of how many files it was, where the array lies in several. */
  readonly onFiles?: (files: number) => void;
}

export interface WriteContext {
  readonly offLoop: OffLoop;
  readonly decoding: DecodingContext;
  readonly budget: Budget;
  readonly commitBytesMax: number;
}

export interface WriteAnswer {
  readonly dataset: string;
  readonly generation: number;
  readonly elements: number;
  readonly bytes: number;
  readonly durability: Durability;
  /** How many were written, where the array lies in several. */
  readonly files?: number;
}

export async function writeBody(asked: WriteRequest, context: WriteContext): Promise<WriteAnswer> {
  const { dataset, target, selection, precondition } = asked;
  checkWritable(dataset);
  const isPrivate = dataset.pages !== undefined;
  // What stays in memory is held whole, and is never on disk.
  const request: WriteRequest = isPrivate ? { ...asked, durability: 'commit' } : asked;
  const elements = sizeOf(selection.shape);
  const bytes = elements * target.dtype.itemsize;
  if (request.durability === 'commit' && bytes > context.commitBytesMax)
    failCommitSize(bytes, context.commitBytesMax, isPrivate);
  const file = await dataset.openToWrite(NO_BYTES);
  if (!isPrivate) file.checkWritable();
  // Once before the body is read, to spare it; again under the lock, where it counts.
  precondition(dataset.generation);
  const told: { files?: number } = {};
  const generation = await writeIn({ ...request, onFiles: files => (told.files = files) }, context);
  const durability = isPrivate ? 'none' : asked.durability;
  return { dataset: dataset.record.name, generation, elements, bytes, durability, ...told };
}

function writeIn(request: WriteRequest, context: WriteContext): Promise<number> {
  if (request.format === 'json') return writeJson(request, context);
  const form = otherForm({ ...request, rank: request.selection.shape.length });
  if (!form) return writeBinary(request, context);
  return withNpy(form, request, context.decoding, ({ body, bodyBytes }) =>
    writeBinary({ ...request, format: 'npy', body, bodyBytes }, context),
  );
}

/** Of what is written as the .npy that it means; tables in the dtype that is written. */
export function otherForm({
  format,
  member,
  target,
  rank,
  table,
}: Pick<WriteRequest, 'format' | 'member' | 'target' | 'table'> & { readonly rank: number }): OtherForm | undefined {
  if (format === 'npz') return { format, member };
  if (!isDecoded(format)) return undefined;
  const { header, names } = table ?? { header: true, names: undefined };
  const columnRank = rank >= 2 ? 2 : 1;
  return { format, asked: { header, names, dtype: target.dtype.typestr, isNew: false, columnRank } };
}

async function writeJson(request: WriteRequest, context: WriteContext): Promise<number> {
  const { body, bodyBytes, target, selection } = request;
  if ((bodyBytes ?? 0) > LIMITS.jsonBodyBytesMax) failJsonSize(bodyBytes!);
  return context.budget.with(
    jsonBodyHeldBytes(target.dtype, bodyBytes),
    async () => {
      const text = await body.everything(LIMITS.jsonBodyBytesMax);
      const block = await runTurns(parseJsonData(target.dtype, text));
      const incoming: Incoming = { dtype: block.dtype, shape: block.shape, order: 'C' };
      return apply(request, context, payloadOf(incoming, block.bytes, selection));
    },
    request.signal,
  );
}

async function writeBinary(request: WriteRequest, context: WriteContext): Promise<number> {
  const { body, bodyBytes, dataset, target, selection, format } = request;
  let incoming: Incoming;
  let headerBytes = 0;
  if (format === 'npy') {
    const header = await readNpyHeader(body);
    headerBytes = header.dataOffset;
    incoming = header;
    // Refuses a dtype that does not fit before any data is read.
    conversionOf(request, header);
    checkTarget(incoming, selection);
  } else incoming = rawIncoming(request);

  const nbytes = sizeOf(incoming.shape) * incoming.dtype.itemsize;
  if (bodyBytes !== undefined && bodyBytes !== headerBytes + nbytes) failSize(bodyBytes, headerBytes + nbytes);
  const held = nbytes + sizeOf(incoming.shape) * target.dtype.itemsize;
  if (nbytes > context.commitBytesMax) {
    if (request.durability === 'commit') failCommitSize(nbytes, context.commitBytesMax, dataset.pages !== undefined);
    return stream(request, context, incoming);
  }
  return context.budget.with(
    held,
    async () => {
      const data = await readData(request, nbytes);
      if (data.byteLength !== nbytes) incoming = { ...incoming, shape: [] };
      await body.expectEnd(headerBytes + nbytes);
      const bytes = await convertHeld(conversionOf(request, incoming), { source: data }, context.offLoop);
      return apply(request, context, payloadOf(incoming, bytes, selection));
    },
    request.signal,
  );
}

/** The data of a body that is held whole. Without a Content-Length, only its end tells one item from a selection. */
async function readData({ body, format, target, selection }: WriteRequest, nbytes: number): Promise<Uint8Array> {
  const itemBytes = format === 'raw' ? target.dtype.itemsize : nbytes;
  const data = sharedBytes(Math.max(nbytes, itemBytes));
  const read = await body.readInto(data);
  if (read > 0) checkInside(selection);
  if (read !== nbytes && read !== itemBytes) failSize(read, nbytes);
  return data.subarray(0, read);
}

function conversionOf({ target, format, endian }: WriteRequest, incoming: Pick<Incoming, 'dtype'>): Conversion {
  return conversionOfBody({ dtype: target.dtype, format, endian }, incoming);
}

/** A raw body is the selection's bytes, or one item that fills it; its length tells which. */
function rawIncoming({ target, selection, bodyBytes }: WriteRequest): Incoming {
  const { dtype } = target;
  if (bodyBytes !== undefined && bodyBytes > 0) checkInside(selection);
  const nbytes = sizeOf(selection.shape) * dtype.itemsize;
  const isItem = bodyBytes === dtype.itemsize && nbytes !== dtype.itemsize;
  return { dtype, shape: isItem ? [] : selection.shape, order: 'C' };
}

async function apply(request: WriteRequest, { offLoop }: WriteContext, payload: Payload): Promise<number> {
  const { dataset, target, selection } = request;
  const changes: Change[] = [];
  // oxlint-disable-next-line no-await-in-loop
  for (const change of changesOf(target, selection, payload)) changes.push(await inFileOrder(change, offLoop));
  return writeChanges(dataset, changes, request, offLoop);
}

/** Applies a body of any size as it arrives. Other calls on the file are refused meanwhile. */
async function stream(request: WriteRequest, { offLoop }: WriteContext, incoming: Incoming): Promise<number> {
  const { dataset, selection, body } = request;
  const { dtype, view } = request.target;
  const dropped = Math.max(0, incoming.shape.length - selection.shape.length);
  const aligned = incoming.shape.slice(dropped);
  if (aligned.length !== selection.shape.length || aligned.some((length, axis) => length !== selection.shape[axis])) {
    fail(
      'too_large',
      'A body of this size is written as it arrives and cannot be broadcast. Send the shape of the selection.',
      {
        data_shape: incoming.shape,
        selection_shape: selection.shape,
      },
    );
  }
  const selected = selectFrom(view, selection);
  const items = incoming.order === 'F' ? transpose(selected) : selected;
  const toParts =
    dataset instanceof JoinedDataset
      ? new StreamToParts(dataset, { applier: applierOf(offLoop), offLoop, signal: request.signal })
      : undefined;
  await toParts?.lookAt(selected);
  const file = await dataset.openToWrite(NO_BYTES);
  const release = file.lease();
  const gaps = gapsOf(dataset, file);
  const precondition = toParts
    ? (): void => request.precondition(dataset.generation)
    : onlyInto(dataset, file, request.precondition, extentOf(selected, dtype.itemsize).end);
  const options = { precondition, bulk: true, signal: request.signal, client: offLoop.client };
  // One piece is under way at a time, so all of them use the same memory.
  const elementBytes = Math.max(incoming.dtype.itemsize, dtype.itemsize);
  const buffer = takeBuffer(Math.max(LIMITS.pieceBytesMax, elementBytes));
  const conversion = conversionOf(request, incoming);
  const into = takeBuffer(buffer.byteLength);
  const pieceElementsMax = Math.max(1, Math.floor(LIMITS.pieceBytesMax / elementBytes));
  try {
    const generation = await writeThrough(file, dataset.files, options, async () => {
      let first = 0;
      for (const piece of piecesOf(items, dtype.itemsize, pieceElementsMax * dtype.itemsize, !toParts)) {
        const elements = sizeOf(piece.shape);
        // oxlint-disable-next-line no-await-in-loop
        const data = await body.exactly(buffer.subarray(0, elements * incoming.dtype.itemsize));
        // oxlint-disable-next-line no-await-in-loop
        const bytes = await convertHeld(conversion, { source: data, into, first }, offLoop);
        const source = packedView(piece.shape, dtype.itemsize, 'C', 0);
        dataset.recheck(file);
        for (const each of changesAt(request.target, piece, { bytes, source })) {
          // oxlint-disable-next-line no-await-in-loop
          const change = await inFileOrder(each, offLoop);
          // oxlint-disable-next-line no-await-in-loop
          await (toParts ? toParts.apply(change) : applyChange(file, { ...change, gaps }, offLoop));
        }
        first += elements;
      }
      await body.expectEnd(body.readBytes);
    });
    if (!toParts) return generation;
    request.onFiles?.(toParts.files);
    return dataset.generation;
  } catch (error) {
    return await dataset.learned(error);
  } finally {
    returnBuffer(buffer);
    returnBuffer(into);
    release();
  }
}

/** The text, and what it becomes: numbers are about as long as their text, items of others may be much longer. */
export function jsonBodyHeldBytes(dtype: DType, bodyBytes = LIMITS.jsonBodyBytesMax): number {
  return bodyBytes + Math.max(bodyBytes, isNumber(dtype) ? 0 : jsonBlockBytesMax(dtype, bodyBytes));
}

export function failJsonSize(asked: number): never {
  return fail(
    'too_large',
    `The JSON body has ${asked} bytes; at most ${LIMITS.jsonBodyBytesMax} are read. Send raw or npy instead.`,
    { limit: LIMITS.jsonBodyBytesMax, asked },
  );
}

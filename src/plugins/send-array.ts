/**
 * Answers with the elements of a selection: negotiation, conditions, ranges, then the cheapest way to the bytes.
 * Memory per answer: JSON is held whole (limited in elements), binary in at most two pieces.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Block } from '../block.js';
import type { Context } from '../context.js';
import { partOf, type ArrayPart } from '../dataset/array-part.js';
import type { Dataset } from '../dataset/dataset.js';
import { standingOf } from '../dataset/precondition.js';
import { openPieces, readNow, readWhole, type PieceReader } from '../dataset/read.js';
import { isSameDType, withByteOrder, type DType } from '../dtype/index.js';
import type { OpenFile } from '../file/open-file.js';
import { jsonHeldBytes, npyHeader } from '../formats/index.js';
import { selectFrom } from '../layout/select.js';
import { isContiguous, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { swapItems } from '../native.js';
import { normalise, type SlicePart } from '../selection.js';
import {
  answeredUnchanged,
  checkJsonCost,
  jsonBody,
  setState,
  type ArrayAnswer,
  type ArrayQuery,
} from './array-answer.js';
import { byteRange, type ByteRange } from './byte-range.js';
import { checkIfMatch, entityTag } from './conditional.js';
import { clientOf } from './client.js';
import { signalOf } from './client-gone.js';
import { holdUntilSent } from './hold.js';
import { mediaTypeOf, negotiate } from './negotiate.js';
import type { Claim } from '../jobs/claim.js';
import { claimedBytes, claimedPieces } from '../jobs/claimed-pieces.js';
import type { Workers } from '../jobs/pool.js';
import { streamPieces } from './stream.js';

/** One answer on its way. */
interface Answer extends ArrayAnswer {
  readonly context: Context;
  readonly file: OpenFile;
  readonly view: View;
  /** Of the elements in the file. */
  readonly from: DType;
  /** As sent: raw answers may be in another byte order than the file. */
  readonly dtype: DType;
}

export function sendArray(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  parts: readonly SlicePart[],
  query: ArrayQuery,
): FastifyReply | Promise<FastifyReply> {
  const dataset = request.datasets.get(name);
  const { dtype, view } = partOf(dataset, query.field);
  const selection = normalise(parts, view.shape);
  return sendPart(context, request, reply, { dataset, dtype, view: selectFrom(view, selection) }, query);
}

/** Elements of a dataset, wherever they stand in its file. */
export interface DatasetPart extends ArrayPart {
  readonly dataset: Dataset;
  /** Holds the generation that they are chosen from, until the answer has been sent. */
  readonly claim?: Claim | undefined;
}

/** @throws too_large before anything is read */
export function sendPart(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { dataset, view, claim, ...part }: DatasetPart,
  query: ArrayQuery,
): FastifyReply | Promise<FastifyReply> {
  const format = query.formatOfPath ?? negotiate(request, query.format);
  if (format === 'json') checkJsonCost(view.shape, part.dtype, context.config.jsonElementsMax);
  const dtype =
    format !== 'json' && query.endian ? withByteOrder(part.dtype, query.endian === 'big' ? '>' : '<') : part.dtype;

  const send = (file: OpenFile): FastifyReply | Promise<FastifyReply> => {
    try {
      const asked = { context, request, reply, dataset, file, view, from: part.dtype, dtype, format, query, claim };
      const sent = answer(asked);
      return sent instanceof Promise ? sent.catch((error: unknown) => dataset.learned(error)) : sent;
    } catch (error) {
      return dataset.learned(error);
    }
  };
  // Small answers from memory are sent without a turn of the event loop.
  const file = claim ? claim.file : dataset.opened();
  return file ? send(file) : dataset.open().then(send);
}

/** Elements that were made of a dataset, and are held whole. */
export async function sendBlock(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { dataset, claim }: Required<Pick<DatasetPart, 'dataset' | 'claim'>>,
  block: Block,
  query: ArrayQuery,
): Promise<FastifyReply> {
  const { shape } = block;
  const format = query.formatOfPath ?? negotiate(request, query.format);
  if (format === 'json') checkJsonCost(shape, block.dtype, context.config.jsonElementsMax);
  const asked: ArrayAnswer = { request, reply, dataset, format, query, claim };
  if (answeredUnchanged(asked)) return reply;
  const generation = claim?.generation ?? dataset.generation;
  setState(asked, generation);
  if (format === 'json') {
    await holdUntilSent(context.budget, reply, jsonHeldBytes(shape, block.dtype));
    return reply.type('application/json; charset=utf-8').send(await jsonBody(asked, generation, block));
  }
  const dtype = query.endian ? withByteOrder(block.dtype, query.endian === 'big' ? '>' : '<') : block.dtype;
  if (!isSameDType(dtype, block.dtype)) swapItems(dtype, block.bytes);
  reply.type(mediaTypeOf(format));
  reply.header('x-array-dtype', dtype.typestr).header('x-array-shape', shape.join(','));
  const head = format === 'npy' ? npyHeader({ dtype, shape, order: 'C' }) : undefined;
  return reply.send(withHead(head, block.bytes));
}

/** Conditions first, then the body. */
function answer(asked: Answer): FastifyReply | Promise<FastifyReply> {
  if (answeredUnchanged(asked)) return asked.reply;
  return asked.format === 'json' ? sendJson(asked) : sendBinary(asked);
}

async function sendJson(asked: Answer): Promise<FastifyReply> {
  const { reply, dataset, file, view, dtype, claim } = asked;
  const heldBytes = jsonHeldBytes(view.shape, dtype);
  if (heldBytes > JSON_FREE_BYTES) await holdWithFile(asked, heldBytes);
  const now = claim ? undefined : readNow(file, view, dtype.itemsize);
  if (now) recheckNow(dataset, file);
  const { bytes, generation } = now
    ? { bytes: now, generation: dataset.generation }
    : await (claim
        ? readClaimed(asked, claim)
        : readWhole(dataset, file, { dtype, view }, workersOf(asked), signalOf(reply)));
  const body = await jsonBody(asked, generation, { dtype, shape: view.shape, bytes });
  setState(asked, generation);
  return reply.type('application/json; charset=utf-8').send(body);
}

/** What a claim holds, as it was then. */
async function readClaimed(asked: Answer, claim: Claim): Promise<{ bytes: Uint8Array; generation: number }> {
  const { view, from, reply } = asked;
  const bytes = await claimedBytes(claim, view, from.itemsize, workersOf(asked), signalOf(reply));
  return { bytes, generation: claim.generation };
}

/**
 * Asks again after a small answer's bytes were taken, microseconds after the file was looked at. Not where the owner has
 * promised that nobody else writes it: asking is a twentieth of the whole answer.
 */
function recheckNow(dataset: Dataset, file: OpenFile): void {
  if (dataset.record.external) dataset.recheck(file);
}

/** Waits for memory; the file must not be closed meanwhile, nor before the turn that goes on with it. */
async function holdWithFile({ context, reply, file }: Answer, bytes: number): Promise<void> {
  const release = file.lease();
  try {
    await holdUntilSent(context.budget, reply, bytes);
  } finally {
    release();
  }
}

/** Small answers pay nothing: rows of a few thousand values are many, and gone at once. */
const JSON_FREE_BYTES = 256 * 1024;

function sendBinary(asked: Answer): FastifyReply | Promise<FastifyReply> {
  const { request, reply, dataset, file, view, from, dtype, format } = asked;
  const { itemsize } = dtype;
  const swapped = !isSameDType(dtype, from);
  const contiguous = !swapped && request.method !== 'POST' && isContiguous(view, itemsize);
  const head = format === 'npy' ? npyHeader({ dtype, shape: view.shape, order: 'C' }) : undefined;
  const headBytes = head?.byteLength ?? 0;
  const totalBytes = headBytes + sizeOf(view.shape) * itemsize;

  reply.type(mediaTypeOf(format));
  reply.header('x-array-dtype', dtype.typestr);
  reply.header('x-array-shape', view.shape.join(','));
  if (contiguous) reply.header('accept-ranges', 'bytes');
  const range = contiguous ? rangeOf(asked, totalBytes) : undefined;
  if (range) {
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end - 1}/${totalBytes}`);
  }
  if (request.method === 'HEAD') {
    setState(asked, dataset.generation);
    return reply.header('content-length', totalBytes).send();
  }

  const whole: BinaryBody = { head, view, itemsize, swaps: swapped ? dtype : undefined };
  const body = range
    ? {
        ...whole,
        head: head?.subarray(range.start, range.end),
        view: bytesOfView(view, range, headBytes),
        itemsize: 1,
      }
    : whole;
  if (asked.claim) return sendClaimed(asked, asked.claim, body);
  const now = readNow(file, body.view, body.itemsize);
  if (!now) return sendLater(asked, body, { whole, generation: dataset.generation });
  recheckNow(dataset, file);
  setState(asked, dataset.generation);
  return reply.send(withHead(body.head, swapped ? inOtherOrder(now, dtype) : now));
}

/** What of the body is sent, after a range has been cut out of it. */
interface BinaryBody {
  readonly head: Uint8Array | undefined;
  readonly view: View;
  readonly itemsize: number;
  /** Items of this dtype are turned into the other byte order. */
  readonly swaps: DType | undefined;
}

/**
 * Answers that have to wait for a disk, a lock or a worker, in pieces. A range that continues the state of If-Range, and
 * was cut at `generation`, becomes the whole body where a write comes before it.
 */
async function sendLater(
  asked: Answer,
  cut: BinaryBody,
  { whole, generation }: { whole: BinaryBody; generation: number },
): Promise<FastifyReply> {
  const { context, request, reply, dataset, file } = asked;
  let body = cut;
  // The file must not be closed while the lock is waited for; the reader takes a lease of its own.
  const release = file.lease();
  const signal = signalOf(reply);
  const workers = workersOf(asked);
  const pieces = await file.state.lock
    .withRead(
      () => {
        file.state.checkUsable();
        checkIfMatch(request.headers['if-match'], standingOf(dataset));
        setState(asked, dataset.generation);
        if (request.headers['if-range'] !== undefined && dataset.generation !== generation) {
          reply.code(200).removeHeader('content-range');
          body = whole;
        }
        const isShort = sizeOf(body.view.shape) * body.itemsize <= LIMITS.firstPieceBytes;
        const { ctimeMs } = file.stamp;
        return openPieces(file, body.view, body.itemsize, workers, {
          inPlace: body.swaps === undefined,
          signal,
          // A long answer is cut where the header is another one; a short one is not sent at all.
          recheck: () => dataset.recheck(file, isShort ? ctimeMs : undefined),
        });
      },
      { signal, client: workers.client },
    )
    .finally(release);
  const { head, view, itemsize, swaps } = body;
  reply.header('content-length', (head?.byteLength ?? 0) + sizeOf(view.shape) * itemsize);
  await streamPieces(reply, head, swaps ? swappedPieces(pieces, swaps) : pieces, context.budget);
  return reply;
}

/** The elements that a claim holds. */
async function sendClaimed(
  asked: Answer,
  claim: Claim,
  { head, view, itemsize, swaps }: BinaryBody,
): Promise<FastifyReply> {
  const { context, reply } = asked;
  setState(asked, claim.generation);
  const pieces = claimedPieces(claim, view, itemsize, workersOf(asked), signalOf(reply));
  reply.header('content-length', (head?.byteLength ?? 0) + sizeOf(view.shape) * itemsize);
  await streamPieces(reply, head, swaps ? swappedPieces(pieces, swaps) : pieces, context.budget);
  return reply;
}

function workersOf({ context, request }: Answer): Workers {
  return context.pool.of(clientOf(request));
}

function rangeOf({ request, dataset, format }: Answer, totalBytes: number): ByteRange | undefined {
  const { range, 'if-range': ifRange } = request.headers;
  if (range === undefined || request.method !== 'GET') return undefined;
  const { id, external } = dataset.record;
  const tag = external ? undefined : entityTag(id, dataset.generation, format);
  return byteRange(range, Array.isArray(ifRange) ? ifRange[0] : ifRange, tag, totalBytes);
}

/** The bytes of a contiguous view that a range of the body covers, as a view of single bytes. */
function bytesOfView(view: View, range: ByteRange, headBytes: number): View {
  const start = Math.max(range.start, headBytes) - headBytes;
  const end = Math.max(range.end, headBytes) - headBytes;
  return { shape: [end - start], strides: [1], offset: view.offset + start };
}

function withHead(head: Uint8Array | undefined, bytes: Uint8Array): Uint8Array {
  return head && head.byteLength > 0 ? Buffer.concat([head, bytes]) : bytes;
}

function inOtherOrder(bytes: Uint8Array, dtype: DType): Uint8Array {
  swapItems(dtype, bytes);
  return bytes;
}

function swappedPieces(pieces: PieceReader, dtype: DType): PieceReader {
  return {
    async next(bytesMax) {
      const piece = await pieces.next(bytesMax);
      return piece && inOtherOrder(piece, dtype);
    },
    onChange: cut => pieces.onChange(cut),
    close: () => pieces.close(),
  };
}

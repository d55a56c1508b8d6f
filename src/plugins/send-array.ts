/**
 * Answers with the elements of a selection: negotiation, conditions, ranges, then the cheapest way to the bytes.
 * Memory per answer: JSON is held whole (limited in elements), binary in at most two pieces.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Block } from '../block.js';
import type { Context } from '../context.js';
import type { Conversion } from '../convert/index.js';
import { columnNames, columnRuler } from '../dataset/column-names.js';
import { partsOf, type ArrayPart, type FieldsPart } from '../dataset/array-part.js';
import { convertHeld, convertNow, isQuick } from '../dataset/convert.js';
import { convertedPieces } from '../dataset/converted-pieces.js';
import type { Dataset } from '../dataset/dataset.js';
import { readNow, readWhole, type PieceReader } from '../dataset/read.js';
import { sentAs } from '../dataset/sent-as.js';
import type { OpenFile } from '../file/open-file.js';
import { jsonHeldBytes, npyHeader, pictureOf } from '../formats/index.js';
import { selectFrom } from '../layout/select.js';
import { extentOf, isContiguous, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { normalise, type SlicePart } from '../selection.js';
import {
  answeredUnchanged,
  checkJsonCost,
  setState,
  tagOf,
  type ArrayAnswer,
  type ArrayQuery,
} from './array-answer.js';
import { openAnswer, workersOf, type Answer, type Part } from './array-source.js';
import { rangeAsked, type ByteRange } from './byte-range.js';
import { clientOf } from './client.js';
import { signalOf } from './client-gone.js';
import { holdUntilSent } from './hold.js';
import { mediaTypeOf } from './negotiate.js';
import { encodingOf, formatOf, conversionAsked, isEncoded, sendEncoded, sendEncodedBlock } from './send-encoded.js';
import type { Claim } from '../jobs/claim.js';
import { claimedBytes, claimedPieces } from '../jobs/claimed-pieces.js';
import { jsonBody, sendJsonText } from './send-json.js';
import { sendNpz, sendNpzBlock } from './send-npz.js';
import { checkPicture, checkPictureSize, pictureHeldBytes, sendPicture } from './send-picture.js';
import { streamPieces } from './stream.js';

export function sendArray(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  parts: readonly SlicePart[],
  query: ArrayQuery,
): FastifyReply | Promise<FastifyReply> {
  const dataset = request.datasets.get(name);
  const part = partsOf(dataset, query.field);
  const selection = normalise(parts, part.view.shape);
  const view = selectFrom(part.view, selection);
  const ruler = columnRuler(dataset, query.field, part.view.shape);
  const names = columnNames(dataset, query.field, ruler && selectFrom(ruler, selection));
  return sendPart(context, request, reply, { dataset, ...part, view, names }, query);
}

/** Elements of a dataset, wherever they stand in its file. */
export interface DatasetPart extends ArrayPart, Partial<Pick<FieldsPart, 'fields'>> {
  readonly dataset: Dataset;
  /** Holds the generation that they are chosen from, until the answer has been sent. */
  readonly claim?: Claim | undefined;
  /** Of the columns, where it is a table. */
  readonly names?: readonly string[] | undefined;
}

/** @throws too_large before anything is read */
export function sendPart(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { dataset, view, claim, names, ...part }: DatasetPart,
  query: ArrayQuery,
): FastifyReply | Promise<FastifyReply> {
  const format = formatOf(request, query, part.fields?.dtype ?? part.dtype, view.shape);
  const sent = sentAs(part, conversionAsked(format, query));
  const variant = isEncoded(format)
    ? encodingOf(format, dataset, { ...sent, shape: view.shape, names }, query).variant
    : undefined;
  if (format === 'json') checkJsonCost(view.shape, sent.dtype, context.config.jsonElementsMax);

  if (format === 'png') checkPictureSize(checkPicture(sent.dtype, view.shape, query));

  const send = (file: OpenFile): FastifyReply | Promise<FastifyReply> => {
    try {
      const asked: Answer = {
        context,
        request,
        reply,
        dataset,
        file,
        view,
        from: part.dtype,
        ...sent,
        format,
        query,
        claim,
        names,
        variant,
      };
      const answered = answer(asked);
      return answered instanceof Promise ? answered.catch((error: unknown) => dataset.learned(error)) : answered;
    } catch (error) {
      return dataset.learned(error);
    }
  };
  // Small answers from memory are sent without a turn of the event loop.
  const file = claim ? claim.file : dataset.opened();
  return file ? send(file) : dataset.open(extentOf(view, part.dtype.itemsize)).then(send);
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
  const format = formatOf(request, query, block.dtype, shape);
  const { dtype, conversion } = sentAs(block, conversionAsked(format, query));
  if (format === 'json') checkJsonCost(shape, dtype, context.config.jsonElementsMax);
  const asked: ArrayAnswer = { request, reply, dataset, format, query, claim };
  if (answeredUnchanged(asked)) return reply;
  const generation = claim?.generation ?? dataset.generation;
  setState(asked, generation);
  if (format === 'json') await holdUntilSent(context.budget, reply, jsonHeldBytes(shape, dtype));
  const workers = context.pool.of(clientOf(request));
  const bytes = conversion ? await convertHeld(conversion, { source: block.bytes }, workers) : block.bytes;
  if (format === 'json') {
    return sendJsonText(context, asked, await jsonBody(asked, generation, { dtype, shape, bytes }, workers));
  }
  if (isEncoded(format)) return sendEncodedBlock(context, asked, format, { dtype, shape, bytes });
  if (format === 'png') {
    checkPictureSize(checkPicture(dtype, shape, query));
    return sendPicture(context, asked, { dtype, shape, bytes });
  }
  if (format === 'npz') return sendNpzBlock(context, asked, generation, { dtype, shape, bytes });
  reply.type(mediaTypeOf(format));
  reply.header('x-array-dtype', dtype.typestr).header('x-array-shape', shape.join(','));
  const head = format === 'npy' ? npyHeader({ dtype, shape, order: 'C' }) : undefined;
  return reply.send(withHead(head, bytes));
}

/** Conditions first, then the body. */
function answer(asked: Answer): FastifyReply | Promise<FastifyReply> {
  if (answeredUnchanged(asked)) return asked.reply;
  if (isEncoded(asked.format)) return sendEncoded(asked, asked.format);
  if (asked.format === 'npz') return sendNpz(asked);
  if (asked.format === 'png') return readPicture(asked);
  return asked.format === 'json' ? sendJson(asked) : sendBinary(asked);
}

async function sendJson(asked: Answer): Promise<FastifyReply> {
  const { reply, dataset, file, view, from, dtype, conversion, claim } = asked;
  const heldBytes = jsonHeldBytes(view.shape, dtype) + (conversion ? sizeOf(view.shape) * from.itemsize : 0);
  if (heldBytes > JSON_FREE_BYTES) await holdWithFile(asked, heldBytes);
  const now = claim ? undefined : readNow(file, view, from.itemsize);
  if (now) recheckNow(dataset, file);
  const { bytes, generation } = now
    ? { bytes: now, generation: dataset.generation }
    : await (claim
        ? readClaimed(asked, claim)
        : readWhole(dataset, file, { dtype: from, view }, workersOf(asked), signalOf(reply)));
  const converted = conversion ? await convertHeld(conversion, { source: bytes }, workersOf(asked)) : bytes;
  const text = await jsonBody(asked, generation, { dtype, shape: view.shape, bytes: converted }, workersOf(asked));
  setState(asked, generation);
  return sendJsonText(asked.context, asked, text);
}

/** The elements of a picture, which is held whole. */
async function readPicture(asked: Answer): Promise<FastifyReply> {
  const { context, reply, dataset, file, view, from, dtype, conversion, claim } = asked;
  const elementBytes = sizeOf(view.shape) * (from.itemsize + (conversion ? dtype.itemsize : 0));
  await holdWithFile(asked, elementBytes + pictureHeldBytes(pictureOf(dtype, view.shape)!));
  const { bytes, generation } = await (claim
    ? readClaimed(asked, claim)
    : readWhole(dataset, file, { dtype: from, view }, workersOf(asked), signalOf(reply)));
  const converted = conversion ? await convertHeld(conversion, { source: bytes }, workersOf(asked)) : bytes;
  setState(asked, generation);
  return sendPicture(context, asked, { dtype, shape: view.shape, bytes: converted });
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
  const { request, reply, dataset, file, view, from, dtype, conversion, format } = asked;
  const contiguous = !conversion && request.method !== 'POST' && isContiguous(view, from.itemsize);
  const head = format === 'npy' ? npyHeader({ dtype, shape: view.shape, order: 'C' }) : undefined;
  const headBytes = head?.byteLength ?? 0;
  const totalBytes = headBytes + sizeOf(view.shape) * dtype.itemsize;

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

  const whole: BinaryBody = {
    head,
    ...(conversion ? { view, itemsize: from.itemsize } : cuttable(view, from.itemsize)),
  };
  const body = range
    ? {
        ...whole,
        head: head?.subarray(range.start, range.end),
        view: bytesOfView(view, range, headBytes),
        itemsize: 1,
      }
    : whole;
  if (asked.claim) return sendClaimed(asked, asked.claim, body);
  const isSlow = conversion && !isQuick(conversion, sizeOf(view.shape));
  const now = isSlow ? undefined : readNow(file, body.view, body.itemsize);
  if (!now) return sendLater(asked, body, { whole, generation: dataset.generation });
  recheckNow(dataset, file);
  setState(asked, dataset.generation);
  return reply.send(withHead(body.head, conversion ? convertNow(conversion, now) : now));
}

/** What of the body is sent, after a range has been cut out of it. */
interface BinaryBody {
  readonly head: Uint8Array | undefined;
  readonly view: View;
  readonly itemsize: number;
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
  const { request, reply, dataset } = asked;
  let body = cut;
  const part = (): Part => {
    if (request.headers['if-range'] !== undefined && dataset.generation !== generation) {
      reply.code(200).removeHeader('content-range');
      body = whole;
    }
    return body;
  };
  const pieces = await openAnswer(asked, part, { inPlace: asked.conversion === undefined });
  return sendPieces(asked, body, pieces);
}

/** Sends what comes in pieces of the file, converted where it has to be. */
async function sendPieces(
  asked: Answer,
  { head, view, itemsize }: BinaryBody,
  pieces: PieceReader,
): Promise<FastifyReply> {
  const { context, reply, conversion } = asked;
  const sentBytes = sizeOf(view.shape) * (conversion ? conversion.to.itemsize : itemsize);
  reply.header('content-length', (head?.byteLength ?? 0) + sentBytes);
  if (conversion) await holdItems(asked, conversion, pieces);
  const sent = conversion ? convertedPieces(pieces, conversion, workersOf(asked)) : pieces;
  await streamPieces(reply, head, sent, context.budget);
  return reply;
}

/** Items that are larger than a piece are held whole, two on each side of their conversion. */
async function holdItems({ context, reply }: Answer, { from, to }: Conversion, pieces: PieceReader): Promise<void> {
  const largest = Math.max(from.itemsize, to.itemsize);
  if (largest <= LIMITS.pieceBytesMax) return;
  try {
    await holdUntilSent(context.budget, reply, 4 * largest);
  } catch (error) {
    pieces.close();
    throw error;
  }
}

/** The elements that a claim holds. */
function sendClaimed(asked: Answer, claim: Claim, body: BinaryBody): Promise<FastifyReply> {
  setState(asked, claim.generation);
  const pieces = claimedPieces(claim, body.view, body.itemsize, workersOf(asked), signalOf(asked.reply));
  return sendPieces(asked, body, pieces);
}

function rangeOf(asked: Answer, totalBytes: number): ByteRange | undefined {
  return rangeAsked(asked.request, tagOf(asked, asked.dataset.generation), totalBytes);
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

/** Large items can be sent in parts: they are seen as bytes. */
export function cuttable(view: View, itemsize: number): { view: View; itemsize: number } {
  if (itemsize <= LIMITS.firstPieceBytes) return { view, itemsize };
  const { shape, strides, offset } = view;
  return { view: { shape: [...shape, itemsize], strides: [...strides, 1], offset }, itemsize: 1 };
}

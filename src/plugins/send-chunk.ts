/**
 * A chunk of the Zarr view: the elements of a box of an array, little-endian in C order, filled up where it reaches beyond
 * the array. Read as all data is; but where that is refused because others are being answered, it waits, since old
 * readers take a chunk that fails for one that is not there. Memory: that of a read, and three pieces where it is padded.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { checkWanted } from '../cancelled.js';
import type { Context } from '../context.js';
import type { Conversion } from '../convert/index.js';
import { convertNow, isQuick } from '../dataset/convert.js';
import { convertedPieces } from '../dataset/converted-pieces.js';
import { standingOf } from '../dataset/precondition.js';
import { openPieces, readNow, type PieceReader } from '../dataset/read.js';
import { sentAs } from '../dataset/sent-as.js';
import { isErrorCode } from '../errors.js';
import type { OpenFile } from '../file/open-file.js';
import { takePatiently } from '../jobs/patience.js';
import type { Workers } from '../jobs/pool.js';
import { extentOf, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { fillItem } from '../zarr/data-types.js';
import type { ArrayNode } from '../zarr/nodes.js';
import { padNow, paddedPieces, type Padding } from '../zarr/padding.js';
import { rangeSent } from './byte-range.js';
import { clientOf } from './client.js';
import { signalOf } from './client-gone.js';
import { checkIfMatch, entityTag, isUnchanged } from './conditional.js';
import { cuttable } from './send-array.js';
import { streamPieces } from './stream.js';

interface Chunk {
  readonly context: Context;
  readonly reply: FastifyReply;
  readonly node: ArrayNode;
  /** The elements that there are. */
  readonly view: View;
  readonly conversion: Conversion | undefined;
  readonly padding: Padding | undefined;
  /** Of all of it. */
  readonly bytes: number;
}

/** @param view the elements that the chunk has */
export async function sendChunk(
  context: Context,
  reply: FastifyReply,
  node: ArrayNode,
  view: View,
): Promise<FastifyReply> {
  const { dtype, chunks, dataset } = node;
  const { conversion } = sentAs({ dtype }, { endian: 'little' });
  const isWhole = chunks.every((length, axis) => length === view.shape[axis]);
  const padding = isWhole ? undefined : { inner: view.shape, outer: chunks, fill: fillItem(dtype) };
  const asked: Chunk = { context, reply, node, view, conversion, padding, bytes: sizeOf(chunks) * dtype.itemsize };
  reply.type('application/octet-stream').header('accept-ranges', 'bytes');
  const signal = signalOf(reply);
  const file = dataset.opened() ?? (await patiently(signal, () => dataset.open(extentOf(view, dtype.itemsize))));
  try {
    return answeredUnchanged(asked) ? reply : await send(asked, file, signal);
  } catch (error) {
    return await dataset.learned(error);
  }
}

/** True where 304 or the headers alone are the answer. @throws generation_moved */
function answeredUnchanged(asked: Chunk): boolean {
  const { reply, node, bytes } = asked;
  const { method, headers } = reply.request;
  checkIfMatch(headers['if-match'], standingOf(node.dataset));
  const tag = setState(asked);
  if (isUnchanged(reply, tag)) {
    void reply.code(304).removeHeader('accept-ranges').send();
    return true;
  }
  if (method !== 'HEAD') return false;
  void reply.header('content-length', bytes).send();
  return true;
}

/** Which state of the array this is, and of which cut: attrs.chunks may change under the same generation. */
function setState({ reply, node: { dataset, chunks } }: Chunk): string | undefined {
  const { id, external } = dataset.record;
  const { generation } = dataset;
  reply.header('x-dataset-generation', generation);
  reply.header('cache-control', external ? 'no-store' : 'no-cache');
  if (external) return undefined;
  const tag = entityTag(id, generation, `zarr-${chunks.join('x')}`);
  reply.header('etag', tag);
  return tag;
}

async function send(asked: Chunk, file: OpenFile, signal: AbortSignal): Promise<FastifyReply> {
  const { reply, node, view, conversion, padding, bytes } = asked;
  const { dtype, dataset } = node;
  const isQuickly = bytes <= LIMITS.pieceBytesMax && (!conversion || isQuick(conversion, sizeOf(view.shape)));
  const now = isQuickly ? readNow(file, view, dtype.itemsize) : undefined;
  if (!now) return sendLater(asked, file, signal);
  if (dataset.record.external) dataset.recheck(file);
  const { start, end } = rangeSent(reply, setState(asked), bytes);
  const elements = conversion ? convertNow(conversion, now) : now;
  return reply.send((padding ? padNow(padding, elements) : elements).subarray(start, end));
}

async function sendLater(asked: Chunk, file: OpenFile, signal: AbortSignal): Promise<FastifyReply> {
  const { context, reply } = asked;
  const workers = context.pool.of(clientOf(reply.request));
  const release = file.lease();
  try {
    await holdItems(asked, signal);
    await patiently(signal, async () => {
      await streamPieces(reply, undefined, await opened(asked, file, workers, signal), context.budget);
    });
    return reply;
  } finally {
    release();
  }
}

/** Items that are larger than a piece are held whole, where they are converted or laid out anew. */
async function holdItems({ context, reply, node, conversion, padding }: Chunk, signal: AbortSignal): Promise<void> {
  const { itemsize } = node.dtype;
  const items = (conversion ? 4 : 0) + (padding ? 4 : 0);
  if (items === 0 || itemsize <= LIMITS.pieceBytesMax) return;
  const release = await takePatiently(context.budget.of(clientOf(reply.request)), items * itemsize, signal);
  if (reply.raw.closed) release();
  else reply.raw.once('close', () => release());
}

/** How long what is refused because of others waits before it is tried again. */
const PAUSE_MS = 25;

/** Does what may be refused because others are being answered, as often as it has to. @throws cancelled */
async function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await work();
    } catch (error) {
      if (!isErrorCode(error, 'busy') && !isErrorCode(error, 'busy_writing')) throw error;
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    checkWanted(signal);
  }
}

/** The pieces of what is asked for, of one generation, whose headers are set. */
async function opened(asked: Chunk, file: OpenFile, workers: Workers, signal: AbortSignal): Promise<PieceReader> {
  const { reply, node, view, conversion, padding, bytes } = asked;
  const { dataset, dtype } = node;
  const isAsInFile = !conversion && !padding;
  const { itemsize } = dtype;
  const read = isAsInFile ? cuttable(view, itemsize) : { view, itemsize };
  let range = { start: 0, end: bytes };
  const pieces = await file.state.lock.withRead(
    () => {
      file.state.checkUsable();
      dataset.checkLength();
      checkIfMatch(reply.request.headers['if-match'], standingOf(dataset));
      reply.code(200).removeHeader('content-range');
      range = rangeSent(reply, setState(asked), bytes);
      reply.header('content-length', range.end - range.start);
      const changedMs = dataset.changedMsFor(file, bytes <= LIMITS.firstPieceBytes);
      return openPieces(file, read.view, read.itemsize, workers, {
        inPlace: isAsInFile,
        signal,
        recheck: () => dataset.recheck(file, changedMs),
      });
    },
    { signal, client: workers.client },
  );
  const converted = conversion ? convertedPieces(pieces, conversion, workers) : pieces;
  const padded = padding ? paddedPieces(converted, padding) : converted;
  return range.end - range.start === bytes ? padded : cutPieces(padded, range.start, range.end);
}

/** Some bytes of what comes in pieces. */
function cutPieces(pieces: PieceReader, start: number, end: number): PieceReader {
  let at = 0;
  return {
    ...pieces,
    async next(bytesMax) {
      while (at < end) {
        // oxlint-disable-next-line no-await-in-loop
        const piece = await pieces.next(bytesMax);
        if (!piece) return undefined;
        const from = Math.max(0, start - at);
        const to = Math.min(piece.byteLength, end - at);
        at += piece.byteLength;
        if (from < to) return piece.subarray(from, to);
      }
      return undefined;
    },
  };
}

/**
 * Answers with the elements of a selection: negotiation, conditions, ranges, then the cheapest way to the bytes.
 * Memory per answer: JSON is held whole (limited in elements); binary up to LIMITS.atomicReadBytesMax, then two pieces.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fail } from '../errors.js';
import type { Context } from '../context.js';
import type { Dataset } from '../dataset/dataset.js';
import { openPieces, readNow, readWhole } from '../dataset/read.js';
import { withByteOrder, type DType } from '../dtype.js';
import type { OpenFile } from '../file/open-file.js';
import { encodeJsonData, encodeJsonDataNow, jsonCost, npyHeader, type FormatName } from '../formats/index.js';
import { selectFrom } from '../layout/select.js';
import { isContiguous, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { swapBytes } from '../native.js';
import { normalise, type SlicePart } from '../selection.js';
import { collectTurns } from '../turns.js';
import { byteRange, checkIfMatch, entityTag, noneMatches, type ByteRange } from './conditional.js';
import { mediaTypeOf, negotiate } from './negotiate.js';
import { streamPieces } from './stream.js';

export interface ArrayQuery {
  readonly format?: string;
  readonly endian?: 'little' | 'big';
  readonly int64?: 'number' | 'string';
}

/** One answer on its way. */
interface Answer {
  readonly context: Context;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly dataset: Dataset;
  readonly file: OpenFile;
  readonly view: View;
  /** As sent: raw answers may be in another byte order than the file. */
  readonly dtype: DType;
  readonly format: FormatName;
  readonly query: ArrayQuery;
}

export async function sendArray(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  parts: readonly SlicePart[],
  query: ArrayQuery,
): Promise<FastifyReply> {
  const dataset = context.registry.get(name);
  const { geometry, record } = dataset;
  const selection = normalise(parts, record.shape);
  const format = negotiate(request, query.format);
  if (format === 'json') checkJsonCost(selection.shape, context.config.jsonElementsMax);
  const view = selectFrom(geometry.view, selection);
  const dtype =
    format === 'raw' && query.endian
      ? withByteOrder(geometry.dtype, query.endian === 'big' ? '>' : '<')
      : geometry.dtype;

  const file = dataset.opened() ?? (await dataset.open());
  const { headers } = request;
  checkIfMatch(headers['if-match'], record.id, dataset.generation);
  const unchanged = headers['if-none-match'];
  if (unchanged !== undefined && !record.external) {
    const tag = entityTag(record.id, dataset.generation, format);
    if (noneMatches(unchanged, tag)) {
      setState(reply, dataset, format, dataset.generation);
      return reply.code(304).send();
    }
  }
  const answer: Answer = { context, request, reply, dataset, file, view, dtype, format, query };
  return format === 'json' ? sendJson(answer) : sendBinary(answer);
}

/** Headers that say which state of which array this is. */
function setState(reply: FastifyReply, { record }: Dataset, format: FormatName, generation: number): void {
  reply.header('x-dataset-generation', generation);
  if (record.external) reply.header('cache-control', 'no-store');
  else {
    reply.header('etag', entityTag(record.id, generation, format));
    reply.header('cache-control', 'no-cache');
    reply.header('vary', 'Accept');
  }
}

async function sendJson({ context, reply, dataset, file, view, dtype, query }: Answer): Promise<FastifyReply> {
  const now = readNow(file, view, dtype.itemsize);
  const { bytes, generation } = now
    ? { bytes: now, generation: dataset.generation }
    : await readWhole(dataset, file, view, dtype.itemsize, context.pool);
  const block = { dtype, shape: view.shape, bytes };
  const options = { int64: query.int64 ?? 'number' } as const;
  const head = Buffer.from(
    `{"dataset":${JSON.stringify(dataset.record.name)},"generation":${generation},"dtype":"${dtype.typestr}",` +
      `"shape":[${view.shape.join(',')}],"data":`,
  );
  const data =
    sizeOf(view.shape) <= LIMITS.jsonElementsPerTurn
      ? [encodeJsonDataNow(block, options)]
      : await collectTurns(encodeJsonData(block, options));
  setState(reply, dataset, 'json', generation);
  return reply.type('application/json; charset=utf-8').send(Buffer.concat([head, ...data, CLOSING_BRACE]));
}

const CLOSING_BRACE = Buffer.from('}');

async function sendBinary(answer: Answer): Promise<FastifyReply> {
  const { context, request, reply, dataset, file, view, dtype, format } = answer;
  const { itemsize } = dtype;
  const swapped = dtype !== dataset.geometry.dtype;
  const contiguous = !swapped && isContiguous(view, itemsize);
  const head = format === 'npy' ? npyHeader({ dtype, shape: view.shape, order: 'C' }) : undefined;
  const headBytes = head?.byteLength ?? 0;
  const totalBytes = headBytes + sizeOf(view.shape) * itemsize;

  reply.type(mediaTypeOf(format));
  reply.header('x-array-dtype', dtype.typestr);
  reply.header('x-array-shape', view.shape.join(','));
  if (contiguous) reply.header('accept-ranges', 'bytes');
  const range = contiguous ? rangeOf(answer, totalBytes) : undefined;
  if (range) {
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end - 1}/${totalBytes}`);
  }
  if (request.method === 'HEAD') {
    setState(reply, dataset, format, dataset.generation);
    return reply.header('content-length', totalBytes).send();
  }

  const sentHead = range ? head?.subarray(range.start, range.end) : head;
  const sentView = range ? bytesOfView(view, range, headBytes) : view;
  const sentItemsize = range ? 1 : itemsize;
  const now = readNow(file, sentView, sentItemsize);
  if (now) {
    setState(reply, dataset, format, dataset.generation);
    return reply.send(withHead(sentHead, swapIf(swapped, now, itemsize)));
  }
  const sentBytes = (sentHead?.byteLength ?? 0) + sizeOf(sentView.shape) * sentItemsize;
  if (sentBytes <= LIMITS.atomicReadBytesMax && !(contiguous && file.sendsMapped)) {
    const { bytes, generation } = await readWhole(dataset, file, sentView, sentItemsize, context.pool);
    checkIfMatch(request.headers['if-match'], dataset.record.id, generation);
    setState(reply, dataset, format, generation);
    return reply.send(withHead(sentHead, swapIf(swapped, bytes, itemsize)));
  }
  const pieces = await file.state.lock.withRead(() => {
    setState(reply, dataset, format, dataset.generation);
    return openPieces(file, sentView, sentItemsize, context.pool, { inPlace: !swapped });
  });
  reply.header('content-length', sentBytes);
  await streamPieces(reply, sentHead, swapped ? swappedPieces(pieces, itemsize) : pieces);
  return reply;
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

function swapIf(swapped: boolean, bytes: Uint8Array, itemsize: number): Uint8Array {
  if (swapped) swapBytes(bytes, itemsize);
  return bytes;
}

function swappedPieces(pieces: ReturnType<typeof openPieces>, itemsize: number): ReturnType<typeof openPieces> {
  return {
    async next() {
      const piece = await pieces.next();
      return piece && swapIf(true, piece, itemsize);
    },
    close: () => pieces.close(),
  };
}

/** @throws too_large before anything is read */
function checkJsonCost(shape: readonly number[], limit: number): void {
  const cost = jsonCost(shape);
  if (cost > limit) {
    fail(
      'too_large',
      `The answer would have ${cost} JSON values; at most ${limit} are sent. Ask for format=raw or npy, or a smaller slice.`,
      {
        limit,
        asked: cost,
        shape,
      },
    );
  }
}

/**
 * Bodies that are not the bytes of a file: held whole up to a limit, with their length, without a body for HEAD, and by
 * Range; beyond it sent as they come.
 */
import type { FastifyReply } from 'fastify';
import type { Context } from '../context.js';
import { KeptBytes } from '../dataset/buffers.js';
import type { PieceReader } from '../dataset/read.js';
import { LIMITS } from '../limits.js';
import type { ArrayAnswer } from './array-answer.js';
import { cutParts, rangeSent } from './byte-range.js';
import { streamPieces } from './stream.js';

/** What is known of the bytes of a body. */
export interface Length {
  readonly least: number;
  readonly exact?: number;
}

/** Whole where it turns out to be no longer than the limit, else as it comes. */
export async function sendPieces(
  context: Context,
  asked: Pick<ArrayAnswer, 'request' | 'reply'>,
  { least, exact }: Length,
  pieces: PieceReader,
): Promise<FastifyReply> {
  const { reply, request } = asked;
  const limit = context.config.wholeBytesMax;
  const held = new KeptBytes();
  if (least <= limit && (await collected(pieces, limit, held))) {
    pieces.close();
    return sendKept(context, asked, held);
  }
  if (exact !== undefined) reply.header('content-length', exact);
  if (request.method === 'HEAD') {
    held.free();
    pieces.close();
    return reply.send();
  }
  await streamPieces(reply, undefined, behind(held, pieces), context.budget);
  return reply;
}

/** Keeps pieces until there are no more, or they are more than the limit. @returns whether that is all */
async function collected(pieces: PieceReader, limit: number, held: KeptBytes): Promise<boolean> {
  try {
    // oxlint-disable-next-line no-await-in-loop
    for (let piece = await pieces.next(); piece; piece = await pieces.next()) {
      held.add(piece);
      if (held.byteLength > limit) return false;
    }
    return true;
  } catch (error) {
    held.free();
    pieces.close();
    throw error;
  }
}

/** What is held goes first. */
function behind(held: KeptBytes, pieces: PieceReader): PieceReader {
  const parts = held.parts()[Symbol.iterator]();
  return {
    ...pieces,
    async next(bytesMax) {
      const { done, value } = parts.next();
      return done ? pieces.next(bytesMax) : value;
    },
    close() {
      held.free();
      pieces.close();
    },
  };
}

/** Sends what is kept, and frees it. The headers of type and state are set. @throws range_not_satisfiable */
export async function sendKept(
  context: Pick<Context, 'budget'>,
  asked: Pick<ArrayAnswer, 'request' | 'reply'>,
  kept: KeptBytes,
  options: SendOptions = {},
): Promise<FastifyReply> {
  try {
    return await sendWhole(context, asked, kept.parts(), { ...options, isReused: true });
  } finally {
    kept.free();
  }
}

interface SendOptions {
  /** Whether parts of the body can be asked for: true where it is absent. */
  readonly ranges?: boolean;
  /** The memory of the parts has another use as soon as this resolves. */
  readonly isReused?: boolean;
}

/** The headers of type and state are set. @throws range_not_satisfiable */
export async function sendWhole(
  { budget }: Pick<Context, 'budget'>,
  { request, reply }: Pick<ArrayAnswer, 'request' | 'reply'>,
  parts: readonly Uint8Array[],
  { ranges = true, isReused = false }: SendOptions = {},
): Promise<FastifyReply> {
  const totalBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  // The body of a POST says what is asked for; a range of that is asked for by nobody.
  if (ranges && request.method !== 'POST') reply.header('accept-ranges', 'bytes');
  const range = ranges
    ? rangeSent(reply, reply.getHeader('etag') as string | undefined, totalBytes)
    : { start: 0, end: totalBytes };
  const sent = cutParts(parts, range);
  const sentBytes = range.end - range.start;
  if (request.method === 'HEAD') return reply.header('content-length', sentBytes).send();
  if (sentBytes <= LIMITS.pieceBytesMax) {
    return reply.send(sent.length === 1 && !isReused ? sent[0] : Buffer.concat(sent, sentBytes));
  }
  reply.header('content-length', sentBytes);
  await streamPieces(reply, undefined, partsReader(sent), budget);
  return reply;
}

/** Parts as the pieces that they are. */
export function partsReader(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): PieceReader {
  const iterator = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? undefined : value;
    },
    onChange() {},
    close() {},
  };
}

/**
 * Bodies that are not the bytes of a file: held whole up to a limit, with their length, without a body for HEAD, and by
 * Range; beyond it sent as they come.
 */
import type { FastifyReply } from 'fastify';
import type { Context } from '../context.js';
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
  const held = least > limit ? { parts: [], isAll: false } : await collected(pieces, limit);
  if (held.isAll) {
    pieces.close();
    return sendWhole(context, asked, held.parts);
  }
  if (exact !== undefined) reply.header('content-length', exact);
  if (request.method === 'HEAD') {
    pieces.close();
    return reply.send();
  }
  await streamPieces(reply, undefined, behind(held.parts, pieces), context.budget);
  return reply;
}

/** Copies of pieces, until there are no more or they are more than the limit. */
async function collected(pieces: PieceReader, limit: number): Promise<{ parts: Uint8Array[]; isAll: boolean }> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    // oxlint-disable-next-line no-await-in-loop
    for (let piece = await pieces.next(); piece; piece = await pieces.next()) {
      parts.push(Uint8Array.from(piece));
      bytes += piece.byteLength;
      if (bytes > limit) return { parts, isAll: false };
    }
    return { parts, isAll: true };
  } catch (error) {
    pieces.close();
    throw error;
  }
}

/** What is held goes first. */
function behind(parts: readonly Uint8Array[], pieces: PieceReader): PieceReader {
  let at = 0;
  return { ...pieces, next: bytesMax => (at < parts.length ? Promise.resolve(parts[at++]) : pieces.next(bytesMax)) };
}

/** The headers of type and state are set. @throws range_not_satisfiable */
export async function sendWhole(
  { budget }: Pick<Context, 'budget'>,
  { request, reply }: Pick<ArrayAnswer, 'request' | 'reply'>,
  parts: readonly Uint8Array[],
): Promise<FastifyReply> {
  const totalBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  // The body of a POST says what is asked for; a range of that is asked for by nobody.
  if (request.method !== 'POST') reply.header('accept-ranges', 'bytes');
  const range = rangeSent(reply, reply.getHeader('etag') as string | undefined, totalBytes);
  const sent = cutParts(parts, range);
  const sentBytes = range.end - range.start;
  if (request.method === 'HEAD') return reply.header('content-length', sentBytes).send();
  if (sentBytes <= LIMITS.pieceBytesMax) {
    return reply.send(sent.length === 1 ? sent[0] : Buffer.concat(sent, sentBytes));
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

/**
 * JSON that is written a piece at a time, since it may tell of thousands of things. What there is memory for is held whole:
 * it has a length, an entity tag and ranges. More is sent as it is written, without these: it is never refused.
 */
import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Budget } from '../budget.js';
import type { Dataset } from '../dataset/dataset.js';
import { standingOf } from '../dataset/precondition.js';
import { LIMITS } from '../limits.js';
import { givingTurns } from '../turns.js';
import { cutParts, rangeSent } from './byte-range.js';
import { clientOf } from './client.js';
import { checkIfMatch, listsTag, noneMatches } from './conditional.js';
import { ConnectionClosed, writeBytes } from './stream.js';

/** @param dataset what the text is about, where that is one: its state is part of the entity tag */
export async function sendDocument(
  budget: Budget,
  reply: FastifyReply,
  texts: AsyncIterable<string>,
  dataset?: Dataset,
): Promise<FastifyReply> {
  const { request } = reply;
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch = '' } = request.headers;
  const standing = dataset ? standingOf(dataset) : 'untagged';
  const about = dataset && `${dataset.record.id}.${dataset.generation}.`;
  const { parts, bytes, digest, rest } = await held(budget, reply, packed(texts));
  const tag = rest ? undefined : `"${about ?? ''}${digest}"`;
  if (ifMatch !== undefined && !(tag && listsTag(ifMatch, tag))) checkIfMatch(ifMatch, standing);
  reply.header('cache-control', 'no-cache');
  if (tag) reply.header('etag', tag);
  if (noneMatches(ifNoneMatch, tag)) return reply.code(304).send();
  reply.type('application/json; charset=utf-8');
  if (rest) return request.method === 'HEAD' ? reply.send() : sendParts(reply, follow(parts, rest));
  const cut = rangeSent(reply.header('accept-ranges', 'bytes'), tag, bytes);
  const length = cut.end - cut.start;
  if (request.method === 'HEAD') return reply.header('content-length', bytes).send();
  const sent = cutParts(parts, cut);
  if (sent.length <= 1) return reply.send(sent[0] ?? Buffer.alloc(0));
  return sendParts(reply.header('content-length', length), sent);
}

interface HeldDocument {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly digest: string;
  /** What is not held. */
  readonly rest: AsyncIterable<Uint8Array> | undefined;
}

async function held(
  budget: Budget,
  { raw, request }: FastifyReply,
  all: AsyncGenerator<Buffer>,
): Promise<HeldDocument> {
  const share = budget.of(clientOf(request));
  const hash = createHash('sha256');
  const parts: Uint8Array[] = [];
  const releases: (() => void)[] = [];
  raw.once('close', () => releases.forEach(release => release()));
  for (let bytes = 0; ;) {
    // oxlint-disable-next-line no-await-in-loop
    const { done, value } = await all.next();
    if (done) return { parts, bytes, digest: hash.digest('base64url').slice(0, 22), rest: undefined };
    parts.push(value);
    hash.update(value);
    bytes += value.byteLength;
    if (bytes <= LIMITS.inlineReadBytesMax) continue;
    const release = bytes <= LIMITS.zarrMetadataHeldBytesMax ? share.tryTake(value.byteLength) : undefined;
    if (!release) return { parts, bytes, digest: '', rest: all };
    if (raw.closed) release();
    else releases.push(release);
  }
}

/** Texts as bytes, of about a piece each, with turns for others between them. */
async function* packed(texts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  const takeTurns = givingTurns();
  let text = '';
  for await (const each of texts) {
    text += each;
    await takeTurns();
    if (text.length < LIMITS.firstPieceBytes) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

async function* follow(first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

/** Takes the reply over, sends every part, and ends or destroys the connection. */
async function sendParts(
  reply: FastifyReply,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<FastifyReply> {
  const { raw } = reply;
  reply.hijack();
  try {
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    for await (const part of parts) await writeBytes(raw, part);
    raw.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) reply.log.info({ err: error }, 'answer cut');
    raw.destroy();
  }
  return reply;
}

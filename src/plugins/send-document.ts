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
import { clientOf } from './client.js';
import { checkIfMatch, isUnchanged, listsTag } from './conditional.js';
import { partsReader, sendWhole } from './send-whole.js';
import { streamPieces } from './stream.js';

/** @param dataset what the text is about, where that is one: its state is part of the entity tag */
export async function sendDocument(
  budget: Budget,
  reply: FastifyReply,
  texts: AsyncIterable<string>,
  dataset?: Dataset,
): Promise<FastifyReply> {
  const { request } = reply;
  const { 'if-match': ifMatch } = request.headers;
  const standing = dataset ? standingOf(dataset) : 'untagged';
  const about = dataset && `${dataset.record.id}.${dataset.generation}.`;
  const { parts, digest, rest } = await held(budget, reply, packed(texts));
  const tag = rest ? undefined : `"${about ?? ''}${digest}"`;
  if (ifMatch !== undefined && !(tag && listsTag(ifMatch, tag))) checkIfMatch(ifMatch, standing);
  reply.header('cache-control', 'no-cache');
  if (tag) reply.header('etag', tag);
  if (isUnchanged(reply, tag)) return reply.code(304).send();
  reply.type('application/json; charset=utf-8');
  if (!rest) return sendWhole({ budget }, { request, reply }, parts);
  if (request.method === 'HEAD') return reply.send();
  await streamPieces(reply, undefined, partsReader(follow(parts, rest)), budget);
  return reply;
}

interface HeldDocument {
  readonly parts: readonly Uint8Array[];
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
    if (done) return { parts, digest: hash.digest('base64url').slice(0, 22), rest: undefined };
    parts.push(value);
    hash.update(value);
    bytes += value.byteLength;
    if (bytes <= LIMITS.inlineReadBytesMax) continue;
    const release = bytes <= LIMITS.zarrMetadataHeldBytesMax ? share.tryTake(value.byteLength) : undefined;
    if (!release) return { parts, digest: '', rest: all };
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

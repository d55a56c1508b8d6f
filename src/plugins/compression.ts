/**
 * Which answers go out in a content coding, and what that changes of their headers. Text does where the client takes a
 * coding; bytes of arrays, which hardly shrink, where it takes nothing else; parts of answers (206), pictures and what is
 * compressed already never. Senders know nothing of it: they set the entity tag and the length of the plain answer.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Budget } from '../budget.js';
import { fail } from '../errors.js';
import { FORMATS, type FormatRow } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { listed, shown } from '../shown.js';
import { acceptedCodings } from './accept-encoding.js';
import { clientOf } from './client.js';
import { signalOf } from './client-gone.js';
import { Coder, codedBytes } from './coder.js';
import { CODINGS, codedTag, type Coding } from './codings.js';
import { addVary } from './vary.js';

/** Whether answers of a media type are coded: where a coding is taken, where nothing else is, or never. */
type Coded = 'taken' | 'demanded' | 'never';

const ROWS: readonly FormatRow[] = FORMATS;
const TEXT = /^text\/(?!event-stream)|^(application|image)\/([a-z.-]+\+)?(json|xml|yaml|javascript|x-ndjson)$/;
const known = new Map<string, Coded>();
const KNOWN_MAX = 256;

function codedOf(contentType: string): Coded {
  let coded = known.get(contentType);
  if (coded === undefined) {
    const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
    const row = ROWS.find(({ mediaTypes }) => mediaTypes.includes(mediaType));
    coded = TEXT.test(mediaType) ? 'taken' : row?.isBytes ? 'demanded' : 'never';
    if (known.size < KNOWN_MAX) known.set(contentType, coded);
  }
  return coded;
}

/** @throws not_acceptable where an answer in this format cannot be had in any coding that the client takes */
export function checkCoding({ headers }: FastifyRequest, { mediaTypes: [mediaType] }: FormatRow): void {
  if (codedOf(mediaType!) === 'never' && !acceptedCodings(headers).takesIdentity) failIdentity(mediaType!, headers);
}

function failIdentity(mediaType: string, { 'accept-encoding': header }: FastifyRequest['headers']): never {
  return fail(
    'not_acceptable',
    `Accept-Encoding: ${shown(header)} refuses answers as they are (identity), and ${mediaType} is not compressed. Leave identity;q=0 out.`,
    { available: ['identity'] },
  );
}

/**
 * The coding of an answer whose Content-Type and status are set.
 * @param bytes of the answer; undefined where that is not known yet
 * @throws not_acceptable
 */
function codingOf(reply: FastifyReply, bytes: number | undefined): Coding | undefined {
  const { headers } = reply.request;
  if (headers['accept-encoding'] === undefined || bytes === 0) return undefined;
  const { best, takesIdentity } = acceptedCodings(headers);
  const { statusCode } = reply;
  // Ranges are of the plain answer, and asked for only where that is taken.
  if (statusCode === 206 || statusCode === 204 || statusCode === 304 || reply.hasHeader('content-encoding')) {
    return undefined;
  }
  const contentType = String(reply.getHeader('content-type') ?? '');
  const coded = codedOf(contentType);
  // What comes bit by bit would be kept back in a coding, here or on its way.
  if (String(reply.getHeader('cache-control') ?? '').includes('no-transform')) {
    if (!takesIdentity && statusCode < 400) failIdentity(contentType, headers);
    return undefined;
  }
  if (takesIdentity) {
    return coded === 'taken' && (bytes === undefined || bytes >= LIMITS.codedBytesMin) ? best : undefined;
  }
  // What went wrong is told in any case.
  if (coded === 'never' && statusCode < 400) failIdentity(contentType, headers);
  return coded === 'never' ? undefined : best;
}

/** Caches keep answers in different codings apart. */
function noteVariants(reply: FastifyReply): void {
  const { method } = reply.request;
  if (method !== 'GET' && method !== 'HEAD') return;
  const contentType = reply.getHeader('content-type');
  const isVaried = contentType === undefined ? reply.statusCode === 304 : codedOf(String(contentType)) !== 'never';
  if (isVaried) addVary(reply, 'Accept-Encoding');
  // It has told here what the answer would be; there is none.
  if (reply.statusCode === 304) reply.removeHeader('content-type');
}

/** What a coding changes of the headers of the plain answer. */
function setCoding(reply: FastifyReply, coding: Coding): void {
  reply.header('content-encoding', coding.name);
  // A weak tag stands for an answer in any coding.
  const tag = reply.getHeader('etag');
  if (typeof tag === 'string' && tag.startsWith('"')) reply.header('etag', codedTag(tag, coding));
  reply.removeHeader('content-length');
  // A range would be one of the plain answer.
  reply.removeHeader('accept-ranges');
}

/** What streams of codings hold together. */
let codersBytes = 0;

/** A stream of a coding, where there is memory to spare or the client takes nothing else. @throws busy, cancelled */
async function coderOf(budget: Budget, reply: FastifyReply, coding: Coding): Promise<Coder | undefined> {
  const { raw, request } = reply;
  const id = clientOf(request);
  const { heldBytes } = coding;
  const isSpare = codersBytes + heldBytes <= budget.limitBytes * LIMITS.codingShare;
  let give = isSpare ? budget.of(id).tryTake(heldBytes) : undefined;
  if (!give && acceptedCodings(request.headers).takesIdentity) return undefined;
  give ??= await budget.of(id).take(heldBytes, signalOf(reply));
  codersBytes += heldBytes;
  const coder = new Coder(coding, { id, share: 1 });
  const close = (): void => {
    coder.close();
    give();
    codersBytes -= heldBytes;
  };
  if (raw.closed) close();
  else raw.once('close', close);
  return coder;
}

/**
 * For what is sent beside Fastify's own sending, before its headers are: sets those that tell of codings, and returns
 * what the bytes have to go through. @throws not_acceptable, busy
 */
export async function startCoding(budget: Budget, reply: FastifyReply): Promise<Coder | undefined> {
  noteVariants(reply);
  const told = reply.getHeader('content-length');
  const coding = codingOf(reply, told === undefined ? undefined : Number(told));
  if (!coding) return undefined;
  const coder = await coderOf(budget, reply, coding);
  if (coder) setCoding(reply, coding);
  return coder;
}

/** @throws not_acceptable where the client takes no answer as it is */
export function checkIdentity(reply: FastifyReply): void {
  codingOf(reply, undefined);
}

/** What Fastify sends: text, bytes or a stream. */
type Payload = string | Uint8Array | Readable | null | undefined;

export function registerCompression(app: FastifyInstance, budget: Budget): void {
  // Before anything is changed whose answer could not be told.
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    if (headers['accept-encoding'] !== undefined) checkAny(headers);
    done();
  });
  app.addHook<Payload>('onSend', (_request, reply, payload, done) => {
    noteVariants(reply);
    const coding = codingOf(reply, lengthOf(reply, payload));
    if (!coding) return done(null, payload);
    // oxlint-disable-next-line promise/no-callback-in-promise
    codedPayload(budget, reply, payload, coding).then(coded => done(null, coded), done);
  });
}

/** @throws not_acceptable */
function checkAny(headers: FastifyRequest['headers']): void {
  const { best, takesIdentity } = acceptedCodings(headers);
  if (best || takesIdentity) return;
  const names = [...CODINGS.map(({ name }) => name), 'identity'];
  fail(
    'not_acceptable',
    `Accept-Encoding: ${shown(headers['accept-encoding'])} refuses every coding that answers can be had in: ${listed(names)}. Leave identity;q=0 out, or name one of them.`,
    { available: names },
  );
}

function lengthOf(reply: FastifyReply, payload: Payload): number | undefined {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  if (payload instanceof Uint8Array) return payload.byteLength;
  const told = reply.getHeader('content-length');
  if (told !== undefined) return Number(told);
  // Nothing is sent, but where HEAD asks what GET would send.
  return payload || reply.request.method === 'HEAD' ? undefined : 0;
}

async function codedPayload(budget: Budget, reply: FastifyReply, payload: Payload, coding: Coding): Promise<Payload> {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const isShort = body instanceof Uint8Array && body.byteLength <= LIMITS.codedNowBytesMax;
  const now = isShort ? coding.codeNow(body) : undefined;
  if (reply.request.method === 'HEAD') {
    setCoding(reply, coding);
    if (now) reply.header('content-length', now.byteLength);
    if (body instanceof Readable) body.destroy();
    // Fastify would tell the length of anything but a stream.
    return body ? Readable.from([]) : body;
  }
  if (now) {
    setCoding(reply, coding);
    return now;
  }
  const coder = await coderOf(budget, reply, coding);
  if (!coder) return payload;
  setCoding(reply, coding);
  if (body instanceof Uint8Array && body.byteLength <= LIMITS.pieceBytesMax) {
    return Buffer.concat([await coder.write(body), await coder.end()]);
  }
  const source = body instanceof Uint8Array ? slicesOf(body) : (body as Readable);
  if (source instanceof Readable) reply.raw.once('close', () => source.destroy());
  return Readable.from(codedBytes(source, coder), { objectMode: false, highWaterMark: LIMITS.codedSliceBytes });
}

async function* slicesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += LIMITS.codedSliceBytes) {
    yield bytes.subarray(at, at + LIMITS.codedSliceBytes);
  }
}

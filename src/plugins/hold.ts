/** Memory of an answer that counts against the budget until its last byte is with the kernel, or the client is gone. */
import type { FastifyInstance, FastifyReply, preParsingHookHandler } from 'fastify';
import type { Budget } from '../budget.js';
import { GrowingMemory } from '../jobs/growing-memory.js';
import { clientOf } from './client.js';
import { signalOf } from './client-gone.js';
import { LIMITS } from '../limits.js';

/** Small answers pay nothing. @throws too_large, busy, cancelled */
export async function holdUntilSent(budget: Budget, reply: FastifyReply, bytes: number): Promise<void> {
  if (bytes <= LIMITS.inlineReadBytesMax) return;
  const { raw, request } = reply;
  const share = budget.of(clientOf(request));
  const release = share.tryTake(bytes) ?? (await share.take(bytes, signalOf(reply)));
  if (raw.closed) release();
  else raw.once('close', () => release());
}

/** Memory of an answer that grows while it is computed, in the same way. */
export function growUntilSent(
  budget: Budget,
  { raw, request }: FastifyReply,
  baseBytes: number,
  signal: AbortSignal,
): GrowingMemory {
  const memory = new GrowingMemory(budget.of(clientOf(request)), baseBytes, signal);
  if (raw.closed) memory.release();
  else raw.once('close', () => memory.release());
  return memory;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads its body as it comes, and counts it itself. */
    streamsBody?: boolean;
    /** The media types that it streams, the one to use first. */
    mediaTypes?: readonly string[];
  }
}

/** Bodies that are parsed whole take their memory before they are read, and once it is known who sends them. */
export function registerBodyHolding(app: FastifyInstance, budget: Budget): void {
  app.addHook('onRoute', route => {
    if (route.config?.streamsBody || !takesBody([route.method].flat())) return;
    const hold: preParsingHookHandler = (request, reply, payload, done) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.raw.headers;
      const bytes = encoding === undefined ? Number(length ?? 0) : LIMITS.requestBytesMax;
      // Small ones pay nothing; what is over the limit is refused before it is read.
      if (!(bytes > LIMITS.inlineReadBytesMax && bytes <= LIMITS.requestBytesMax)) return done(null, payload);
      // As bytes, as text, and as values. An async hook would cost every request a turn.
      // oxlint-disable-next-line promise/no-callback-in-promise
      holdUntilSent(budget, reply, 3 * bytes).then(() => done(null, payload), done);
    };
    route.preParsing = [hold, ...[route.preParsing ?? []].flat()];
  });
}

function takesBody(methods: readonly string[]): boolean {
  return methods.some(method => method !== 'GET' && method !== 'HEAD');
}

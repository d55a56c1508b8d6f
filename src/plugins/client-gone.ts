/**
 * How work learns that its client has hung up: what it waits for in a line, others may have.
 * Hazard: behind a body that nobody reads yet, and that is larger than the buffers on its way, the end of a connection
 * is not seen.
 */
import type { FastifyReply } from 'fastify';

/** A signal that fires when the client hangs up before its answer is complete. */
export function signalOf({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal {
  const controller = new AbortController();
  // While the caller was being identified, or its body read.
  if (raw.destroyed) controller.abort();
  // Of the response, not of the socket, which would gather a listener with every request of a kept connection.
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

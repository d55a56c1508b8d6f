/**
 * Arrays change their length while calls are read. A call sees the length that its file has when it comes; one that began
 * to look at an array before that moved, and had sent nothing, looks again, so that no answer has the elements of one
 * length and the generation of another.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { LengthMoved } from '../dataset/registration.js';

/** An array that is appended to all the time does not keep a call from its turn in the lock for longer. */
const LOOKS_MAX = 20;

export function registerPresentLength(app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    route.handler = lookingAgain(route.handler);
    if (!/\/:name(\/|$)/.test(route.url)) return;
    route.preHandler = [refreshed, ...[route.preHandler ?? []].flat()];
  });
}

/** Another program may have changed the length of the dataset that the call names. */
async function refreshed(request: FastifyRequest): Promise<void> {
  const { name } = request.params as { name: string };
  const dataset = request.datasets.has(name) ? request.datasets.get(name) : undefined;
  if (dataset && !dataset.isPresent) await dataset.refresh();
}

function lookingAgain(handler: RouteHandlerMethod): RouteHandlerMethod {
  return function again(request, reply) {
    // A body that was read is gone: such a route looks again itself, behind it.
    if (request.routeOptions.config.streamsBody) return handler.call(this, request, reply);
    return whileLengthMoves(reply, () => handler.call(this, request, reply));
  };
}

/** Does the work of a call anew where an array that it names has changed its length meanwhile. */
export function whileLengthMoves<T>(reply: FastifyReply, work: () => T | Promise<T>, looks = 1): T | Promise<T> {
  const orAgain = (error: unknown): T | Promise<T> => {
    if (!(error instanceof LengthMoved) || looks === LOOKS_MAX || reply.sent) throw error;
    return whileLengthMoves(reply, work, looks + 1);
  };
  try {
    const answered = work();
    return answered instanceof Promise ? answered.catch(orAgain) : answered;
  } catch (error) {
    return orAgain(error);
  }
}

/**
 * A dataset that is a file of a served folder is asked what it is now before the call on it goes on, so that an answer holds
 * nothing that was read before the call came. Names in bodies are asked where they are read.
 */
import type { FastifyInstance } from 'fastify';

export function registerLooking(app: FastifyInstance): void {
  app.addHook('preHandler', async request => {
    const { name } = (request.params ?? {}) as { readonly name?: string };
    if (name !== undefined) await request.datasets.look([name]);
  });
}

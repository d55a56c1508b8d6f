/**
 * A dataset that is a file of a served folder is asked what it is now before the call on it goes on, so that an answer holds
 * nothing that was read before the call came. Names in bodies are asked where they are read.
 */
import type { FastifyInstance } from 'fastify';

export function registerLooking(app: FastifyInstance): void {
  app.addHook('preHandler', (request, _reply, done) => {
    const { name } = (request.params ?? {}) as { readonly name?: string };
    const looking = name === undefined ? undefined : request.datasets.look([name]);
    if (looking === undefined) done();
    else looking.then(() => done(), done);
  });
}

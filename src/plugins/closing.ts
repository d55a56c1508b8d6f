/** While the service shuts down, what is under way is finished, what is new is refused, and what dawdles is cut. */
import type { FastifyInstance } from 'fastify';
import { fail } from '../errors.js';

/** Time that answers under way get before their connections are cut; less than the process gives itself. */
const CUT_AFTER_MS = 5000;

export function registerClosing(app: FastifyInstance): void {
  let closing = false;
  let cut: NodeJS.Timeout | undefined;
  app.addHook('onRequest', (_request, _reply, done) => {
    if (closing) fail('shutting_down', 'The service is shutting down. Repeat the request in a moment.');
    done();
  });
  app.addHook('preClose', done => {
    closing = true;
    cut = setTimeout(() => app.server.closeAllConnections(), CUT_AFTER_MS);
    done();
  });
  app.addHook('onClose', (_instance, done) => {
    clearTimeout(cut);
    done();
  });
}

/**
 * While the service shuts down, what is under way is finished, what is new is refused, and what dawdles is cut. Jobs
 * would take too long: they are cancelled, which ends their event streams too. Who follows datasets is let go.
 */
import type { FastifyInstance } from 'fastify';
import { fail } from '../errors.js';
import type { Context } from '../context.js';

/** Time that answers under way get before their connections are cut; less than the process gives itself. */
const CUT_AFTER_MS = 2500;

export function registerClosing(app: FastifyInstance, { jobs, following }: Pick<Context, 'jobs' | 'following'>): void {
  let closing = false;
  let cut: NodeJS.Timeout | undefined;
  app.addHook('onRequest', (_request, _reply, done) => {
    if (closing) fail('shutting_down', 'The service is shutting down. Repeat the request in a moment.');
    done();
  });
  app.addHook('preClose', done => {
    closing = true;
    following.close();
    const cutJobs = jobs.close();
    if (cutJobs.running.length > 0 || cutJobs.queued.length > 0) app.log.warn(cutJobs, 'jobs were cut by the shutdown');
    cut = setTimeout(() => app.server.closeAllConnections(), CUT_AFTER_MS);
    done();
  });
  app.addHook('onClose', (_instance, done) => {
    clearTimeout(cut);
    done();
  });
}

/**
 * One line per request: id, dataset, bytes, milliseconds. Successes at debug, refusals at info, failures at error.
 * Headers and bodies are never logged: they may hold secrets and data.
 */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Principal } from '../access/principal.js';

export function registerLogging(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { statusCode } = reply;
    // 503 and 507 tell of load and full disks: to be noticed, but not a fault of the service.
    const level =
      statusCode === 503 || statusCode === 507
        ? 'warn'
        : statusCode >= 500
          ? 'error'
          : statusCode >= 400
            ? 'info'
            : 'debug';
    if ((request.log as Partial<Pick<Logger, 'isLevelEnabled'>>).isLevelEnabled?.(level)) {
      const bytes = Number(reply.getHeader('content-length'));
      request.log[level](
        {
          method: request.method,
          route: request.routeOptions.url,
          ...by(request.principal),
          dataset: (request.params as { name?: string } | undefined)?.name,
          status: statusCode,
          ...(bytes >= 0 && { bytes }),
          ms: Math.round(reply.elapsedTime * 100) / 100,
        },
        'request',
      );
    }
    done();
  });
}

/** Who asked, where the service asks. */
function by(principal: Principal | null): object {
  return principal === null || principal.kind === 'open' ? {} : { by: principal.id };
}

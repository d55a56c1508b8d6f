/**
 * One line per request: who asked from where, dataset, bytes, milliseconds. Successes at debug, refusals at info, failures
 * at error. One line at info for each change of what is served.
 * Headers and bodies are never logged: they may hold secrets and data.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { claimedKey } from '../access/keys.js';

/** What can happen to a dataset, as the log calls it. */
export type DatasetChange = 'created' | 'registered' | 'imported' | 'replaced' | 'changed' | 'forgotten' | 'deleted';

/** Notes a change of what is served: who made it, and which dataset it is about; one that was quarantined has no id. */
export function logChange(
  request: FastifyRequest,
  change: DatasetChange,
  { name, id }: { name: string; id?: string | undefined },
): void {
  request.log.info({ change, dataset: name, id, ...whoAsks(request) }, `dataset ${change}`);
}

export function registerLogging(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const level = levelOf(reply.statusCode);
    if ((request.log as Partial<Pick<Logger, 'isLevelEnabled'>>).isLevelEnabled?.(level)) {
      const bytes = Number(reply.getHeader('content-length'));
      request.log[level](
        {
          method: request.method,
          route: request.routeOptions.url,
          ...whoAsks(request),
          dataset: (request.params as { name?: string } | undefined)?.name,
          status: reply.statusCode,
          ...(bytes >= 0 && { bytes }),
          ms: Math.round(reply.elapsedTime * 100) / 100,
        },
        'request',
      );
    }
    done();
  });
}

/** 503 and 507 tell of load and full disks: to be noticed, but not a fault of the service. */
function levelOf(status: number): 'debug' | 'info' | 'warn' | 'error' {
  if (status === 503 || status === 507) return 'warn';
  return status >= 500 ? 'error' : status >= 400 ? 'info' : 'debug';
}

/** The address, and the key or token as far as it is known; of one that did not hold, the id that it claimed. */
function whoAsks({ ip, principal, headers }: FastifyRequest): object {
  const claimed = principal?.kind === 'key' ? undefined : claimedKey(headers.authorization);
  return { client: ip, by: principal?.id, ...(claimed !== undefined && { claimed_key: claimed }) };
}

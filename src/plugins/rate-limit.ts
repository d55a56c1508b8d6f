/**
 * Requests a minute, for each key or token, else for each address (IPv6: for each /64). Counts are kept for a bounded
 * number of callers; those not seen for longest are forgotten.
 */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { hasCredentials, type Principal } from '../access/principal.js';
import { HyperslabError } from '../errors.js';

const WINDOW_SECONDS = 60;
const CALLERS_MAX = 10_000;

/** Counts a request, and resolves to the error that answers it when there were too many. */
export type Limiter = (request: FastifyRequest, principal: Principal) => Promise<Error | undefined>;

/** `max` requests a minute; 0 is no limit. */
export async function makeLimiter(app: FastifyInstance, max: number): Promise<Limiter | undefined> {
  if (max === 0) return undefined;
  await app.register(rateLimit, { global: false });
  const options = { max, timeWindow: WINDOW_SECONDS * 1000, cache: CALLERS_MAX };
  const byAddress = app.createRateLimit(options);
  const byCaller = app.createRateLimit({
    ...options,
    keyGenerator: ({ principal }) => `${principal.kind}:${principal.owner ?? principal.id}`,
  });
  return async (request, principal) => {
    const limit = await (hasCredentials(principal) ? byCaller(request) : byAddress(request));
    if (limit.isAllowed || !limit.isExceeded) return undefined;
    const seconds = Math.max(1, limit.ttlInSeconds);
    return new HyperslabError(
      'too_many_requests',
      `${max} ${max === 1 ? 'request' : 'requests'} a minute may come, and more did. Repeat in ${seconds} s, or send fewer, larger ones.`,
      { limit: max, window_seconds: WINDOW_SECONDS, retry_after_seconds: seconds },
    );
  };
}

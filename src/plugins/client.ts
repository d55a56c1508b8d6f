/** Who shares are counted for: a key, a token's owner, or the address (IPv6: the /64) of whoever shows neither. */
import type { FastifyRequest } from 'fastify';
import { networkOf } from '../access/addresses.js';
import { hasCredentials } from '../access/principal.js';
import type { ClientContext, Context } from '../context.js';

export function clientOf({ principal, ip }: FastifyRequest): string {
  return hasCredentials(principal) ? `${principal.kind}:${principal.owner ?? principal.id}` : networkOf(ip);
}

/** What the requests of its client work with. */
export function ofClient(context: Context, request: FastifyRequest): ClientContext {
  const client = clientOf(request);
  return { ...context, budget: context.budget.of(client), workers: context.pool.of(client) };
}

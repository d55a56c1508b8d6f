/** Who shares are counted for: a key, a token's owner, or the address (IPv6: the /64) of whoever shows neither. */
import type { FastifyRequest } from 'fastify';
import { networkOf } from '../access/addresses.js';
import { hasCredentials } from '../access/principal.js';
import type { Budget } from '../budget.js';

export function clientOf({ principal, ip }: FastifyRequest): string {
  return hasCredentials(principal) ? `${principal.kind}:${principal.owner ?? principal.id}` : networkOf(ip);
}

/** The same things to work with, with the client's share in place of the whole budget. */
export function ofClient<T extends { readonly budget: Budget }>(whole: T, request: FastifyRequest): T {
  return { ...whole, budget: whole.budget.of(clientOf(request)) };
}

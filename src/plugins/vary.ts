/** `Vary`: the headers of requests that an answer depends on, beside its address. */
import type { FastifyReply } from 'fastify';

export function addVary(reply: FastifyReply, name: string): void {
  const before = reply.getHeader('vary') as string | undefined;
  if (before === undefined) reply.header('vary', name);
  else if (!before.split(', ').includes(name)) reply.header('vary', `${before}, ${name}`);
}

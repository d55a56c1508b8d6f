/** What becomes of the body of a request that is refused before all of it was read. */
import type { FastifyReply } from 'fastify';
import { LIMITS } from '../limits.js';
import type { BodyReader } from '../transfer/body.js';

/**
 * Reads and drops the rest within bounds, so that its sender sees the answer and the connection can be used again; a
 * rest that is too long or too slow ends the connection.
 */
export async function dropBody(body: BodyReader, reply: FastifyReply): Promise<void> {
  if (!(await body.drain(LIMITS.drainBytesMax, LIMITS.drainMsMax))) reply.header('connection', 'close');
}

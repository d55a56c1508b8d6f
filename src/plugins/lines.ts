/**
 * Sending lines as they come, with back-pressure: the next line is asked for when the kernel has the one before.
 * Hazard: after the headers an error can only cut the connection.
 */
import type { FastifyReply } from 'fastify';
import { ConnectionClosed, writeBytes } from './stream.js';

export interface Line {
  readonly text: string;
  /** Gives back the memory of the line; must be called in the end. */
  readonly release: () => void;
}

/** Takes the reply over, sends every line, and ends or destroys the connection. */
export async function streamLines(reply: FastifyReply, lines: AsyncIterable<Line>): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  try {
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    for await (const { text, release } of lines) {
      try {
        await writeBytes(raw, Buffer.from(text));
      } finally {
        release();
      }
    }
    raw.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) reply.log.info({ err: error }, 'answer cut');
    raw.destroy();
  }
}

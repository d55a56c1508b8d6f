/**
 * Sending lines as they come, with back-pressure: the next line is asked for when the kernel has the one before.
 * Hazard: after the headers an error can only cut the connection.
 */
import type { FastifyReply } from 'fastify';
import type { Budget } from '../budget.js';
import { codedBytes } from './coder.js';
import { startCoding } from './compression.js';
import { ConnectionClosed, writeBytes } from './stream.js';

export interface Line {
  readonly text: string;
  /** Gives back the memory of the line; must be called in the end. */
  readonly release: () => void;
}

/** Takes the reply over, sends every line, and ends or destroys the connection. */
export async function streamLines(budget: Budget, reply: FastifyReply, lines: AsyncIterable<Line>): Promise<void> {
  const { raw } = reply;
  const coder = await startCoding(budget, reply);
  reply.hijack();
  try {
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    const bytes = bytesOf(lines);
    for await (const each of coder ? codedBytes(bytes, coder) : bytes) await writeBytes(raw, each);
    raw.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) reply.log.info({ err: error }, 'answer cut');
    raw.destroy();
  }
}

/** A line counts as held until the next is asked for: it is with the kernel then, or in the coding. */
async function* bytesOf(lines: AsyncIterable<Line>): AsyncGenerator<Uint8Array> {
  for await (const { text, release } of lines) {
    try {
      yield Buffer.from(text);
    } finally {
      release();
    }
  }
}

/**
 * Sending pieces of bytes to a socket with back-pressure: the next piece is read while the last one is on its way, and
 * no third one exists. Hazard: after the headers an error can only cut the connection; Content-Length shows the cut.
 */
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { PieceReader } from '../dataset/read.js';

/** Takes the reply over, sends head and pieces, and ends or destroys the connection. */
export async function streamPieces(
  reply: FastifyReply,
  head: Uint8Array | undefined,
  pieces: PieceReader,
): Promise<void> {
  const { raw } = reply;
  try {
    // Errors of the first piece can still be answered with a status.
    let piece = await pieces.next();
    reply.hijack();
    pieces.onChange(() => raw.destroy());
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    if (head) raw.write(head);
    while (piece) {
      const sent = write(raw, piece);
      // Awaited after `sent`; an error must not be taken for unhandled meanwhile.
      const following = pieces.next();
      following.catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop
      await sent;
      // oxlint-disable-next-line no-await-in-loop
      piece = await following;
    }
    raw.end();
  } catch (error) {
    if (!reply.sent) throw error;
    if (!(error instanceof ConnectionClosed)) reply.log.info({ err: error }, 'answer cut');
    raw.destroy();
  } finally {
    pieces.close();
  }
}

class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
}

/** Resolves when the kernel has the bytes and their memory may be used again. */
function write(raw: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (raw.destroyed) {
      reject(new ConnectionClosed());
      return;
    }
    const onClose = (): void => reject(new ConnectionClosed());
    raw.once('close', onClose);
    raw.write(bytes, error => {
      raw.off('close', onClose);
      if (error) reject(new ConnectionClosed());
      else resolve();
    });
  });
}

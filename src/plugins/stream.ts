/**
 * Sending pieces of bytes to a socket with back-pressure, in a coding where there is one. A client gets small pieces, one at a time, until it has shown
 * that it reads; from then on large ones, of which the next is read while the last is on its way. One that slows down
 * goes back to small pieces, so that a thousand slow ones hold little.
 * Hazard: after the headers an error can only cut the connection; Content-Length shows the cut.
 */
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Budget } from '../budget.js';
import type { PieceReader } from '../dataset/read.js';
import { LIMITS } from '../limits.js';
import { clientOf } from './client.js';
import { codedPieces } from './coder.js';
import { startCoding } from './compression.js';

/** A piece that takes longer than this for each megabyte, or less than one, is a sign of a slow client. */
const FAST_MEGABYTE_MS = 250;

/** Takes the reply over, sends head and pieces, and ends or destroys the connection. */
export async function streamPieces(
  reply: FastifyReply,
  head: Uint8Array | undefined,
  plain: PieceReader,
  budget: Budget,
): Promise<void> {
  const { raw } = reply;
  const pace = new Pace(budget.of(clientOf(reply.request)), plain.bytesMax);
  let pieces = plain;
  try {
    const coder = await startCoding(budget, reply);
    if (coder) pieces = codedPieces(plain, coder, head);
    // Errors of the first piece can still be answered with a status.
    let piece = await pieces.next(pace.pieceBytes);
    reply.hijack();
    pieces.onChange(() => raw.destroy());
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
    if (head && !coder) raw.write(head);
    while (piece) {
      const started = performance.now();
      const sent = writeBytes(raw, piece);
      // Awaited after `sent`; an error must not be taken for unhandled meanwhile.
      const following = pace.isFast ? pieces.next(pace.pieceBytes) : undefined;
      following?.catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop
      await sent;
      pace.sent(piece.byteLength, performance.now() - started);
      // oxlint-disable-next-line no-await-in-loop
      piece = await (following ?? pieces.next(pace.pieceBytes));
    }
    raw.end();
  } catch (error) {
    if (!reply.sent) {
      reply.removeHeader('content-encoding');
      throw error;
    }
    if (!(error instanceof ConnectionClosed)) reply.log.info({ err: error }, 'answer cut');
    raw.destroy();
  } finally {
    pace.close();
    pieces.close();
  }
}

/** How large the pieces for one client are. Large ones, and reading ahead, are paid for from the budget. */
class Pace {
  readonly #budget: Budget;
  readonly #largeBytes: number;
  #provenBytes = 0;
  #release: (() => void) | undefined;

  constructor(budget: Budget, largeBytes: number = LIMITS.pieceBytesMax) {
    this.#budget = budget;
    this.#largeBytes = largeBytes;
  }

  get isFast(): boolean {
    return this.#release !== undefined;
  }

  get pieceBytes(): number {
    return this.isFast ? this.#largeBytes : LIMITS.firstPieceBytes;
  }

  sent(bytes: number, tookMs: number): void {
    if (tookMs > FAST_MEGABYTE_MS * Math.max(1, bytes / LIMITS.pieceBytesMax)) {
      this.#provenBytes = 0;
      this.close();
      return;
    }
    this.#provenBytes += bytes;
    if (this.#provenBytes >= LIMITS.provenBytes) this.#release ??= this.#budget.tryTake(2 * this.#largeBytes);
  }

  close(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
}

/** Resolves when the kernel has the bytes and their memory may be used again. */
export function writeBytes(raw: ServerResponse, bytes: Uint8Array): Promise<void> {
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

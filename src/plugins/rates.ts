/**
 * Clients that send or read too slowly are let go: what they hold (a lock, a name, memory) others wait for. What counts
 * is a rate over a window, never a total, so that a body of any size may take as long as it takes. One sweep a second
 * looks at all connections; a request pays nothing for it.
 * Hazard: only the client's share counts. While the service has not taken what was sent, or has nothing to send, time
 * does not run.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { HyperslabError } from '../errors.js';

export interface RateLimits {
  readonly bytesPerSecond: number;
  readonly windowSeconds: number;
}

/** Where a count of bytes stood when its window began. */
interface Mark {
  startedMs: number;
  bytes: number;
}

interface Upload extends Mark {
  readonly reply: FastifyReply;
  /** The request was told; when another window passes, the connection is cut. */
  told: boolean;
}

/** Node's own name of the handle of a connection, which has no public one: only it tells how far a large write is. */
const HANDLE = '_handle';
interface Handle {
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
}

const SWEEP_MS_MAX = 1000;
/** A sweep that is this late means that the process or the machine slept, and no client is to blame. */
const LATE_FACTOR = 5;

const enders = new WeakMap<IncomingMessage, (error: HyperslabError) => void>();

/** Says how a request that reads its own body is told that the client is too slow. */
export function whenTooSlow(raw: IncomingMessage, end: (error: HyperslabError) => void): void {
  enders.set(raw, end);
}

export function registerRates(app: FastifyInstance, limits: RateLimits): void {
  const readers = new Map<Socket, Mark | undefined>();
  const uploads = new Map<IncomingMessage, Upload>();
  app.server.on('connection', socket => {
    readers.set(socket, undefined);
    socket.once('close', () => readers.delete(socket));
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (hasBody(request)) {
      uploads.set(request.raw, {
        reply,
        told: false,
        startedMs: performance.now(),
        bytes: request.raw.socket.bytesRead,
      });
    }
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    if (uploads.size > 0 && request.raw.complete) uploads.delete(request.raw);
    done();
  });

  const windowMs = 1000 * limits.windowSeconds;
  const sweepMs = Math.min(SWEEP_MS_MAX, windowMs / 4);
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const wasAsleep = nowMs - lastMs > LATE_FACTOR * sweepMs;
    lastMs = nowMs;
    for (const [socket, mark] of readers) readers.set(socket, wasAsleep ? undefined : judgeReader(socket, mark, nowMs));
    for (const [raw, upload] of uploads) {
      if (raw.complete || raw.socket.destroyed) uploads.delete(raw);
      else if (wasAsleep || raw.readableLength > 0) restart(upload, nowMs, raw.socket.bytesRead);
      else judgeUpload(raw, upload, nowMs);
    }
  }, sweepMs);
  timer.unref();
  app.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    done();
  });

  /** Undefined while nothing waits for the client. */
  function judgeReader(socket: Socket, mark: Mark | undefined, nowMs: number): Mark | undefined {
    const handle = (socket as unknown as { readonly [HANDLE]?: Handle | null })[HANDLE];
    if (!handle || handle.writeQueueSize === 0) return undefined;
    const takenBytes = handle.bytesWritten - handle.writeQueueSize;
    if (!mark) return { startedMs: nowMs, bytes: takenBytes };
    if (nowMs - mark.startedMs < windowMs) return mark;
    if (isFastEnough(mark, nowMs, takenBytes)) return { startedMs: nowMs, bytes: takenBytes };
    app.log.info({ bytes: takenBytes, queued: handle.writeQueueSize }, 'a client that reads too slowly was cut');
    socket.destroy();
    return undefined;
  }

  function judgeUpload(raw: IncomingMessage, upload: Upload, nowMs: number): void {
    if (nowMs - upload.startedMs < windowMs) return;
    const isFast = isFastEnough(upload, nowMs, raw.socket.bytesRead);
    restart(upload, nowMs, raw.socket.bytesRead);
    if (isFast && !upload.told) return;
    if (upload.told) raw.socket.destroy();
    else tell(raw, upload);
  }

  /** Ends the reading of a body, so that the request is answered like any that fails; else the connection. */
  function tell(raw: IncomingMessage, upload: Upload): void {
    upload.told = true;
    const { bytesPerSecond, windowSeconds } = limits;
    const error = new HyperslabError(
      'too_slow',
      `The body came with less than ${bytesPerSecond} bytes a second for ${windowSeconds} s. Send it faster, or in parts.`,
      { bytes_per_second: bytesPerSecond, seconds: windowSeconds },
    );
    const end = enders.get(raw);
    if (end) end(error);
    // Fastify reads the body itself and answers what goes wrong.
    else if (!upload.reply.sent && raw.listenerCount('error') > 0) raw.emit('error', error);
    else raw.socket.destroy();
  }

  function isFastEnough(mark: Mark, nowMs: number, bytes: number): boolean {
    const moved = bytes - mark.bytes;
    return moved > 0 && moved >= ((nowMs - mark.startedMs) / 1000) * limits.bytesPerSecond;
  }
}

function restart(mark: Mark, nowMs: number, bytes: number): void {
  mark.startedMs = nowMs;
  mark.bytes = bytes;
}

function hasBody({ raw: { headers } }: FastifyRequest): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

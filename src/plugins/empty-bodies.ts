/**
 * A body of no bytes is no body, whatever Content-Type, Content-Length or Transfer-Encoding say of it: some clients name
 * a media type in every request. Calls that need a body say so themselves.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { unsupportedMediaType } from './body-faults.js';

/** False where the head of a request already says that nothing follows. */
export function mayHaveBody({ 'content-length': length, 'transfer-encoding': encoding }: IncomingHttpHeaders): boolean {
  return encoding !== undefined || !(length === undefined || /^0+$/.test(length));
}

type Done = (error: Error | null, body?: undefined) => void;

/** Takes bodies of media types that have no parser, as long as they are empty. `onEmpty` may refuse them, too. */
export function takeEmptyBodies(scope: FastifyInstance, onEmpty: () => Error | null = () => null): void {
  scope.addContentTypeParser('*', (request: FastifyRequest, payload: Readable, done: Done) => {
    const end = (error: Error | null): void => {
      payload.off('data', refuse).off('end', accept).off('error', end);
      // What follows is dropped.
      payload.resume();
      done(error);
    };
    const refuse = (): void => end(unsupportedMediaType(request));
    const accept = (): void => end(onEmpty());
    // A length says at once that there is something.
    if (request.headers['transfer-encoding'] === undefined) return done(unsupportedMediaType(request));
    payload.on('data', refuse).on('end', accept).on('error', end);
  });
}

/** Routes whose bodies are not parsed but read as they come, and counted by whoever reads them. */
import type { FastifyRequest } from 'fastify';
import type { App } from './app-type.js';
import { fail } from '../src/errors.js';

/** Adds routes in a scope where the media types given pass through unparsed and all others are refused. */
export function streamedBodies(app: App, mediaTypes: string[], add: (scope: App) => void): void {
  app.register(async scope => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(mediaTypes, (_request, payload, done) => done(null, payload));
    add(scope);
  });
}

/** Content-Length, or undefined for a chunked body. */
export function bodyLength(request: FastifyRequest): number | undefined {
  const text = request.headers['content-length'];
  if (text === undefined) return undefined;
  const length = Number(text);
  return Number.isSafeInteger(length) ? length : fail('too_large', 'Content-Length is beyond what can be counted.');
}

/** Routes whose bodies are not parsed but read as they come, and counted by whoever reads them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from './app-type.js';
import { fail, HyperslabError } from '../src/errors.js';
import { BodyReader } from '../src/transfer/body.js';
import { mayHaveBody, takeEmptyBodies } from '../src/plugins/empty-bodies.js';
import { contentTypeOf } from '../src/plugins/negotiate.js';
import { whenTooSlow } from '../src/plugins/rates.js';
import { dropBody } from '../src/plugins/refused-body.js';

/** Adds routes in a scope where the media types given pass through unparsed and all others are refused. */
export function streamedBodies(app: App, mediaTypes: string[], add: (scope: App) => void): void {
  app.register(async scope => {
    scope.removeAllContentTypeParsers();
    scope.addHook('onRoute', route => {
      route.config = { ...route.config, streamsBody: true, mediaTypes };
    });
    scope.addContentTypeParser(mediaTypes, (_request, payload, done) => done(null, payload));
    const missing = (): HyperslabError =>
      new HyperslabError('bad_request', `The call needs a body, as Content-Type ${mediaTypes.join(' or ')}.`);
    takeEmptyBodies(scope, missing);
    scope.addHook('onRequest', (request, _reply, done) => {
      const isKnown = mediaTypes.includes(contentTypeOf(request) ?? '');
      done(isKnown || mayHaveBody(request.raw.headers) ? undefined : missing());
    });
    add(scope);
  });
}

/** Reads the body of a request with `work`. What that leaves of it is dropped. */
export async function withBody<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: (body: BodyReader) => Promise<T>,
): Promise<T> {
  const body = new BodyReader(request.raw);
  whenTooSlow(request.raw, error => body.abort(error));
  try {
    return await work(body);
  } finally {
    await dropBody(body, reply);
  }
}

/** Content-Length, or undefined for a chunked body. */
export function bodyLength(request: FastifyRequest): number | undefined {
  const text = request.headers['content-length'];
  if (text === undefined) return undefined;
  const length = Number(text);
  return Number.isSafeInteger(length)
    ? length
    : fail(
        'too_large',
        `Content-Length is ${text.slice(0, 60)}; bodies have at most ${Number.MAX_SAFE_INTEGER} bytes. Send it in parts.`,
      );
}

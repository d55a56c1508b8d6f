/**
 * Schema validation. Texts of a query or path are converted to the types that the schema names; a JSON body is taken
 * as it is, so that "5" is never 5. Unknown members are refused: a typing error must not read as "everything".
 */
import { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { keepDigits } from './exact-members.js';

export function registerValidation(app: FastifyInstance, components: readonly TSchema[]): void {
  const options = { allErrors: false, useDefaults: true, strict: false, schemas: [...components] };
  const texts = new Ajv({ ...options, coerceTypes: true });
  const bodies = new Ajv({ ...options, coerceTypes: false });
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? bodies : texts).compile(schema as object));
  // What is not JSON has routes of its own; Fastify would take text/plain as a string.
  app.removeContentTypeParser('text/plain');
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string' },
    (request, text, done) => {
      void parse(request, text, (error, value) => {
        if (error) return done(error);
        try {
          checkDepth(value);
          keepDigits(value, text, request.routeOptions.config.exactMembers ?? []);
        } catch (fault) {
          return done(fault as Error);
        }
        done(null, value);
      });
    },
  );
  app.addHook('onRequest', (request, _reply, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      fail(
        'unsupported_media_type',
        `Bodies are taken as they are, not in Content-Encoding ${encoding.slice(0, 40)}. Send it plain.`,
      );
    }
    done();
  });
}

/**
 * Refuses nesting that a recursion over it, such as JSON.stringify, would not survive. Level by level, so that it needs
 * no stack itself.
 */
function checkDepth(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > LIMITS.jsonDepthMax) {
      fail('bad_request', `The body is nested deeper than ${LIMITS.jsonDepthMax} levels. Flatten it.`, {
        limit: LIMITS.jsonDepthMax,
      });
    }
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each === 'object' && each !== null) for (const member of Object.values(each)) next.push(member);
    }
    level = next;
  }
}

/**
 * Schema validation. Texts of a query or path are converted to the types that the schema names; a JSON body is taken
 * as it is, so that "5" is never 5. Unknown members are refused: a typing error must not read as "everything". Empty ones
 * are absent where they can be.
 */
import type { IncomingMessage } from 'node:http';
import { Ajv } from 'ajv';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { fail, HyperslabError } from '../errors.js';
import { CHARACTERS_PER_TURN, parseInTurns, stringifyExactJson } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { shown } from '../shown.js';
import { BodyReader } from '../transfer/body.js';
import { isTurnOver, runTurns } from '../turns.js';
import { tooLarge, unreadable } from './body-faults.js';
import { absentMembers, requiredMembers } from './absent-members.js';
import { mayHaveBody, takeEmptyBodies } from './empty-bodies.js';
import { takeNoOtherParameters, textValidator, type Verdict } from './texts.js';
import { whenTooSlow } from './rates.js';
import { hasDigitsToKeep, keepDigits } from './exact-members.js';

/** Told to generators; nothing is checked by them. */
const TOLD_FORMATS = { int32: true, int64: true, double: true, binary: true, 'date-time': true } as const;

export function registerValidation(app: FastifyInstance, components: readonly TSchema[]): void {
  const options = {
    allErrors: false,
    useDefaults: true,
    strict: false,
    // Faults are told with the schema and the value that they are about.
    verbose: true,
    // Our schemas are right, as tests find: to look at them took a quarter of a second of each start.
    meta: false,
    validateSchema: false,
    formats: TOLD_FORMATS,
    schemas: [...components],
  };
  const texts = new Ajv({ ...options, coerceTypes: true });
  takeNoOtherParameters(app);
  const bodies = new Ajv({ ...options, coerceTypes: false });
  app.setValidatorCompiler(({ schema, httpPart }) =>
    httpPart === 'body'
      ? whenUsed(() => bodyValidator(bodies, schema as object))
      : whenUsed(() => textValidator(texts, schema as object)),
  );
  // Metadata keeps the digits of its integers.
  app.setSerializerCompiler(() => stringifyExactJson);
  // What is not JSON has routes of its own; Fastify would take text/plain as a string.
  app.removeContentTypeParser('text/plain');
  app.removeContentTypeParser('application/json');
  const parseWithCallback = app.getDefaultJsonParser('error', 'error');
  const parse: JsonParser = (request, text) => {
    let parsed: { error: Error | null; value: unknown } | undefined;
    void parseWithCallback(request, text, (error, value) => (parsed = { error, value }));
    if (!parsed || parsed.error) throw parsed?.error ?? new Error('the parser of JSON answers at once');
    return parsed.value;
  };
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    async (request: FastifyRequest, payload: IncomingMessage) => readJson(request, payload, parse),
  );
  takeEmptyBodies(app);
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw;
    if (!mayHaveBody(headers)) {
      // Whoever streams its body looks at the type itself.
      if (headers['content-type'] !== undefined && !request.routeOptions.config.streamsBody) {
        delete headers['content-type'];
      }
      return done();
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
      fail(
        'unsupported_media_type',
        `The body comes with Content-Encoding ${shown(encoding)}; bodies are taken as they are. Send it plain, without that header.`,
      );
    }
    done();
  });
}

/** A validator that is compiled by the first request that needs it, in a few milliseconds: a start needs none. */
function whenUsed<T>(compile: () => (value: T) => Verdict): (value: T) => Verdict {
  let validate: ((value: T) => Verdict) | undefined;
  return value => (validate ??= compile())(value);
}

type JsonParser = (request: FastifyRequest, text: string) => unknown;

/** The value of a body; null where there is none. @throws too_large, bad_request */
async function readJson(request: FastifyRequest, payload: IncomingMessage, parse: JsonParser): Promise<unknown> {
  const { bodyLimit, config } = request.routeOptions;
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw tooLarge(request);
  const body = new BodyReader(payload);
  whenTooSlow(request.raw, error => body.abort(error));
  const bytes = await body.everything(bodyLimit + 1);
  if (bytes.byteLength > bodyLimit) throw tooLarge(request);
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') return null;
  await runTurns(checkShape(text));
  const value = await runTurns(parseInTurns(text, stretch => parse(request, stretch))).catch(() => {
    throw unreadable(text);
  });
  const { exactMembers = [] } = config;
  if (hasDigitsToKeep(text, exactMembers)) await keepDigits(value, text, exactMembers);
  return value;
}

/** Fastify shows a body that is missing as null. */
function bodyValidator(ajv: Ajv, schema: object): (body: unknown) => Verdict {
  const validate = ajv.compile(schema);
  const dropAbsent = absentMembers(ajv, schema);
  const required = requiredMembers(ajv, schema);
  const wanted = required.length > 0 ? ` with ${required.map(name => `"${name}"`).join(', ')}` : '';
  return body => {
    if (body === null) {
      const detail = `The call needs a body: a JSON object${wanted}. Send it with the header content-type: application/json.`;
      return { error: new HyperslabError('bad_request', detail) };
    }
    dropAbsent(body);
    if (validate(body)) return { value: body };
    return { error: Object.assign(new Error('validation'), { validation: validate.errors }) };
  };
}

/**
 * Refuses nesting that a recursion over it, such as JSON.stringify, would not survive, and very many members or
 * objects, which V8 takes tens of milliseconds to list and to move. This comes before the text is parsed.
 */
function* checkShape(text: string): Generator<void, void> {
  let depth = 0;
  let isString = false;
  /** For each level of nesting: the colons in the object there. */
  const members: number[] = [];
  let containers = 0;
  for (let i = 0; i < text.length; i++) {
    if (isTurnOver(i, CHARACTERS_PER_TURN)) yield;
    const code = text.charCodeAt(i);
    if (code === QUOTE) isString = !isString;
    else if (isString) i += code === BACKSLASH ? 1 : 0;
    else if (code === LIST || code === OBJECT) {
      members[++depth] = 0;
      if (++containers > LIMITS.jsonContainersMax) {
        failMany('The body has', 'lists and objects', LIMITS.jsonContainersMax);
      }
    } else if (code === LIST_END || code === OBJECT_END) depth--;
    else if (code === COLON && ++members[depth]! > LIMITS.jsonMembersMax) {
      failMany('An object of the body has', 'members', LIMITS.jsonMembersMax);
    }
    if (depth > LIMITS.jsonDepthMax) {
      fail('bad_request', `The body is nested deeper than ${LIMITS.jsonDepthMax} levels. Flatten it.`, {
        limit: LIMITS.jsonDepthMax,
      });
    }
  }
}

function failMany(what: string, of: string, limit: number): never {
  fail('too_large', `${what} more than ${limit} ${of}. Send fewer in one call, or values as a dataset.`, { limit });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const LIST = 0x5b;
const LIST_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

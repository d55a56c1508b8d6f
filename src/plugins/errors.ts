/** Every error as application/problem+json (RFC 9457). */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fromSystemError } from '../file/system-errors.js';
import { ofRequest } from './body-faults.js';
import { wordsOf } from './schema-faults.js';
import { traffic } from '../traffic.js';
import { ERRORS, HyperslabError, type ErrorCode, type ErrorValues } from '../errors.js';

export const PROBLEM_TYPE = 'application/problem+json';

/** A problem document. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly [value: string]: unknown;
}

/** The problem document of any error; what is not ours to tell becomes `internal`. */
export function problemOf(error: unknown): Problem {
  const { code, message, values } = translate(error);
  return {
    type: `urn:hyperslab:problem:${code}`,
    title: ERRORS[code].title,
    status: ERRORS[code].status,
    detail: message,
    code,
    ...values,
  };
}

/** Codes of requests whose bodies are not read to their end. */
const LEAVES_BODIES: ReadonlySet<ErrorCode> = new Set(['too_slow', 'too_large']);

export function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = problemOf(error);
  countProblem(problem);
  const retryAfter = problem['retry_after_seconds'] ?? ERRORS[problem.code].retryAfterSeconds;
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  const challenge = challengeOf(problem);
  if (challenge !== undefined) reply.header('www-authenticate', challenge);
  if (problem.code === 'range_not_satisfiable') reply.header('content-range', `bytes */${String(problem['size'])}`);
  // The rest of a body is not waited for.
  if (LEAVES_BODIES.has(problem.code) && !reply.request.raw.complete) reply.header('connection', 'close');
  // What the log calls this request.
  reply.header('x-request-id', reply.request.id);
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

export function countProblem({ code, reason }: Problem): void {
  traffic.problems[code] = (traffic.problems[code] ?? 0) + 1;
  if (code === 'unauthenticated' && reason === 'invalid_token') traffic.refusedCredentials++;
}

/** What RFC 6750 says about credentials that are missing (no error word), do not hold, or do not suffice. */
function challengeOf({ code, reason, scope }: Problem): string | undefined {
  const realm = 'Bearer realm="hyperslab"';
  if (code === 'unauthenticated') return reason === 'missing' ? realm : `${realm}, error="invalid_token"`;
  if (code !== 'forbidden') return undefined;
  return `${realm}, error="insufficient_scope"${typeof scope === 'string' ? `, scope="${scope}"` : ''}`;
}

export function registerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const fault = ofRequest(error, request);
    // A client that hung up cannot be told anything, and is no fault of the service.
    if (request.raw.socket.destroyed) request.log.info({ code: 'client_gone' }, 'the client went away');
    else {
      const { status, code } = problemOf(fault);
      const isFailure = status >= 500 && status !== 503 && status !== 507;
      if (isFailure || code === 'data_folder_refused') request.log.error({ err: error, code }, 'request failed');
    }
    // Headers of an answer that is not sent after all.
    for (const name of [
      'etag',
      'content-length',
      'content-range',
      'content-disposition',
      'accept-ranges',
      'content-encoding',
    ])
      reply.removeHeader(name);
    return sendProblem(reply, fault);
  });
}

interface Told {
  readonly code: ErrorCode;
  readonly message: string;
  readonly values: ErrorValues;
}

/** What Fastify says of requests that it cannot read itself, where its own words would not do. */
const WORDS: Readonly<Record<string, (said: string) => string>> = {
  FST_ERR_BAD_URL: said =>
    `${said}. Behind a % stand two hexadecimal digits of a byte of UTF-8; a percent sign itself is %25.`,
  FST_ERR_MAX_PARAM_LENGTH: () =>
    'A part of the path is longer than 256 characters, and names of datasets have at most 128. Ask GET /v1/datasets for them.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: said => `${said}. Send as many bytes as that header says.`,
};

function translate(error: unknown): Told {
  if (error instanceof HyperslabError) return error;
  // What a file call threw: an error with a number and the name of the call.
  if (error instanceof Error && 'syscall' in error && 'errno' in error) return fromSystemError(error);
  const { code, statusCode, validation, validationContext, message } = error as Partial<FastifyError>;
  if (validation) {
    const { message: words, where } = wordsOf(validation, validationContext ?? 'body');
    return { code: 'bad_request', message: words, values: { where } };
  }
  if (statusCode !== undefined && statusCode < 500 && code?.startsWith('FST_')) {
    const said = (message ?? 'The request cannot be read').slice(0, 200);
    const detail = WORDS[code]?.(said) ?? `${said}. Send it as the API document at /docs says.`;
    return { code: 'bad_request', message: detail, values: {} };
  }
  return {
    code: 'internal',
    message: 'The service failed. Its log has the details under the x-request-id of this answer.',
    values: {},
  };
}

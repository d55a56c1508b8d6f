/** Bodies that are refused before a route sees them: by their media type, their length, or as no JSON. */
import type { FastifyError, FastifyRequest } from 'fastify';
import { HyperslabError } from '../errors.js';
import { listed, shown } from '../shown.js';

/** The media types of bodies that a call takes: those that it streams, or JSON where a schema describes one. */
function mediaTypesTaken({ routeOptions }: FastifyRequest): readonly string[] {
  const { config, schema } = routeOptions;
  return config.mediaTypes ?? (schema?.body === undefined ? [] : ['application/json', 'application/merge-patch+json']);
}

/** Says what came, what this call takes, and which header says so. */
export function unsupportedMediaType(request: FastifyRequest): HyperslabError {
  const given = request.headers['content-type'];
  const came = given === undefined ? 'without a Content-Type' : `as Content-Type ${shown(given)}`;
  const supported = mediaTypesTaken(request);
  const [first] = supported;
  const remedy =
    first === undefined
      ? 'this call takes no body. Leave it out.'
      : `this call takes ${listed(supported)}. Send the header content-type: ${first} (curl -H 'content-type: ${first}').`;
  return new HyperslabError('unsupported_media_type', `The body comes ${came}; ${remedy}`, { supported });
}

/** A JSON body with more bytes than the call takes. */
export function tooLarge({ headers, routeOptions }: FastifyRequest): HyperslabError {
  const limit = routeOptions.bodyLimit;
  const length = Number(headers['content-length']);
  const asked = Number.isSafeInteger(length) ? length : undefined;
  const came = asked === undefined ? 'The body has more bytes than are taken' : `The body has ${asked} bytes`;
  const detail = `${came}; this call takes at most ${limit}. Send less in one call.`;
  return new HyperslabError('too_large', detail, { limit, ...(asked !== undefined && { asked }) });
}

/** What Fastify says of a body without what the request had, and what the call takes. */
export function ofRequest(error: FastifyError, request: FastifyRequest): FastifyError | HyperslabError {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(request);
  return error.statusCode === 415 && !(error instanceof HyperslabError) ? unsupportedMediaType(request) : error;
}

/** Why a body is no JSON. */
export function unreadable(text: string): HyperslabError {
  const remedy = 'Send one JSON object, as the API document at /docs shows.';
  try {
    JSON.parse(text);
  } catch (error) {
    // Newer versions of V8 add the line and the column to the position.
    const why = error instanceof Error ? error.message.replace(/ \(line \d+ column \d+\)$/, '') : '';
    return new HyperslabError('bad_request', `The body is not JSON: ${why.replace(/\s+/g, ' ')}. ${remedy}`);
  }
  return new HyperslabError(
    'bad_request',
    `The body has a member __proto__, or constructor with a prototype in it, which is not taken. Rename it.`,
  );
}

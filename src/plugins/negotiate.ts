/** Which format an answer has: `?format=` wins, then the Accept header with its q-values, else JSON. */
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import accepts from 'accepts';
import { fail } from '../errors.js';
import { FORMATS, type FormatName } from '../formats/index.js';
import { listed } from '../shown.js';
import { unsupportedMediaType } from './body-faults.js';

const MEDIA_TYPES = FORMATS.map(format => format.mediaTypes[0]);

/** Accept headers repeat: a client sends the same one all its life. */
const known = new Map<string, FormatName>();
const KNOWN_MAX = 256;

/** @throws not_acceptable */
export function negotiate(request: FastifyRequest, asked: string | undefined): FormatName {
  if (asked !== undefined)
    return FORMATS.find(format => format.name === asked)?.name ?? failNotAcceptable(`format=${asked.slice(0, 60)}`);
  const accept = request.headers.accept;
  if (accept === undefined || accept === '*/*') return 'json';
  let format = known.get(accept);
  if (format === undefined) {
    // Parameters such as charset do not matter to formats that have none; only q does.
    const bare = accept.replace(/;(?!\s*q\s*=)[^;,"]*(?:"[^"]*")?/gi, '');
    const type = accepts({ headers: { accept: bare } } as IncomingMessage).type(MEDIA_TYPES);
    format =
      FORMATS.find(each => each.mediaTypes[0] === type)?.name ?? failNotAcceptable(`Accept: ${accept.slice(0, 60)}`);
    if (known.size < KNOWN_MAX) known.set(accept, format);
  }
  return format;
}

export function mediaTypeOf(name: FormatName): string {
  return FORMATS.find(format => format.name === name)!.mediaTypes[0];
}

/** The media type of a request body, in lower case and without parameters. */
export function contentTypeOf({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
}

/** The format of a request body, by its Content-Type. @throws unsupported_media_type */
export function bodyFormat(request: FastifyRequest): FormatName {
  const type = contentTypeOf(request);
  const format = FORMATS.find(each => each.mediaTypes[0] === type);
  if (format) return format.name;
  throw unsupportedMediaType(request);
}

function failNotAcceptable(asked: string): never {
  const names = FORMATS.map(each => `${each.name} (${each.mediaTypes[0]})`);
  const detail = `${asked} names no format of this answer. It can be had as ${listed(names)}: by format=, or by Accept with the media type.`;
  return fail('not_acceptable', detail, { available: MEDIA_TYPES });
}

/** Which format an answer has: `?format=` wins, then the Accept header with its q-values, else JSON. */
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import accepts from 'accepts';
import { fail } from '../errors.js';
import { FORMATS, formatRow, type FormatName, type FormatRow } from '../formats/index.js';
import { listed } from '../shown.js';
import { unsupportedMediaType } from './body-faults.js';

/** Accept headers repeat: a client sends the same one all its life. */
const known = new Map<string, FormatName>();
const KNOWN_MAX = 256;

/** What an answer can be had as. */
export interface Offer {
  readonly formats: readonly FormatRow[];
  /** Whether a format can hold these elements: where Accept decides, others are passed over. */
  readonly holds?: (format: FormatRow) => boolean;
}

/** @throws not_acceptable */
export function negotiate(request: FastifyRequest, asked: string | undefined, { formats, holds }: Offer): FormatName {
  if (asked !== undefined) {
    const named = formats.find(format => format.name === asked);
    return named ? nameOf(named) : failNotAcceptable(`format=${asked.slice(0, 60)}`, formats);
  }
  const accept = request.headers.accept;
  if (accept === undefined || accept === '*/*') return 'json';
  const offered = holds ? formats.filter(holds) : formats;
  const key = `${offered.map(({ name }) => name).join()} ${accept}`;
  let format = known.get(key);
  if (format === undefined) {
    // Parameters such as charset do not matter to formats that have none; only q does.
    const bare = accept.replace(/;(?!\s*q\s*=)[^;,"]*(?:"[^"]*")?/gi, '');
    const types = offered.map(({ mediaTypes }) => mediaTypes[0]!);
    const type = accepts({ headers: { accept: bare } } as IncomingMessage).type(types);
    const found = offered.find(each => each.mediaTypes[0] === type);
    if (!found) return failNotAcceptable(`Accept: ${accept.slice(0, 60)}`, offered);
    format = nameOf(found);
    if (known.size < KNOWN_MAX) known.set(key, format);
  }
  return format;
}

function nameOf({ name }: FormatRow): FormatName {
  return name as FormatName;
}

/** The Content-Type of an answer. */
export function mediaTypeOf(name: FormatName): string {
  const { mediaTypes, parameters } = formatRow(name);
  return parameters === undefined ? mediaTypes[0]! : `${mediaTypes[0]}; ${parameters}`;
}

/** The media type of a request body, in lower case and without parameters. */
export function contentTypeOf({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
}

/** The format of a request body, by its Content-Type. @throws unsupported_media_type */
export function bodyFormat(request: FastifyRequest): FormatName {
  const type = contentTypeOf(request);
  const format = FORMATS.find(each => each.isTaken && each.mediaTypes[0] === type);
  if (format) return format.name;
  throw unsupportedMediaType(request);
}

function failNotAcceptable(asked: string, formats: readonly FormatRow[]): never {
  const names = formats.map(each => `${each.name} (${each.mediaTypes[0]})`);
  const detail = `${asked} names no format of this answer. It can be had as ${listed(names)}: by format=, or by Accept with the media type.`;
  return fail('not_acceptable', detail, {
    available: formats.map(({ mediaTypes }) => mediaTypes[0]),
  });
}

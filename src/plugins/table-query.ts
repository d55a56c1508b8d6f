/** What a body in a format of tables is said to be: by the query, or by parameters of its Content-Type. */
import type { FastifyRequest } from 'fastify';
import { fail } from '../errors.js';
import { shown } from '../shown.js';

/** Whether the first line of a text has names: `header=false`, or `text/csv; header=absent`, which RFC 4180 has for it. */
export function hasHeader(request: FastifyRequest, asked: boolean | undefined): boolean {
  return asked ?? parameterOf(request, 'header') !== 'absent';
}

/** @throws unsupported_media_type for text that is said not to be UTF-8 */
export function checkCharset(request: FastifyRequest): void {
  const charset = parameterOf(request, 'charset');
  if (charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset)) return;
  fail('unsupported_media_type', `The text comes as charset=${shown(charset)}; utf-8 is read. Encode it as that.`, {
    charset: charset.slice(0, 60),
  });
}

/** A parameter of the Content-Type, in lower case. */
function parameterOf({ headers }: FastifyRequest, name: string): string | undefined {
  for (const part of headers['content-type']?.split(';').slice(1) ?? []) {
    const [key = '', value = ''] = part.split('=', 2).map(each => each.trim().toLowerCase());
    if (key === name) return value.replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}

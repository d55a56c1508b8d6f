/** Range requests (RFC 9110, 14): which bytes of an answer are asked for. Positions may have any number of digits. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fail } from '../errors.js';
import { acceptedCodings } from './accept-encoding.js';

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const UNIT = /^bytes[\t ]*=/i;
const RANGE = /^(\d*)-(\d*)$/;

/**
 * The one range that is asked for; undefined where the whole is to be sent (several ranges, other units, bad syntax,
 * or an If-Range that names another state). @throws range_not_satisfiable
 */
export function byteRange(
  range: string | undefined,
  ifRange: string | undefined,
  tag: string | undefined,
  totalBytes: number,
): ByteRange | undefined {
  if (range === undefined || (ifRange !== undefined && ifRange !== tag)) return undefined;
  const asked = parseRange(range);
  if (!asked) return undefined;
  const { first, last } = asked;
  const start = first ?? Math.max(0, totalBytes - last!);
  const end = first === undefined || last === undefined ? totalBytes : Math.min(last + 1, totalBytes);
  if (start >= end) {
    fail(
      'range_not_satisfiable',
      `The answer has ${totalBytes} bytes, and Range: ${range.slice(0, 60)} asks for none of them. ${totalBytes === 0 ? 'Leave the header out' : `Ask for bytes=0-${totalBytes - 1}, or a part of that`}.`,
      {
        size: totalBytes,
      },
    );
  }
  return { start, end };
}

/** The range of a GET: of the answer as it is, without a coding. @throws range_not_satisfiable */
export function rangeAsked(
  { headers, method }: Pick<FastifyRequest, 'headers' | 'method'>,
  tag: string | undefined,
  totalBytes: number,
): ByteRange | undefined {
  const { range, 'if-range': ifRange } = headers;
  if (range === undefined || method !== 'GET' || !acceptedCodings(headers).takesIdentity) return undefined;
  return byteRange(range, Array.isArray(ifRange) ? ifRange[0] : ifRange, tag, totalBytes);
}

/** The bytes of an answer that are sent: all of them, or, as 206, those of a range. @throws range_not_satisfiable */
export function rangeSent(reply: FastifyReply, tag: string | undefined, totalBytes: number): ByteRange {
  const asked = rangeAsked(reply.request, tag, totalBytes);
  if (!asked) return { start: 0, end: totalBytes };
  reply.code(206).header('content-range', `bytes ${asked.start}-${asked.end - 1}/${totalBytes}`);
  return asked;
}

/** What of a body's parts a range covers. */
export function cutParts(parts: readonly Uint8Array[], { start, end }: ByteRange): Uint8Array[] {
  const covered: Uint8Array[] = [];
  let at = 0;
  for (const part of parts) {
    const from = Math.max(0, start - at);
    const to = Math.min(part.byteLength, end - at);
    if (from < to) covered.push(part.subarray(from, to));
    at += part.byteLength;
  }
  return covered;
}

/** `first-last`, `first-` or `-last`; positions beyond what can be counted are as far away as anything can be. */
function parseRange(range: string): { first?: number; last?: number } | undefined {
  const unit = UNIT.exec(range);
  if (!unit) return undefined;
  // A list may have empty elements, and blanks around each.
  const specs = range
    .slice(unit[0].length)
    .split(',')
    .map(each => each.trim())
    .filter(Boolean);
  const match = specs.length === 1 ? RANGE.exec(specs[0]!) : null;
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && BigInt(last) < BigInt(first)) return undefined;
  return { ...(first !== '' && { first: saturate(first) }), ...(last !== '' && { last: saturate(last) }) };
}

function saturate(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER - 1);
}

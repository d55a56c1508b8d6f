/** Conditional and range requests (RFC 9110, 13 and 14), decided from headers alone: no data is read for a 304 or 412. */
import { fail } from '../errors.js';

const ENTITY_TAG = /(?:W\/)?"[^"]*"/g;

/** `"<id>.<generation>.<format>"`. */
export function entityTag(id: string, generation: number, format: string): string {
  return `"${id}.${generation}.${format}"`;
}

/** True when If-None-Match lists this tag (weak comparison) or `*`. */
export function noneMatches(header: string, tag: string): boolean {
  if (header.trim() === '*') return true;
  return (header.match(ENTITY_TAG) ?? []).some(each => each.replace(/^W\//, '') === tag);
}

/**
 * Checks If-Match against a generation. Tags are `"<id>.<generation>"`; a format behind it does not matter.
 * @throws generation_moved
 */
export function checkIfMatch(header: string | undefined, id: string, generation: number): void {
  if (header === undefined || header.trim() === '*') return;
  const wanted = `${id}.${generation}`;
  const matches = (header.match(ENTITY_TAG) ?? []).some(tag => {
    const value = tag.slice(1, -1);
    return !tag.startsWith('W/') && (value === wanted || value.startsWith(`${wanted}.`));
  });
  if (!matches) {
    fail('generation_moved', `The dataset is at "${wanted}". Read it again, then repeat the request with that tag.`, {
      current: `"${wanted}"`,
      generation,
    });
  }
}

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const SINGLE_RANGE = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/;

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
  const match = SINGLE_RANGE.exec(range);
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(0, totalBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? totalBytes : Math.min(Number(last) + 1, totalBytes);
  if (start >= totalBytes || start >= end) {
    fail('range_not_satisfiable', `The answer has ${totalBytes} bytes; the range asks for none of them.`, {
      size: totalBytes,
    });
  }
  return { start, end };
}

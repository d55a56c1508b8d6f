/**
 * JSON whose integers keep all their digits: those that a double cannot hold are bigint. For small texts, such as
 * queries: a text with a number of 16 digits or more is parsed twice.
 */
import { randomUUID } from 'node:crypto';

/** Marks a string that stands for a number; nobody outside this process can know it. */
const MARK = `${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?[0-9e]+)"`, 'g');
/** Strings, so that digits inside them are passed over, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/** True where `JSON.parse` may lose digits of an integer. */
export function mayLoseDigits(text: string): boolean {
  return /\d{16}/.test(text);
}

/**
 * What `JSON.parse` answers, with bigint for integers beyond 2 ** 53.
 * @throws SyntaxError as JSON.parse does
 */
export function parseExactJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!mayLoseDigits(text)) return plain;
  const marked = text.replaceAll(TOKENS, token =>
    LONG_INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"${MARK}${token}"` : token,
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  );
}

/** JSON of a value that parseExactJson may have made. */
export function stringifyExactJson(value: unknown): string {
  let isMarked = false;
  const text = JSON.stringify(value, (_key, each: unknown) => {
    // Text such as 1e999 was read as an infinity.
    const isInfinite = each === Number.POSITIVE_INFINITY || each === Number.NEGATIVE_INFINITY;
    if (typeof each !== 'bigint' && !isInfinite) return each;
    isMarked = true;
    return `${MARK}${isInfinite ? (each > 0 ? '1e999' : '-1e999') : each}`;
  });
  return isMarked ? text.replaceAll(MARKED, '$1') : text;
}

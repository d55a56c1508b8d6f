/**
 * JSON whose integers keep all their digits: those that a double cannot hold are bigint. For small texts, such as
 * queries and metadata: a text with a number of 16 digits or more is parsed twice.
 */
import { randomUUID } from 'node:crypto';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';

/** Marks a string that stands for a number; nobody outside this process can know it. */
const MARK = `${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?[0-9e]+)"`, 'g');
/** Strings, so that digits inside them are passed over, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/** True where `JSON.parse` may lose digits of an integer. */
export function mayLoseDigits(text: string): boolean {
  return /(?:^|[^\d.])\d{16}/.test(text);
}

/**
 * What `JSON.parse` answers, with bigint for integers beyond 2 ** 53.
 * @throws SyntaxError as JSON.parse does; too_large
 */
export function parseExactJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!mayLoseDigits(text)) return plain;
  const marked = text.replaceAll(TOKENS, token => {
    if (!LONG_INTEGER.test(token) || Number.isSafeInteger(Number(token))) return token;
    if (token.length > LIMITS.integerDigitsMax) failDigits(token.length);
    return `"${MARK}${token}"`;
  });
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  );
}

/** JSON of a value that parseExactJson may have made, indented by `space`. */
export function stringifyExactJson(value: unknown, space?: number): string {
  if (!hasOwnDigits(value)) return JSON.stringify(value, undefined, space);
  const write = (_key: string, each: unknown): unknown => {
    const digits = digitsOf(each);
    return digits === undefined ? each : `${MARK}${digits}`;
  };
  return JSON.stringify(value, write, space).replaceAll(MARKED, '$1');
}

/** True where there is something that JSON.stringify would refuse or change: rarely, and this walk is fast. */
function hasOwnDigits(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return digitsOf(value) !== undefined;
  return Object.values(value).some(hasOwnDigits);
}

function digitsOf(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') return undefined;
  if (Object.is(value, -0)) return '-0';
  // Text such as 1e999 was read as an infinity.
  return Number.isFinite(value) || Number.isNaN(value) ? undefined : `${value > 0 ? '' : '-'}1e999`;
}

function failDigits(asked: number): never {
  const limit = LIMITS.integerDigitsMax;
  fail('too_large', `An integer of the JSON has ${asked} digits; at most ${limit} are read. Write it as a string.`, {
    limit,
    asked,
  });
}

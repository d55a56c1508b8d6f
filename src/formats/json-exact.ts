/**
 * JSON whose integers keep all their digits: those that a double cannot hold come as bigint. For small texts, such as
 * queries: the text is parsed twice where it has a number of 16 digits or more.
 */
import { randomUUID } from 'node:crypto';

/** Marks a string that stands for a number; nobody outside this process can know it. */
const MARK = `${randomUUID()}:`;
/** Strings, so that digits inside them are passed over, and numbers. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/** True where `JSON.parse` may have lost digits of an integer. */
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

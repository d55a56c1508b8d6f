/**
 * JSON whose integers keep all their digits: those that a double cannot hold are bigint. For small texts, such as
 * queries and metadata: a text with a number of 16 digits or more is parsed twice.
 */
import { randomBytes } from 'node:crypto';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { atOnce, isTurnOver, ITEMS_PER_TURN } from '../turns.js';

/** Marks a string that stands for a number; nobody outside this process can know it. */
const MARK = `${randomBytes(12).toString('base64url')}:`;
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
  return atOnce(parseExactTurns(text));
}

/** The same, in turns. */
export function* parseExactTurns(text: string): Generator<void, unknown> {
  const plain: unknown = JSON.parse(text);
  if (!mayLoseDigits(text)) return plain;
  yield;
  const marked = yield* withMarks(text);
  yield;
  const root = [JSON.parse(marked) as unknown];
  yield;
  yield* unmark(root);
  return root[0];
}

/** The text with a marked string in the place of each integer that a double cannot hold. */
function* withMarks(text: string): Generator<void, string> {
  const parts: string[] = [];
  let from = 0;
  let tokens = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (isTurnOver(tokens++)) yield;
    if (!LONG_INTEGER.test(token) || Number.isSafeInteger(Number(token))) continue;
    if (token.length > LIMITS.integerDigitsMax) failDigits(token.length);
    parts.push(text.slice(from, index), `"${MARK}${token}"`);
    from = index + token.length;
  }
  parts.push(text.slice(from));
  return parts.join('');
}

/** Puts integers in the place of the marked strings of a list, at any depth. */
function* unmark(root: unknown[]): Generator<void, void> {
  const containers: object[] = [root];
  let seen = 0;
  for (let container = containers.pop(); container; container = containers.pop()) {
    for (const [name, value] of Object.entries(container) as [string, unknown][]) {
      if (isTurnOver(seen++)) yield;
      if (typeof value === 'object' && value !== null) containers.push(value);
      else if (typeof value === 'string' && value.startsWith(MARK)) {
        const member = {
          value: BigInt(value.slice(MARK.length)),
          writable: true,
          enumerable: true,
          configurable: true,
        };
        Object.defineProperty(container, name, member);
      }
    }
  }
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

/** The same of long queries, in turns. */
export function* stringifyExactTurns(value: unknown): Generator<void, string> {
  if (typeof value !== 'object' || value === null) return stringifyExactJson(value);
  if (!Array.isArray(value)) {
    const members: string[] = [];
    for (const [name, member] of Object.entries(value)) {
      if (member !== undefined) members.push(`${JSON.stringify(name)}:${yield* stringifyExactTurns(member)}`);
    }
    return `{${members.join(',')}}`;
  }
  const items: string[] = [];
  for (let at = 0; at < value.length; at += ITEMS_PER_TURN) {
    const some = value.slice(at, at + ITEMS_PER_TURN) as unknown[];
    if (some.some(item => typeof item === 'object'))
      for (const item of some) items.push(yield* stringifyExactTurns(item));
    else items.push(stringifyExactJson(some).slice(1, -1));
    if (some.length === ITEMS_PER_TURN) yield;
  }
  return `[${items.join(',')}]`;
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

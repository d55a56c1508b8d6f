/**
 * A JSON text as a value, in turns: a megabyte of small members takes tens of milliseconds. Containers that are long are
 * cut between their members, and each stretch is parsed by itself. Text that is no JSON is refused by one of the stretches.
 */

import { isTurnOver } from '../turns.js';

/** Looked at in one turn: about two milliseconds. */
export const CHARACTERS_PER_TURN = 128 * 1024;

/** Parsed at once: a few milliseconds, whatever is in it. */
const STRETCH_LENGTH = 32 * 1024;

/** @param parse for each stretch, what JSON.parse does. @throws what it throws */
export function* parseInTurns(
  text: string,
  parse: (text: string) => unknown,
  stretchLength = STRETCH_LENGTH,
): Generator<void, unknown> {
  const trimmed = text.trim();
  const open = trimmed[0];
  const isShort = trimmed.length <= stretchLength;
  if (isShort || (open !== '[' && open !== '{') || trimmed.at(-1) !== CLOSING[open]) return parse(trimmed);
  const within = (part: string): Generator<void, unknown> => parseInTurns(part, parse, stretchLength);
  // Put together once at the end: a list that grows member by member is copied, and garbage collected, many times.
  const lists: unknown[][] = [];
  const members: Record<string, unknown> = {};
  const take = (stretch: string): void => {
    // What stands before or behind a comma is a member, or the text is no JSON.
    const isMissing = stretch.trim() === '' && stretch.length < trimmed.length - 2;
    const value = parse(`${open}${isMissing ? ',' : stretch}${CLOSING[open]}`);
    if (Array.isArray(value)) lists.push(value);
    else Object.assign(members, value);
  };
  for (const stretch of stretchesOf(trimmed, stretchLength)) {
    yield;
    if (stretch === undefined) continue;
    if (stretch.length <= stretchLength) take(stretch);
    else if (open === '[') lists.push([yield* within(stretch)]);
    else {
      const colon = colonOf(stretch);
      const [name] = Object.keys(parse(`{${stretch.slice(0, colon)}:0}`) as object);
      // A parser may look at what is in it.
      if (name === 'constructor') take(stretch);
      else members[name!] = yield* within(stretch.slice(colon + 1));
    }
  }
  return open === '[' ? ([] as unknown[]).concat(...lists) : members;
}

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

/**
 * The text between the brackets, cut at commas of their members: several together, or a long one by itself. It yields
 * undefined now and then while it looks for the end of a long member.
 */
function* stretchesOf(text: string, length: number): Generator<string | undefined> {
  let from = 1;
  let memberFrom = 1;
  let depth = 0;
  let isString = false;
  for (let i = 1; i < text.length; i++) {
    if (isTurnOver(i, CHARACTERS_PER_TURN)) yield undefined;
    const code = text.charCodeAt(i);
    if (code === QUOTE) isString = !isString;
    else if (isString) i += code === BACKSLASH ? 1 : 0;
    else if (code === LIST || code === OBJECT) depth++;
    else if (depth > 0 && (code === LIST_END || code === OBJECT_END)) depth--;
    else if (depth === 0 && (code === COMMA || i === text.length - 1)) {
      if (i - from > length && memberFrom > from) {
        yield text.slice(from, memberFrom - 1);
        from = memberFrom;
      }
      if (i - from > length || i === text.length - 1) {
        yield text.slice(from, i);
        from = i + 1;
      }
      memberFrom = i + 1;
    }
  }
  // Brackets or quotes that nothing closes: this is no JSON.
  if (from < text.length) yield `${text.slice(from)},`;
}

/** Where the name of a member ends. */
function colonOf(member: string): number {
  const quote = member.indexOf('"');
  let end = quote + 1;
  while (end < member.length && member.charCodeAt(end) !== QUOTE) end += member.charCodeAt(end) === BACKSLASH ? 2 : 1;
  const colon = member.indexOf(':', end);
  return colon < 0 ? member.length : colon;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const LIST = 0x5b;
const LIST_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

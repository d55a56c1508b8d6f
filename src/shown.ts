/** What a client sent, as messages repeat it: as JSON, on one line, and never much of it. */

const LENGTH_MAX = 60;

/** A value in at most 60 characters and an ellipsis; text in quotes, numbers with the digits that they have. */
export function shown(value: unknown): string {
  if (typeof value === 'string' && value.length > LENGTH_MAX) return `${JSON.stringify(value.slice(0, LENGTH_MAX))}…`;
  const text = beginning(value, LENGTH_MAX + 1);
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text;
}

/** JSON of a value. What comes after the first `length` characters may be left out, so that a large value costs little. */
function beginning(value: unknown, length: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, length));
  if (typeof value !== 'object' || value === null) return String(value);
  const isList = Array.isArray(value);
  let text = '';
  for (const key in value) {
    if (text.length >= length) break;
    const name = isList ? '' : `${JSON.stringify(key.slice(0, length))}:`;
    text += `${text === '' ? '' : ','}${name}${beginning((value as Record<string, unknown>)[key], length - text.length)}`;
  }
  return isList ? `[${text}]` : `{${text}}`;
}

/** Words as a sentence lists them: `a`, `a or b`, `a, b or c`. */
export function listed(words: readonly string[], last: 'or' | 'and' = 'or'): string {
  return words.length < 2 ? (words[0] ?? 'none') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)!}`;
}

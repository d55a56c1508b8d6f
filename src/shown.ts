/** What a client sent, as messages repeat it: as JSON, on one line, and never much of it. */

const LENGTH_MAX = 60;

/** A value in at most 60 characters and an ellipsis; text in quotes, numbers with the digits that they have. */
export function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) return String(value);
  // What is far too long is cut before it is written out.
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, LENGTH_MAX + 1) : value);
  if (typeof value === 'string' && value.length > LENGTH_MAX) return `${JSON.stringify(value.slice(0, LENGTH_MAX))}…`;
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text;
}

/** Words as a sentence lists them: `a`, `a or b`, `a, b or c`. */
export function listed(words: readonly string[], last: 'or' | 'and' = 'or'): string {
  return words.length < 2 ? (words[0] ?? 'none') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)!}`;
}

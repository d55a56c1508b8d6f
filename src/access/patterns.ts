/**
 * Which datasets a principal reaches: exact names, and globs in which `*` stands for any characters. Matching walks the
 * text once per star, so that no pattern can be slow. Hazard: a list that cannot be read must never mean "all".
 */

const PATTERN = /^[A-Za-z0-9._*-]{1,128}$/;
/** Every name in a list is held to each of these. */
export const PATTERNS_MAX = 64;

export class Patterns {
  readonly texts: readonly string[];
  readonly #parts: readonly (readonly string[])[];

  private constructor(texts: readonly string[]) {
    this.texts = texts;
    this.#parts = texts.map(text => text.split('*'));
  }

  /** Undefined reaches everything. Throws a sentence that says what is allowed. */
  static parse(texts: readonly unknown[]): Patterns | undefined {
    if (texts.length === 0) throw new Error('expected at least one dataset pattern');
    if (texts.length > PATTERNS_MAX) throw new Error(`expected at most ${PATTERNS_MAX} dataset patterns`);
    for (const text of texts) {
      if (typeof text !== 'string' || !PATTERN.test(text)) {
        throw new Error('expected dataset patterns of letters, digits, dots, hyphens, underscores and *');
      }
    }
    return texts.some(text => /^\*+$/.test(text as string)) ? undefined : new Patterns(texts as string[]);
  }

  matches(name: string): boolean {
    return this.#parts.some(parts => matchesParts(parts, name));
  }

  /** What every matching name starts with, one for each pattern. */
  get prefixes(): string[] {
    return this.#parts.map(([first]) => first!);
  }
}

/** `parts` are the texts between the stars. */
function matchesParts(parts: readonly string[], name: string): boolean {
  const first = parts[0]!;
  if (parts.length === 1) return name === first;
  const last = parts.at(-1)!;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  // What stands between the first and the last part is found from the left, each as early as it can be.
  let at = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

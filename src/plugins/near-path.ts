/** Paths beside the patterns of routes: `/v1/datasets/:name`, `/docs/*`. Hazard: a path is the client's, and may be long. */
import { distanceOf, isNear } from '../near.js';

/** Longer paths are near none. */
const PATH_LENGTH_MAX = 400;
const WORD_LENGTH_MAX = 40;

/** Whether a path is one of a pattern. A part that a parameter stands for is not empty. */
export function pathMatches(path: string, pattern: string): boolean {
  const parts = path.split('/');
  const wanted = pattern.split('/');
  if (wanted.at(-1) === '*')
    return parts.length >= wanted.length && wanted.slice(0, -1).every((each, i) => each === parts[i]);
  return (
    wanted.length === parts.length &&
    wanted.every((each, i) => each === parts[i] || (each.startsWith(':') && parts[i] !== ''))
  );
}

/**
 * The path of one of the patterns that was likely meant: with other letters, in lower case, without slashes too many, or
 * below /v1. Undefined where none is near.
 */
export function nearPath(path: string, patterns: Iterable<string>): string | undefined {
  if (path.length > PATH_LENGTH_MAX) return undefined;
  const parts = path.split('/').filter(part => part !== '');
  const tried = parts[0] === 'v1' ? [parts] : [parts, ['v1', ...parts]];
  let best: { readonly near: string; readonly distance: number } | undefined;
  for (const pattern of patterns) {
    const wanted = pattern.split('/').filter(part => part !== '');
    if (wanted.at(-1) === '*') continue;
    for (const each of tried) {
      const found = fitted(each, wanted);
      if (found && (!best || found.distance < best.distance)) best = found;
    }
  }
  return best?.near;
}

function fitted(parts: readonly string[], wanted: readonly string[]): { near: string; distance: number } | undefined {
  if (parts.length !== wanted.length) return undefined;
  let distance = 0;
  const near: string[] = [];
  for (const [i, word] of wanted.entries()) {
    const part = parts[i]!;
    if (word.startsWith(':')) {
      near.push(part);
      continue;
    }
    if (part.length > WORD_LENGTH_MAX) return undefined;
    const typed = part.toLowerCase();
    const letters = distanceOf(typed, word);
    if (!isNear(typed, letters)) return undefined;
    distance += letters;
    near.push(word);
  }
  return { near: `/${near.join('/')}`, distance };
}

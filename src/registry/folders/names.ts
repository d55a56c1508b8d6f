/** The names of datasets that are files of a served folder. They follow from the path alone, so that each keeps its own. */
import { createHash } from 'node:crypto';
import { bytesOfPath } from '../../file/path-bytes.js';
import { isName } from '../names.js';

/** What is left of a name that a hash stands behind. */
const KEPT_LENGTH = 119;
const HASH_DIGITS = 8;

/**
 * `a/b.npy` → `a.b`; the tensor `w` of `a/b.safetensors` → `a.b.w`. Where that is no name, what cannot stand becomes `_` and a
 * hash of the whole path follows: `温度.npy` → `__-` and 8 digits.
 * @param path relative to the folder
 */
export function nameOfPath(path: string, member?: string): string {
  const stem = withoutSuffix(path).replaceAll('/', '.');
  const wanted = member === undefined ? stem : `${stem}.${member}`;
  if (isName(wanted)) return wanted;
  const possible = possibleIn(wanted);
  const source = member === undefined ? path : `${path}:${member}`;
  const hash = createHash('sha256').update(bytesOfPath(source)).digest('hex').slice(0, HASH_DIGITS);
  return `${possible.slice(0, KEPT_LENGTH)}-${hash}`;
}

/** Whether a name may be that of a file below a folder, itself below the served one. */
export function mayStandIn(name: string, folder: string): boolean {
  const start = possibleIn(`${folder.replaceAll('/', '.')}.`).slice(0, KEPT_LENGTH);
  return name.startsWith(start);
}

/** What can stand in a name, of text from its beginning. */
function possibleIn(text: string): string {
  return Array.from(text, (point, i) => ((i === 0 ? FIRST : OTHERS).test(point) ? point : '_')).join('');
}

const FIRST = /^[A-Za-z0-9_]$/;
const OTHERS = /^[A-Za-z0-9._-]$/;

/** `a/b` of `a/b.npy`. */
export function withoutSuffix(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') + 1 ? path.slice(0, dot) : path;
}

/** Names of files with a `*`: which fit, and in which order they are parts. */
import path from 'node:path';

const STAR = '*';

/** Whether a path names several files: only its last component may have a `*`. */
export function isPattern(asked: string | undefined): boolean {
  return asked !== undefined && asked.includes(STAR);
}

/** Whether a name fits a pattern in which each `*` stands for any characters, none too. Hidden files fit none. */
export function fits(pattern: string, name: string): boolean {
  if (name.startsWith('.')) return false;
  // Where the last star was, and what of the name it has taken: on a mismatch it takes one character more.
  let [at, star, taken] = [0, -1, 0];
  let i = 0;
  while (i < name.length) {
    if (pattern[at] === STAR) [star, taken, at] = [at, i, at + 1];
    else if (pattern[at] === name[i]) [at, i] = [at + 1, i + 1];
    else if (star >= 0) [at, i, taken] = [star + 1, taken + 1, taken + 1];
    else return false;
  }
  while (pattern[at] === STAR) at++;
  return at === pattern.length;
}

/**
 * A text by which names come in the order of parts: without the suffix, runs of ASCII digits by their value, all else by
 * bytes; equal ones by their bytes. What follows the last dot is no suffix where it is digits alone: `t0.5`, `t0.25`,
 * `t0.125` are in this order. A run of digits becomes a zero, the count of its digits and these: `a10` > `a9` > `a`, since
 * more digits are a greater number.
 */
export function naturalKey(name: string): string {
  const runs = bytesOf(withoutSuffix(name)).replaceAll(/\d+/g, run => {
    const digits = run.replace(/^0+/, '');
    return `0${String.fromCharCode(COUNT_FROM + digits.length)}${digits}`;
  });
  // No name has a zero byte: what is shorter comes first.
  return `${runs}\0${bytesOf(name)}`;
}

/** Above all bytes, so that it is not taken for one. */
const COUNT_FROM = 0x100;

function withoutSuffix(name: string): string {
  const suffix = path.extname(name);
  return /^\.\d*$/.test(suffix) ? name : name.slice(0, name.length - suffix.length);
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

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
 * The order of parts: without the suffix, runs of ASCII digits by their value, all else by bytes; equal ones by their
 * bytes. What follows the last dot is no suffix where it is digits alone: `t0.5`, `t0.25`, `t0.125` are in this order.
 */
export function byNaturalOrder(a: string, b: string): number {
  const order = compareRuns(runsOf(withoutSuffix(a)), runsOf(withoutSuffix(b)));
  return order === 0 ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : order;
}

function withoutSuffix(name: string): string {
  const suffix = path.extname(name);
  return /^\.\d*$/.test(suffix) ? name : name.slice(0, name.length - suffix.length);
}

/** Bytes one by one, and runs of digits as a whole. */
function runsOf(name: string): string[] {
  return (
    Buffer.from(name)
      .toString('latin1')
      .match(/\d+|[^\d]/g) ?? []
  );
}

const isDigits = (run: string): boolean => run >= '0' && run < ':';

function compareRuns(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = isDigits(a[i]!) && isDigits(b[i]!) ? compareDigits(a[i]!, b[i]!) : compareTexts(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareDigits(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || compareTexts(x, y);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

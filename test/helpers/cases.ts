/**
 * How many cases a long suite tries: few of them in `npm test`, so that it takes minutes, and all of them where
 * HYPERSLAB_TEST_CASES is `full`, as it is in CI. Both begin at the same seeds, and the short form says what it leaves.
 */
import t from 'tap';

export const IS_FULL = isFull(process.env['HYPERSLAB_TEST_CASES'] ?? 'short');

const told = new Set<string>();

/** Of two numbers the one for this run. */
export function caseCount(short: number, full: number): number {
  if (IS_FULL) return full;
  tell(`short form: ${short} of ${full} cases`);
  return short;
}

function tell(line: string): void {
  if (!told.has(line)) t.comment(line);
  told.add(line);
}

/** 1 in full, and in the short form the given step through a table whose rows are alike. */
export function caseStride(short: number): number {
  if (IS_FULL) return 1;
  tell(`short form: one of ${short} cases`);
  return short;
}

function isFull(form: string): boolean {
  if (form === 'short' || form === 'full') return form === 'full';
  throw new Error(`HYPERSLAB_TEST_CASES is short or full, not ${form}`);
}

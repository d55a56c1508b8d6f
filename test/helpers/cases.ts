/**
 * How many cases a long suite tries: few of them in `npm test`, so that it takes minutes, and all of them where
 * HYPERSLAB_TEST_CASES is `full`. Both begin at the same seeds, and the short form says what it leaves out.
 */
import t from 'tap';

const FORM = process.env['HYPERSLAB_TEST_CASES'] ?? 'short';
if (!['short', 'full'].includes(FORM)) {
  throw new Error(`HYPERSLAB_TEST_CASES is short or full, not ${FORM}`);
}
export const IS_FULL = FORM === 'full';

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

/** The step through a table whose rows are alike: 1 in full, the given one in the short form. */
export function caseStride(short: number): number {
  if (IS_FULL) return 1;
  tell(`short form: one of ${short} cases`);
  return short;
}

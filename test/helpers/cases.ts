/**
 * How many cases a long suite tries: few of them in `npm test`, so that it takes minutes, about twice as many where
 * HYPERSLAB_TEST_CASES is `medium`, as it is in CI, and all of them where it is `full`. All begin at the same seeds, and
 * the shorter forms say what they leave out.
 */
import t from 'tap';

const FORM = process.env['HYPERSLAB_TEST_CASES'] ?? 'short';
if (!['short', 'medium', 'full'].includes(FORM)) {
  throw new Error(`HYPERSLAB_TEST_CASES is short, medium or full, not ${FORM}`);
}
export const IS_FULL = FORM === 'full';

const told = new Set<string>();

/** Of two numbers the one for this run. */
export function caseCount(short: number, full: number): number {
  if (IS_FULL) return full;
  const count = FORM === 'short' ? short : Math.round(short ** (2 / 3) * full ** (1 / 3));
  tell(`${FORM} form: ${count} of ${full} cases`);
  return count;
}

function tell(line: string): void {
  if (!told.has(line)) t.comment(line);
  told.add(line);
}

/** The step through a table whose rows are alike: 1 in full, the given one in the short form. */
export function caseStride(short: number): number {
  if (IS_FULL) return 1;
  const stride = FORM === 'short' ? short : Math.ceil(short ** (2 / 3));
  tell(`${FORM} form: one of ${stride} cases`);
  return stride;
}

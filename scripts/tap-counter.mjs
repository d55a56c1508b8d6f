/**
 * Counts what a tap program printed: assertions that passed and failed (with the test that they belong to), tests that
 * were skipped and why, and lines `# figure: <name>: <value>`. Hazard: the line that closes a subtest looks like an
 * assertion and is none.
 */
const RESULT = /^( *)(not )?ok\b(?: \d+)?(?: - )?(.*)$/;
const SUBTEST = /^( *)# Subtest: (.*)$/;
const FIGURE = /^ *# figure: (.*?): (.*)$/;

export function tapCounter(text) {
  /** @type {{ pass: number, fail: number, skip: number, failed: string[], skipped: string[], figures: string[][] }} */
  const counted = { pass: 0, fail: 0, skip: 0, failed: [], skipped: [], figures: [] };
  /** Indentation of the deepest result since the last one further out: such a result closes a subtest. */
  let inner = -1;
  let inDiagnostics = false;
  /** Titles of the subtests that are open, by the indentation of what they hold. */
  const open = new Map();
  for (const line of text.split('\n')) {
    if (/^ *---$/.test(line)) inDiagnostics = true;
    else if (/^ *\.\.\.$/.test(line)) inDiagnostics = false;
    if (inDiagnostics) continue;
    const subtest = SUBTEST.exec(line);
    if (subtest) open.set(subtest[1].length + 4, subtest[2]);
    const figure = FIGURE.exec(line);
    if (figure) counted.figures.push([figure[1], figure[2]]);
    // The end of a subtest that was printed as a whole, behind its own result.
    if (/^ *\}$/.test(line)) inner = -1;
    const result = RESULT.exec(line);
    if (!result) continue;
    const [, indent, not, title] = result;
    const depth = indent.length;
    const closes = inner > depth || title.endsWith('{');
    inner = depth;
    count(counted, { closes, failed: not !== undefined, title, test: open.get(depth) });
  }
  return counted;
}

function count(counted, { closes, failed, title, test }) {
  const skip = /^(.*?) # SKIP ?(.*)$/i.exec(title);
  if (skip) {
    counted.skip++;
    counted.skipped.push(`${skip[1]}: ${skip[2] || 'no reason given'}`);
  } else if (!closes) {
    counted[failed ? 'fail' : 'pass']++;
    if (failed) counted.failed.push(nameOf(title.replace(/ # time=.*$/, ''), test));
  }
}

/** tap calls an assertion that has no title by what it asserts, which says little. */
function nameOf(title, test) {
  if (test === undefined) return title;
  return /^(should|expect) /.test(title) ? test : `${test}: ${title}`;
}

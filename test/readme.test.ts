/** The tour in README.md is replayed: every command against a fresh service, every output compared. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import t from 'tap';
import { SETTINGS } from '../src/config.js';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { NO_NUMPY, PYTHON, runPython } from './helpers/python.js';
import { start } from './helpers/server.js';

const README = `${PACKAGE_ROOT}/README.md`;
const text = fs.readFileSync(README, 'utf8');
/** With UPDATE_README=1 the outputs are written instead of compared. */
const updating = process.env['UPDATE_README'] === '1';

interface Step {
  readonly command: string;
  readonly output: string;
}

/** The commands of all console blocks, each with the lines under it. */
function stepsOf(markdown: string): Step[] {
  const blocks = [...markdown.matchAll(/```console\n([\s\S]*?)```/g)].map(match => match[1]!);
  return blocks.flatMap(block =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(step => {
        const [command = '', ...lines] = step.split('\n');
        return { command, output: lines.join('\n').trimEnd() };
      }),
  );
}

/** What differs from run to run. */
function stable(output: string): string {
  return output
    .replace(/"id":"[0-9a-f]+"/g, '"id":"…"')
    .replace(/"elapsed_ms":[0-9.]+/g, '"elapsed_ms":…')
    .trimEnd();
}

const noCurl = spawnSync('curl', ['--version']).status !== 0 && 'curl is not here';

t.test('the tour in curl answers what the README shows', { skip: noCurl }, async t => {
  const server = await start(t, { env: { HYPERSLAB_DEMO: 'auto' } });
  const steps = stepsOf(text);
  t.ok(steps.length >= 12, 'the tour has its steps');
  let updated = text;
  for (const { command, output } of steps) {
    const { stdout } = spawnSync(
      'sh',
      ['-c', command.replaceAll('127.0.0.1:8080', server.url.slice('http://'.length))],
      {
        encoding: 'utf8',
      },
    );
    if (updating)
      updated = updated.replace(
        `$ ${command}\n${output === '' ? '' : `${output}\n`}`,
        () => `$ ${command}\n${stdout.trimEnd()}\n`,
      );
    else t.equal(stable(stdout), stable(output), command);
  }
  if (updating) fs.writeFileSync(README, updated);
});

t.test('the tour in numpy answers what the README shows', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const server = await start(t, { env: { HYPERSLAB_DEMO: 'auto' } });
  const session = /```python\n([\s\S]*?)```/.exec(text)![1]!.replaceAll('http://127.0.0.1:8080', server.url);
  const report = runPython(DOCTEST, [], session);
  t.equal(report.trim(), 'failed 0', report);
});

const DOCTEST = `
import doctest, sys
test = doctest.DocTestParser().get_doctest(sys.stdin.read(), {}, "README", "README.md", 0)
runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
runner.run(test)
print("failed", runner.failures)
`;

t.test('the table of settings is the one in the code', async t => {
  const rows = Object.values(SETTINGS).map(
    ({ name, default: value, unit, meaning }) =>
      `| \`${name}\` | ${value === '' ? '' : `\`${value}\``} | ${unit} | ${meaning} |`,
  );
  const table = ['| variable | default | unit | meaning |', '|---|---|---|---|', ...rows].join('\n');
  const block = `<!-- settings:begin -->\n${table}\n<!-- settings:end -->`;
  if (updating) {
    const current = fs.readFileSync(README, 'utf8');
    fs.writeFileSync(
      README,
      current.replace(/<!-- settings:begin -->[\s\S]*<!-- settings:end -->/, () => block),
    );
  } else t.ok(text.includes(block), `README.md should hold this table:\n${block}`);
});

/**
 * The examples of README.md and docs/ are replayed against a fresh service for each page, and every output is compared.
 * `npm run docs` writes the outputs and the generated tables instead.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { SETTINGS } from '../src/config.js';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { CLIENT_BLOCKS } from './helpers/clients.js';
import {
  anchorsOf,
  blocksOf,
  linksOf,
  PAGES,
  readPage,
  stable,
  stepsOf,
  updateOrCompare,
  withOutputs,
  type Step,
} from './helpers/documents.js';
import { NO_NUMPY, PYTHON, runPython } from './helpers/python.js';
import { start, temporaryFolder, withoutLoaders } from './helpers/server.js';

const updating = process.env['UPDATE_DOCS'] === '1';
const noCurl = spawnSync('curl', ['--version']).status !== 0 && 'curl is not here';
const noNumpy = PYTHON === undefined && NO_NUMPY;

/** The address in the pages. */
const SHOWN = '127.0.0.1:8080';

const EXAMPLES = PAGES.map(page => {
  const text = readPage(page);
  const sessions = blocksOf(text, 'python').filter(block => block.startsWith('>>> '));
  return { page, text, steps: stepsOf(text), session: sessions.join('\n'), scripts: blocksOf(text, 'js') };
}).filter(({ steps, session, scripts }) => steps.length > 0 || session !== '' || scripts.length > 0);

t.test('the README has its tour, and other pages have examples', t => {
  const [readme, ...others] = EXAMPLES;
  t.equal(readme?.page, 'README.md');
  t.ok(readme && readme.steps.length >= 12 && readme.session !== '' && readme.scripts.length > 0);
  t.ok(others.length > 1);
  t.end();
});

for (const { page, text, steps, session, scripts } of EXAMPLES) {
  t.test(`the examples of ${page} answer what it shows`, async t => {
    const cwd = temporaryFolder();
    t.teardown(() => fs.rmSync(cwd, { recursive: true, force: true }));
    const { url } = await start(t, { dataDir: path.join(cwd, 'data'), env: { HYPERSLAB_DEMO: 'auto' } });
    if (noCurl === false) {
      const outputs = runSession(steps, url.slice('http://'.length), cwd);
      const asBefore = steps.map(({ output }, i) => stable(output) === stable(outputs[i]!));
      if (updating) {
        // What differs in ids and times alone stays as it was.
        const kept = steps.map(({ output }, i) => (asBefore[i] ? output : outputs[i]!));
        fs.writeFileSync(path.join(PACKAGE_ROOT, page), withOutputs(text, kept));
      } else {
        for (const [i, { command, output }] of steps.entries()) t.equal(stable(outputs[i]!), stable(output), command);
      }
    }
    if (session !== '')
      await t.test('in Python', { skip: noNumpy }, async t => {
        const report = runPython('readme_session.py', [], session.replaceAll(`http://${SHOWN}`, url));
        t.equal(report.trim(), 'failed 0', report);
      });
    for (const script of scripts) {
      const { stdout, stderr } = runScript(script.replaceAll(`http://${SHOWN}`, url));
      const expected = [...script.matchAll(/^console\.log\(.*\n((?:\/\/ .*\n)+)/gm)].map(match => match[1]);
      t.ok(expected.length > 0, 'a script says what it prints');
      t.equal(stdout, expected.join('').replaceAll(/^\/\/ /gm, ''), stderr);
    }
  });
}

/** What each step prints, in one shell, in the folder that holds the data folder. */
function runSession(steps: readonly Step[], address: string, cwd: string): string[] {
  const mark = '~ end of a step ~';
  const script = steps.map(({ command }) => `${command}\nprintf '%s' '${mark}'\n`).join('');
  const { stdout } = spawnSync('sh', ['-c', script.replaceAll(SHOWN, address)], { encoding: 'utf8', cwd });
  const outputs = stdout.replaceAll(address, SHOWN).replaceAll('\r', '').split(mark);
  return steps.map((_, i) => (outputs[i] ?? 'nothing: the shell had ended').trimEnd());
}

/** A script as a module, on the platform that Node shares with browsers. */
function runScript(input: string): { stdout: string; stderr: string } {
  const [command, ...args] = withoutLoaders(process.execPath, '--input-type=module', '-');
  return spawnSync(command, args, { input, encoding: 'utf8' });
}

/** Lists that are written out of tables of the code, between two marks of a page. */
const GENERATED = [
  { page: 'docs/settings.md', mark: 'settings', text: Object.values(SETTINGS).map(settingEntry).join('\n') },
  ...CLIENT_BLOCKS.map(([mark, text]) => ({ page: 'docs/clients.md', mark, text })),
];

for (const { page, mark, text } of GENERATED) {
  t.test(`the ${mark} of ${page} are those of the code`, async t => updateOrCompare(t, page, mark, text));
}

function settingEntry({ name, default: value, unit, meaning }: (typeof SETTINGS)[keyof typeof SETTINGS]): string {
  return `- **\`${name}\`** (${unit}; ${value === '' ? 'no default' : `default \`${value}\``})\n${wrapped(meaning)}\n`;
}

/** Lines of at most 118 columns, indented as the text of a list is. */
function wrapped(text: string): string {
  return text.replaceAll(/(?=\S)(.{1,116})(?:\s+|$)/g, '  $1\n').trimEnd();
}

const LINKING_PAGES = [...PAGES, 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'demo/README.md', 'bench/README.md'];

for (const page of LINKING_PAGES) {
  t.test(`the links of ${page} lead somewhere`, t => {
    for (const link of linksOf(readPage(page)).filter(each => !/^https?:/.test(each))) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? page : path.join(path.dirname(page), file);
      const isThere = fs.existsSync(path.join(PACKAGE_ROOT, target));
      t.ok(isThere, link);
      if (isThere && anchor !== undefined) t.ok(anchorsOf(readPage(target)).has(anchor), `the heading of ${link}`);
    }
    t.end();
  });
}

t.test('what the pages for users link to is in the package, too', t => {
  const { files } = JSON.parse(readPage('package.json')) as { files: readonly string[] };
  const isPacked = (file: string): boolean => files.some(each => file === each || file.startsWith(`${each}/`));
  // These lead whoever works on the service to its sources.
  const pages = LINKING_PAGES.filter(page => !['CONTRIBUTING.md', 'bench/README.md'].includes(page));
  for (const page of [...pages, 'examples/flights/README.md']) {
    t.ok(isPacked(page), page);
    for (const link of linksOf(readPage(page)).filter(each => !/^(https?:|#)/.test(each))) {
      const target = path.join(path.dirname(page), link.split('#')[0]!).replace(/\/$/, '');
      t.ok(isPacked(target), `${link} of ${page}`);
    }
  }
  t.end();
});

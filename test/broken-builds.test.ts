/** The builds that are broken on purpose can still be made, and have been: the report has what each of them showed. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { changedFiles, programOf } from './faults/broken-builds.js';
import { BROKEN_BUILDS } from './faults/broken-table.js';

t.test('every broken build finds the text that it takes away, exactly once', async t => {
  for (const build of BROKEN_BUILDS) {
    t.doesNotThrow(() => changedFiles(build), build.name);
  }
});

t.test('every broken build names a test that is there, and the part of it that runs', async t => {
  for (const { name, fails, part = '' } of BROKEN_BUILDS) {
    const program = path.join(PACKAGE_ROOT, programOf(fails));
    t.ok(fs.existsSync(program) && fs.readFileSync(program, 'utf8').includes(part), name);
  }
});

t.test('docs/faults.md has what each of them showed, and no others', async t => {
  const report = fs.readFileSync(path.join(PACKAGE_ROOT, 'docs', 'faults.md'), 'utf8');
  const [, table = ''] = report.split('<!-- broken builds -->');
  const shown = [...table.matchAll(/^\| (\S.*?) +\| [a-zT][\w/-]+ +\|/gm)].map(match => match[1]!).slice(1);
  const wanted = BROKEN_BUILDS.map(({ breaks }) => breaks);
  t.strictSame(shown, wanted, 'npm run faults -- --broken --write NAME');
});

t.test('their names are different', async t => {
  t.equal(new Set(BROKEN_BUILDS.map(({ name }) => name)).size, BROKEN_BUILDS.length);
});

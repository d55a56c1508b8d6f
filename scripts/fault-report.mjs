/**
 * The page docs/faults.md: sections between marks that name them, each of which is written anew when its test runs with
 * `--write`. What stands outside of the marks is written by hand and stays.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bootstrap.mjs';

const REPORT = join(ROOT, 'docs', 'faults.md');
const BROKEN = 'broken builds';

/** Keeps what a fault test found, below the words that its program begins with. */
export function keepSection(name, lines) {
  keep(name, [`### ${name}`, '', ...openingOf(join(ROOT, 'test', 'faults', `${name}.faults.ts`)), '', ...lines]);
}

/**
 * Keeps what made tests fail; of builds that did not run, what was found before stays.
 * @param found the first failure, by what a build breaks
 */
export function keepBrokenBuilds(builds, found) {
  const before = new Map(rowsOf(sectionOf(BROKEN)).map(([breaks, , shown]) => [breaks, shown]));
  const rows = builds.map(({ breaks, fails }) => [breaks, fails, found.get(breaks) ?? before.get(breaks)]);
  keep(BROKEN, [
    '| Taken away | Test | What fails first |',
    '| --- | --- | --- |',
    ...rows.filter(([, , shown]) => shown !== undefined).map(cells => `| ${cells.map(inCell).join(' | ')} |`),
  ]);
}

/** Lays the page out as Prettier does. */
export function tidyReport() {
  spawnSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', REPORT], { cwd: ROOT });
}

/** The comment that a program begins with, as lines of text. */
function openingOf(program) {
  const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(program, 'utf8')) ?? [];
  return comment
    .split('\n')
    .map(line => line.replace(/^ \* ?/, '').trim())
    .filter(line => line !== '');
}

/** Puts a section between its two marks, or in front of the broken builds, which are the last. */
function keep(id, lines) {
  const text = readFileSync(REPORT, 'utf8');
  const [begin, end] = marksOf(id);
  const section = [begin, '', ...lines, '', end].join('\n');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from >= 0 && to > from) writeFileSync(REPORT, text.slice(0, from) + section + text.slice(to + end.length));
  else
    writeFileSync(
      REPORT,
      text.replace(/^## Broken builds$/m, heading => `${section}\n\n${heading}`),
    );
}

function sectionOf(id) {
  const [begin, end] = marksOf(id);
  const text = readFileSync(REPORT, 'utf8');
  return text.includes(begin) ? text.split(begin, 2)[1].split(end, 1)[0] : '';
}

function marksOf(id) {
  return [`<!-- ${id} -->`, `<!-- end of ${id} -->`];
}

/** The cells of each row of a table, without its head. */
function rowsOf(markdown) {
  const lines = markdown.split('\n').filter(line => line.startsWith('|'));
  return lines.slice(2).map(line =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map(cell => cell.trim().replaceAll('\\|', '|')),
  );
}

/** `inCell` writes what `rowsOf` reads. */
function inCell(text) {
  return text.replaceAll('|', '\\|');
}

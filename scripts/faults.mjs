/**
 * `npm run faults -- [--full] [--write] [--broken] [name…]`: runs test/faults, the tests that need root, FUSE, cgroups
 * or minutes. `--full` runs the numbers of the promise instead of the short form for CI, `--write` keeps the report in
 * docs/faults.md, `--broken` runs tests against the builds that must make them fail (test/faults/broken-table.ts); names
 * are then those of builds, or of tests: of test/faults, or any other, as in `http/unread`.
 * The last line is tap's: `# { total: 12, pass: 11, fail: 1, skip: 0 }`. Hazard: needs are checked by the tests, which
 * skip with a reason.
 */
import { existsSync, readdirSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, ROOT } from './bootstrap.mjs';
import { keepBrokenBuilds, keepSection, tidyReport } from './fault-report.mjs';
import { runProgram } from './tap-program.mjs';

const FOLDER = join('dist', 'test', 'faults');
const SUFFIX = '.faults.js';
/** What measures short times, or memory: nothing else runs meanwhile. Others wait much, and run two at a time. */
const ALONE = ['event-loop', 'folders', 'hostile', 'memory', 'readers'];
const FILE_SECONDS_MAX = { short: 600, full: 7200 };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { full: { type: 'boolean' }, write: { type: 'boolean' }, broken: { type: 'boolean' } },
});
const form = options.full ? 'full' : 'short';

ensureInstalled();
ensureBuilt();
const sum = { pass: 0, fail: 0, skip: 0 };
if (options.broken) await runBroken();
else await runAll();
if (options.write) tidyReport();
console.log(`# { total: ${sum.pass + sum.fail + sum.skip}, pass: ${sum.pass}, fail: ${sum.fail}, skip: ${sum.skip} }`);
process.exit(sum.fail === 0 ? 0 : 1);

async function runAll() {
  const folder = join(ROOT, FOLDER);
  const all = existsSync(folder) ? readdirSync(folder).filter(each => each.endsWith(SUFFIX)) : [];
  const names = namesAmong(all.map(each => each.slice(0, -SUFFIX.length)));
  const shared = options.full ? [] : names.filter(each => !ALONE.includes(each));
  for (const name of names.filter(each => !shared.includes(each))) {
    // oxlint-disable-next-line no-await-in-loop
    await runFault(name);
  }
  const waiting = shared.values();
  const runWaiting = async () => {
    // oxlint-disable-next-line no-await-in-loop
    for (const name of waiting) await runFault(name);
  };
  await Promise.all([runWaiting(), runWaiting()]);
}

async function runFault(name) {
  const result = await runFile(join(FOLDER, `${name}${SUFFIX}`));
  for (const key of ['pass', 'fail', 'skip']) sum[key] += result[key];
  console.log(`${result.fail === 0 ? 'ok     ' : 'FAILED '} ${name} (${result.pass}, ${result.seconds} s)`);
  for (const reason of result.skipped) console.log(`skipped ${name}: ${reason}`);
  for (const [figure, value] of result.figures) console.log(`        ${figure}: ${value}`);
  if (result.fail > 0) console.log(result.output);
  if (options.write) keepSection(name, describeResult(name, result));
}

/** Those that were asked for, or all; ends the program where there is none of a name. */
function namesAmong(known) {
  const unknown = positionals.filter(each => !known.includes(each));
  if (unknown.length > 0) {
    console.error(`there is no ${unknown.join(', ')}; there are ${known.toSorted().join(', ')}`);
    process.exit(2);
  }
  return positionals.length > 0 ? positionals : known.toSorted();
}

/** Every broken build must start, and must make its test fail. */
async function runBroken() {
  const { BROKEN_BUILDS } = await import(join(ROOT, FOLDER, 'broken-table.js'));
  const tools = await import(join(ROOT, FOLDER, 'broken-builds.js'));
  const names = namesAmong([...new Set(BROKEN_BUILDS.flatMap(({ name, fails }) => [name, fails]))]);
  const found = new Map();
  for (const build of BROKEN_BUILDS.filter(({ name, fails }) => names.includes(name) || names.includes(fails))) {
    // oxlint-disable-next-line no-await-in-loop
    const { verdict, shown, seconds = 0 } = await runOneBroken(build, tools);
    sum[verdict === 'fails' ? 'pass' : verdict === 'skipped' ? 'skip' : 'fail']++;
    const mark = verdict === 'passes' ? 'FAILED ' : 'ok     ';
    console.log(`${mark} ${build.name}: ${build.fails} ${verdict} (${seconds} s): ${shown}`);
    if (verdict === 'fails') found.set(build.breaks, shown);
  }
  if (options.write) keepBrokenBuilds(BROKEN_BUILDS, found);
}

async function runOneBroken(build, { makeBuild, programOf, starts }) {
  let made;
  try {
    made = makeBuild(build);
  } catch (error) {
    return { verdict: 'passes', shown: `the broken build cannot be made: ${error.message}` };
  }
  try {
    const program = programOf(build.fails);
    const env = {
      // A fault test goes on to its end, where it gives back what it has mounted.
      ...(!program.endsWith(SUFFIX) && { TAP_BAIL: '1', TMPDIR: made.temporary }),
      ...(build.part && { TAP_GREP: `/^${escaped(build.part)}/`, TAP_FILTER_QUIETLY: '1' }),
      ...build.env,
    };
    const { pass, fail, failed, skipped, seconds } = await runFile(program, made.folder, env);
    // Where nothing runs, a failure shows nothing.
    if (pass === 0 && fail > 0 && !(await starts(made))) {
      return { verdict: 'passes', shown: 'the broken build does not start', seconds };
    }
    if (fail > 0) return { verdict: 'fails', shown: short(failed[0]), seconds };
    if (pass === 0 && skipped.length > 0) return { verdict: 'skipped', shown: skipped[0], seconds };
    return { verdict: 'passes', shown: `${pass} passed and none failed`, seconds };
  } finally {
    made.remove();
  }
}

function escaped(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** The beginning of a title; what some tools print after it is long, and tells of this machine. */
function short(title) {
  const [line] = title.split('\n');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

/** Runs a program in the form that was asked for. */
async function runFile(program, folder, env = {}) {
  const secondsMax = FILE_SECONDS_MAX[form];
  const result = await runProgram(program, { folder, env: { HYPERSLAB_FAULTS: form, ...env }, secondsMax });
  return { ...result, seconds: Math.round(result.seconds) };
}

function describeResult(name, { pass, fail, skip, skipped, figures, seconds }) {
  const date = new Date().toISOString().slice(0, 10);
  const machine = `Node ${process.versions.node}, Linux ${release().split('.', 2).join('.')}, ${cpus().length} cores`;
  return [
    `${pass} passed, ${fail} failed, ${skip} skipped in ${seconds} s (${form} form, ${date}, ${machine}).`,
    ...skipped.map(reason => `\nSkipped: ${reason}.`),
    ...(figures.length > 0 ? ['', '| Figure | Value |', '| --- | --- |'] : []),
    ...figures.map(([figure, value]) => `| ${figure} | ${value} |`),
  ];
}

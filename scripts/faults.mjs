/**
 * `npm run faults -- [--full] [--write] [--broken] [name…]`: runs test/faults, the tests that need root, FUSE, cgroups
 * or minutes. `--full` runs the numbers of the promise instead of the short form for CI, `--write` keeps the report in
 * docs/faults.md, `--broken` runs each test against the builds that must make it fail (test/faults/broken-table.ts).
 * The last line is tap's: `# { total: 12, pass: 11, fail: 1, skip: 0 }`. Hazard: needs are checked by the tests, which
 * skip with a reason.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, ROOT } from './bootstrap.mjs';
import { tapCounter } from './tap-counter.mjs';

const FOLDER = join('dist', 'test', 'faults');
const SUFFIX = '.faults.js';
const REPORT = join('docs', 'faults.md');
const FILE_SECONDS_MAX = { short: 600, full: 7200 };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { full: { type: 'boolean' }, write: { type: 'boolean' }, broken: { type: 'boolean' } },
});
const form = options.full ? 'full' : 'short';

/** The test that runs, in a process group of its own. */
let running;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (running?.pid) process.kill(-running.pid, 'SIGKILL');
    process.exit(1);
  });
}

ensureInstalled();
ensureBuilt();
const names = namesToRun();
const sum = { pass: 0, fail: 0, skip: 0 };
for (const section of options.broken ? await runBroken() : await runAll()) if (options.write) keep(section);
if (options.write) spawnSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', REPORT]);
console.log(`# { total: ${sum.pass + sum.fail + sum.skip}, pass: ${sum.pass}, fail: ${sum.fail}, skip: ${sum.skip} }`);
process.exit(sum.fail === 0 ? 0 : 1);

function namesToRun() {
  const folder = join(ROOT, FOLDER);
  const all = existsSync(folder) ? readdirSync(folder).filter(each => each.endsWith(SUFFIX)) : [];
  const known = all.map(each => each.slice(0, -SUFFIX.length)).toSorted();
  const unknown = positionals.filter(each => !known.includes(each));
  if (unknown.length > 0) {
    console.error(`there is no fault test ${unknown.join(', ')}; there are ${known.join(', ')}`);
    process.exit(2);
  }
  return positionals.length > 0 ? positionals : known;
}

async function runAll() {
  const sections = [];
  for (const name of names) {
    const result = await runFile(name);
    for (const key of ['pass', 'fail', 'skip']) sum[key] += result[key];
    console.log(`${result.fail === 0 ? 'ok     ' : 'FAILED '} ${name} (${result.pass}, ${result.seconds} s)`);
    for (const reason of result.skipped) console.log(`skipped ${name}: ${reason}`);
    for (const [figure, value] of result.figures) console.log(`        ${figure}: ${value}`);
    if (result.fail > 0) console.log(result.output);
    sections.push({ id: name, lines: describeResult(name, result) });
  }
  return sections;
}

/** Every broken build must start, and must make its test fail. */
async function runBroken() {
  const { BROKEN_BUILDS } = await import(join(ROOT, FOLDER, 'broken-table.js'));
  const { makeBuild, starts } = await import(join(ROOT, FOLDER, 'broken-builds.js'));
  const rows = new Map();
  for (const build of BROKEN_BUILDS.filter(({ fails }) => names.includes(fails))) {
    const { verdict, shown } = await runOneBroken(build, { makeBuild, starts });
    sum[verdict === 'fails' ? 'pass' : verdict === 'skipped' ? 'skip' : 'fail']++;
    console.log(`${verdict === 'passes' ? 'FAILED ' : 'ok     '} ${build.name}: ${build.fails} ${verdict}: ${shown}`);
    rows.set(build.fails, [...(rows.get(build.fails) ?? []), `| ${build.breaks} | ${shown} |`]);
  }
  return [...rows].map(([name, lines]) => ({
    id: `${name}, broken builds`,
    lines: ['| Broken on purpose | What fails |', '| --- | --- |', ...lines],
  }));
}

async function runOneBroken(build, { makeBuild, starts }) {
  let made;
  try {
    made = makeBuild(build);
  } catch (error) {
    return { verdict: 'passes', shown: `the broken build cannot be made: ${error.message}` };
  }
  const { server, remove } = made;
  try {
    if (!(await starts(server))) return { verdict: 'passes', shown: 'the broken build does not start' };
    const result = await runFile(build.fails, { HYPERSLAB_TEST_SERVER: server, ...build.env });
    if (result.fail > 0) return { verdict: 'fails', shown: `${result.fail} failed, first: ${short(result.failed[0])}` };
    if (result.pass === 0) return { verdict: 'skipped', shown: result.skipped[0] ?? 'nothing ran' };
    return { verdict: 'passes', shown: `${result.pass} passed and none failed` };
  } finally {
    remove();
  }
}

/** The beginning of a title; what some tools print after it is long, and tells of this machine. */
function short(title) {
  const [line] = title.split('\n');
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}

/** Runs one file in a process group of its own, so that nothing of it is left when it takes too long. */
async function runFile(name, env = {}) {
  const started = Date.now();
  const limit = FILE_SECONDS_MAX[form];
  const child = spawn(process.execPath, [join(FOLDER, `${name}${SUFFIX}`)], {
    cwd: ROOT,
    env: { ...process.env, HYPERSLAB_FAULTS: form, TAP_TIMEOUT: String(limit), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running = child;
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), (limit + 30) * 1000);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => output.push(chunk));
  const status = await new Promise(resolve => {
    child.on('error', () => resolve(-1));
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
  running = undefined;
  clearTimeout(timer);
  const text = Buffer.concat(output).toString();
  const result = tapCounter(text);
  if (status !== 0 && result.fail === 0) {
    result.fail = 1;
    result.failed.push(`the test ended with ${status}`);
  }
  return { ...result, seconds: Math.round((Date.now() - started) / 1000), output: text };
}

function describeResult(name, { pass, fail, skip, skipped, figures, seconds }) {
  const date = new Date().toISOString().slice(0, 10);
  const machine = `Node ${process.versions.node}, Linux ${release().split('.', 2).join('.')}, ${cpus().length} cores`;
  return [
    `### ${name}`,
    '',
    `${pass} passed, ${fail} failed, ${skip} skipped in ${seconds} s (${form} form, ${date}, ${machine}).`,
    ...skipped.map(reason => `\nSkipped: ${reason}.`),
    ...(figures.length > 0 ? ['', '| Figure | Value |', '| --- | --- |'] : []),
    ...figures.map(([figure, value]) => `| ${figure} | ${value} |`),
  ];
}

/** Puts a section between its two marks in the report, or at its end. */
function keep({ id, lines }) {
  const begin = `<!-- ${id} -->`;
  const end = `<!-- end of ${id} -->`;
  const section = [begin, '', ...lines, '', end].join('\n');
  const text = existsSync(join(ROOT, REPORT)) ? readFileSync(join(ROOT, REPORT), 'utf8') : '# Fault tests\n';
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  const found = from >= 0 && to > from;
  const whole = found
    ? text.slice(0, from) + section + text.slice(to + end.length)
    : `${text.trimEnd()}\n\n${section}\n`;
  writeFileSync(join(ROOT, REPORT), whole);
}

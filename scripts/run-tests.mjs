/**
 * Runs test files that are compiled, several at a time, and shows of each how long it took, and all that it printed where
 * it failed. Arguments are files or folders; without any it runs all of dist/test. The last line sums up what was
 * asserted: `# { total: 12, pass: 11, fail: 1, skip: 0 }`.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './bootstrap.mjs';
import { runProgram } from './tap-program.mjs';

const SUFFIX = '.test.js';
/** A shared machine may be several times slower than these tests need. */
const FILE_SECONDS_MAX = 240;
/** One more than there are cores, since some of them wait. */
const JOBS = availableParallelism() + 1;
const SHORT_FORM = /^ *# short form: .*$/m;

const given = process.argv.slice(2);
const files = (given.length > 0 ? given : [join('dist', 'test')]).flatMap(filesOf);
const sum = { pass: 0, fail: 0, skip: 0 };
let shortForms = 0;
const waiting = files.values();
await Promise.all(Array.from({ length: JOBS }, runWaiting));
if (files.length === 0) console.log(`there is no test in ${given.join(', ')}`);
if (shortForms > 0) console.log(`${shortForms} in a shorter form: HYPERSLAB_TEST_CASES=full tries all cases`);
console.log(`# { total: ${sum.pass + sum.fail + sum.skip}, pass: ${sum.pass}, fail: ${sum.fail}, skip: ${sum.skip} }`);
process.exit(sum.fail === 0 && files.length > 0 ? 0 : 1);

async function runWaiting() {
  for (const file of waiting) {
    // oxlint-disable-next-line no-await-in-loop
    const result = await runProgram(file, { secondsMax: FILE_SECONDS_MAX });
    show(file, result);
  }
}

function show(file, { pass, fail, skip, skipped, failed, seconds, output }) {
  sum.pass += pass;
  sum.fail += fail;
  sum.skip += skip;
  if (SHORT_FORM.test(output)) shortForms++;
  console.log(`${fail === 0 ? 'ok     ' : 'FAILED '} ${seconds.toFixed(1).padStart(5)} s  ${file} (${pass})`);
  for (const reason of skipped) console.log(`         skipped ${reason}`);
  if (fail === 0) return;
  for (const title of failed) console.log(`         failed ${title}`);
  console.log(output);
}

/** A file as it was given; of a folder all tests in it. */
function filesOf(given) {
  if (!existsSync(join(ROOT, given))) {
    console.error(`${given} is not there: tests are named as they are compiled, dist/test/dtype.test.js`);
    process.exit(1);
  }
  if (!statSync(join(ROOT, given)).isDirectory()) return [given];
  return readdirSync(join(ROOT, given), { recursive: true })
    .filter(each => each.endsWith(SUFFIX))
    .map(each => join(given, each))
    .toSorted();
}

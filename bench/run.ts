/**
 * Side-by-side measurements: every case alternates between ours and theirs, so that whatever else the machine does
 * falls on both. Needs 1 GB of disk and of page cache in the temporary folder; removes what it made.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { CASES } from './cases.js';
import { Contenders } from './contenders.js';
import { COLUMNS, makeData, ROWS, warm } from './data.js';
import { GENERATOR } from './load.js';
import { measureHttp, measureStatistics, type Effort } from './measure.js';
import { startOurs, type Place } from './servers.js';
import { machine, markdown, writeInto, type Missing, type Result } from './table.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: CASES.map(each => each.name).join(',') },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});
const effort: Effort = { rounds: Number(options.rounds), seconds: Number(options.seconds) };
const cases = options.only.split(',').map(name => {
  const found = CASES.find(each => each.name === name);
  if (!found) throw new Error(`there is no case ${name}; there are ${CASES.map(each => each.name).join(', ')}`);
  return found;
});

/** What has to be undone, last first. */
const cleanups: (() => unknown)[] = [];
process.once('SIGINT', () => void cleanUp().then(() => process.exit(130)));
try {
  await main();
} finally {
  await cleanUp();
}

async function main(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-bench-'));
  cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }));
  const place: Place = { folder, dataFile: path.join(folder, 'big.f32') };
  say('making 1 GB of data');
  makeData(place.dataFile);
  warm(place.dataFile);
  const ours = kept(await startOurs(place, [ROWS, COLUMNS]));
  const contenders = kept(new Contenders(place, ours));

  const results: (Result | Missing)[] = [];
  for (const each of cases) {
    const missing = contenders.missing(each.contender);
    say(missing ?? each.title);
    if (missing !== undefined) results.push({ title: each.title, reason: missing });
    else if (each.kind === 'http')
      results.push(await measureHttp(each, ours, await contenders.server(each.contender), effort));
    else results.push(await measureStatistics(each, ours, contenders.numpy(), effort));
  }
  const table = markdown(results, [
    `${new Date().toISOString().slice(0, 10)}; ${machine()}`,
    `${effort.rounds} rounds of ${effort.seconds} s a side; load by ${GENERATOR === 'wrk' ? 'wrk, one thread' : "bench/load-child.ts (wrk isn't installed)"}`,
  ]);
  process.stdout.write(`${table}\n`);
  if (options.write) writeInto(path.join(PACKAGE_ROOT, 'bench/README.md'), table);
}

function kept<T extends { stop(): Promise<void> }>(started: T): T {
  cleanups.push(() => started.stop());
  return started;
}

async function cleanUp(): Promise<void> {
  for (let undo = cleanups.pop(); undo; undo = cleanups.pop()) await undo();
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

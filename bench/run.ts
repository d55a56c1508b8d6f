/**
 * Reads side by side: every case alternates between ours and theirs, so that whatever else the machine does falls on
 * both. Needs 1 GB of disk and of page cache in the temporary folder; removes what it made.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './cases.js';
import { Contenders } from './contenders.js';
import { COLUMNS, makeData, ROWS, warm } from './data.js';
import { chosen, dateAndMachine, publish, runBench, say, type Bench } from './frame.js';
import { GENERATOR } from './load.js';
import { measureHttp, type Effort } from './measure.js';
import { register, startService, type Place } from './servers.js';
import { markdown, type Missing, type Result } from './table.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});
const effort: Effort = { rounds: Number(options.rounds), seconds: Number(options.seconds) };
const cases = chosen(CASES, options.only);

await runBench(main);

async function main({ folder, kept }: Bench): Promise<void> {
  const place: Place = { folder, dataFile: path.join(folder, 'big.f32') };
  say('making 1 GB of data');
  makeData(place.dataFile);
  warm(place.dataFile);
  const ours = kept(await startService(folder, { HYPERSLAB_ROOTS: folder }));
  const shape = [ROWS, COLUMNS];
  await register(ours, { name: 'big', path: place.dataFile, format: 'raw', dtype: 'float32', shape, mode: 'r' });
  const contenders = kept(new Contenders(place, ours));

  const results: (Result | Missing)[] = [];
  for (const each of cases) {
    const missing = contenders.missing(each.contender);
    say(missing ?? each.title);
    if (missing !== undefined) results.push({ title: each.title, reason: missing });
    else results.push(await measureHttp(each, ours, await contenders.server(each.contender), effort));
  }
  const table = markdown(results, [
    dateAndMachine(),
    `${effort.rounds} rounds of ${effort.seconds} s a side; load by ${GENERATOR === 'wrk' ? 'wrk, one thread' : "bench/load-child.ts (wrk isn't installed)"}`,
  ]);
  publish(table, { write: options.write, place: 'table' });
}

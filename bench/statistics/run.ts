/**
 * Statistics side by side with what people use for them, on one warm file of 1 GB: ours over HTTP with caches off, the
 * others inside their own processes. The first run makes the data, a Python environment and the reference answers, and
 * keeps them (data.ts says where).
 */
import { parseArgs } from 'node:util';
import { chosen, dateAndMachine, publish, runBench, say, type Bench } from '../frame.js';
import { cachedTables } from './cached.js';
import { CASES } from './cases.js';
import { startContenders, THREADS, type Contender } from './contenders.js';
import { prepareData, type Data } from './data.js';
import { measureCase, type Measured } from './measure.js';
import { anonymousBytes } from './memory.js';
import { startOurs } from './ours.js';
import { preparePython } from './python.js';
import { startReadLimit } from './read-limit.js';
import { prepareReference, type Reference } from './reference.js';
import { inShort, tables } from './tables.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    write: { type: 'boolean', default: false },
    /** Only what caches do, not the contest without them. */
    cached: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const cases = chosen(CASES, options.only);

await runBench(main);

async function main(bench: Bench): Promise<void> {
  const data = prepareData();
  const prepared = preparePython(data.folder);
  if ('missing' in prepared) throw new Error(`there is nobody to compare with: ${prepared.missing}`);
  const reference = prepareReference(prepared.python, data);
  if (!options.cached) {
    const table = await contest(bench, data, prepared.python, reference);
    publish(table, { write: options.write, place: 'statistics' });
  }
  const ours = bench.kept(await startOurs(bench.folder, data, { caches: true, mode: 'r+' }));
  const table = await cachedTables(cases, ours, data, reference);
  publish(`${table}\n\n- ${dateAndMachine()}`, { write: options.write, place: 'cached' });
}

async function contest({ folder, kept }: Bench, data: Data, python: string, reference: Reference): Promise<string> {
  const started = await startContenders(python, data);
  const contenders = started.filter((each): each is Contender => 'cases' in each);
  for (const contender of contenders) kept(contender);
  const limit = await startReadLimit(folder, data);
  if (typeof limit !== 'string') kept(limit);
  const ours = kept(await startOurs(folder, data, { caches: false }));
  const idle = new Map([ours.pid, ...contenders.map(({ pid }) => pid)].map(pid => [pid, anonymousBytes(pid)]));

  const measured: Measured[] = [];
  const field = { ours, contenders, reference, idle, rounds, limit: typeof limit === 'string' ? undefined : limit };
  for (const each of cases) {
    measured.push(await measureCase(each, field));
    say(inShort(measured.at(-1)!));
  }
  await Promise.all([ours, ...contenders].map(each => each.stop()));
  const facts = [
    dateAndMachine(),
    `${rounds} rounds; ${THREADS} threads for everybody but numpy and bottleneck; medians`,
    ...(typeof limit === 'string' ? [limit] : []),
    ...started.flatMap(each => ('absent' in each ? [`left out: ${each.name} (${each.absent})`] : [])),
  ];
  const names = contenders.map(({ name }) => name);
  return [tables(measured, names), '', ...facts.map(fact => `- ${fact}`)].join('\n');
}

/**
 * The worked example (examples/flights) at full size: the service, pandas, polars and DuckDB in turns, on the same
 * 10^8 real flights (0.9 GB, kept like the files of the statistics bench); their answers compared, memory watched.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { dateAndMachine, publish, runBench, say, type Bench } from '../frame.js';
import { startService } from '../servers.js';
import { benchFolder } from '../statistics/data.js';
import { peakDuring } from '../statistics/memory.js';
import { preparePython } from '../statistics/python.js';
import { median, rounded } from '../table.js';
import { differenceOf, readLines } from './answers.js';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000000' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
});
const ENGINES = ['pandas', 'polars', 'duckdb'] as const;
const EXAMPLE = path.join(PACKAGE_ROOT, 'examples/flights');

interface Round {
  readonly seconds: number;
  readonly peak: number | undefined;
}

interface Side {
  readonly name: string;
  run(): Promise<Round>;
  readonly rounds: Round[];
}

await runBench(main);

async function main({ folder, kept }: Bench): Promise<void> {
  const data = path.join(benchFolder(), `flights-${options.rows}`);
  fs.mkdirSync(data, { recursive: true });
  const prepared = preparePython(benchFolder());
  const server = kept(await startService(folder, { HYPERSLAB_ROOTS: data }));
  const sides: Side[] = [
    { name: 'hyperslab', run: () => runOurs(server, data), rounds: [] },
    ...('python' in prepared
      ? ENGINES.map(name => ({ name, run: () => runEngine(prepared.python, name, data), rounds: [] }))
      : []),
  ];
  // The first round makes the files and brings them into the page cache.
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const side of sides) {
      say(`${side.name}, round ${round}`);
      const measured = await side.run();
      if (round > 0) side.rounds.push(measured);
    }
  }
  publish(tableOf(sides, data), { write: options.write, place: 'flights' });
}

function tableOf(sides: readonly Side[], data: string): string {
  const ours = readLines(path.join(data, 'results.ndjson'));
  return [
    `| ${Number(options.rows).toLocaleString('en-US')} flights | from files to answers | peak of anonymous memory | answers |`,
    '|---|---|---|---|',
    ...sides.map(({ name, rounds }) => {
      const file = name === 'hyperslab' ? 'results.ndjson' : `results-${name}.ndjson`;
      const difference = differenceOf(readLines(path.join(data, file)), ours);
      const peaks = rounds.flatMap(({ peak }) => peak ?? []);
      const peak = peaks.length > 0 ? `${Math.round(Math.max(...peaks) / 1e6)} MB` : '–';
      return `| ${name} | ${rounded(median(rounds.map(({ seconds }) => seconds)))} s | ${peak} | ${difference ?? 'the same'} |`;
    }),
    '',
    `- ${dateAndMachine()}`,
    `- ${options.rounds} rounds; medians`,
  ].join('\n');
}

async function runOurs({ url, pid }: { url: string; pid: number }, data: string): Promise<Round> {
  const args = [path.join(EXAMPLE, 'run.mjs'), '--rows', options.rows, '--folder', data, '--url', url];
  let said = '';
  const peak = await peakDuring(pid, async () => (said = await outputOf(process.execPath, args).output));
  return { seconds: Number(/asked in (\d+) ms/.exec(said)?.[1]) / 1000, peak };
}

async function runEngine(python: string, name: string, data: string): Promise<Round> {
  const { pid, output } = outputOf(python, [path.join(EXAMPLE, 'compare.py'), name, data]);
  const peak = await peakDuring(pid, () => output);
  return { seconds: Number(/^([\d.]+) s$/m.exec(await output)?.[1]), peak };
}

function outputOf(command: string, args: readonly string[]): { pid: number; output: Promise<string> } {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = Promise.all([text(child.stdout), once(child, 'exit')]).then(([said]) => {
    if (child.exitCode !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
    return said;
  });
  return { pid: child.pid!, output };
}

/**
 * Appending: rows of 4 kB a second by 1, 8 and 64 clients, each acknowledged when it is on the disk; beside a Python loop
 * that writes and calls fsync, and SQLite, which take turns with ours on the disk of the temporary folder.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { dateAndMachine, publish, runBench, say, type Bench } from '../frame.js';
import { hasPython, PYTHON } from '../python-child.js';
import { compiled, register, startService } from '../servers.js';
import { markdown, median, rounded, type Result } from '../table.js';
import { COLUMNS } from './rows.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
const CLIENTS = [1, 8, 64];
const run = promisify(execFile);

interface Counted {
  readonly acks: number;
  readonly seconds: number;
  /** Milliseconds from a request to the end of its answer. */
  readonly p50?: number;
  readonly p99?: number;
}

interface Side {
  readonly title: string;
  measure(clients: number): Promise<Counted>;
}

await runBench(main);

async function main(bench: Bench): Promise<void> {
  const sides = [await startOurs(bench), ...others(bench.folder)];
  const measured = CLIENTS.map(clients => ({ clients, bySide: sides.map((): Counted[] => []) }));
  const rounds = Number(options.rounds);
  // The first round warms caches and compilers.
  for (let round = 0; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    for (const { clients, bySide } of measured) {
      for (const [i, side] of sides.entries()) {
        const counted = await side.measure(clients);
        if (round > 0) bySide[i]!.push(counted);
      }
    }
  }
  const latencies = measured.map(({ clients, bySide: [ours] }) => {
    const of = (values: readonly number[]): string => `${rounded(median(values))} ms`;
    return `| ${inWords(clients)} | ${of(ours!.map(({ p50 }) => p50!))} | ${of(ours!.map(({ p99 }) => p99!))} |`;
  });
  const comparisons = measured.flatMap(({ clients, bySide: [ours, ...rest] }) =>
    rest.map((theirs, i): Result => ({
      title: inWords(clients),
      contender: sides[i + 1]!.title,
      unit: 'acks/s',
      ours: ours!.map(perSecond),
      theirs: theirs.map(perSecond),
    })),
  );
  const facts = [dateAndMachine(), `${rounds} rounds of ${options.seconds} s a side; medians`];
  const table = ['| appends of 4 kB | latency, median | latency, p99 |', '|---|---|---|', ...latencies, ''];
  publish([...table, markdown(comparisons, facts)].join('\n'), { write: options.write, place: 'appends' });
}

async function startOurs({ folder, kept }: Bench): Promise<Side> {
  const server = kept(await startService(folder, { HYPERSLAB_DATA_DIR: path.join(folder, 'ours') }));
  await register(server, { name: 'rows', dtype: 'float32', shape: [0, COLUMNS] });
  const length = async (): Promise<number> =>
    ((await (await fetch(`${server.url}/v1/datasets/rows`)).json()) as { shape: number[] }).shape[0]!;
  return {
    title: 'ours',
    async measure(clients) {
      const before = await length();
      const counted = await count(process.execPath, compiled('append/clients-child.js'), {
        target: `${server.url}/v1/datasets/rows/append`,
        clients,
      });
      const added = (await length()) - before;
      if (added !== counted.acks) throw new Error(`${counted.acks} rows were acknowledged, and ${added} were added`);
      return counted;
    },
  };
}

function others(folder: string): Side[] {
  const sides: Side[] = [];
  const add = (title: string, script: string): void => {
    const file = path.join(PACKAGE_ROOT, 'bench/append', script);
    sides.push({ title, measure: clients => count(PYTHON, file, { target: folder, clients }) });
  };
  if (hasPython('threading')) add('write + fsync in Python, no service', 'append_loop.py');
  if (hasPython('sqlite3')) add('SQLite in process', 'sqlite_appends.py');
  return sides;
}

async function count(
  command: string,
  script: string,
  { target, clients }: { target: string; clients: number },
): Promise<Counted> {
  const { stdout } = await run(command, [script, target, String(clients), options.seconds]);
  return JSON.parse(stdout) as Counted;
}

function perSecond({ acks, seconds }: Counted): number {
  return acks / seconds;
}

function inWords(clients: number): string {
  return clients === 1 ? 'one client' : `${clients} clients`;
}

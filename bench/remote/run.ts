/**
 * One program in Python that reads an array of 1 GB in the page cache: by the client of this service, in turns with
 * numpy.memmap on the same file, and with the clients of other services. All read with the brackets of numpy, and what
 * they read is compared. Needs 4 GB of disk and of page cache; gives them back at the end.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { hasNginx, startNginx } from '../contenders.js';
import { COLUMNS, makeData, ROWS, warm } from '../data.js';
import { chosen, dateAndMachine, publish, runBench, say, type Bench } from '../frame.js';
import { hasPython, PYTHON, startPython, type PythonChild } from '../python-child.js';
import { register, startChild, startService, type Server } from '../servers.js';
import { markdown, type Missing, type Result } from '../table.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    against: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

interface Case {
  readonly name: string;
  readonly title: string;
  /** How often faster than a contender the client should be. */
  readonly aims: Readonly<Record<string, number>>;
}

const CASES: readonly Case[] = [
  { name: 'row', title: '100 random rows of 4 kB, one after another', aims: { tiled: 10 } },
  { name: 'megabyte', title: '10 random blocks of 1 MB, one after another', aims: {} },
  { name: 'gigabyte', title: 'all, 1 GB', aims: { curl: 0.8 } },
  { name: 'column', title: 'a column, 1 MB', aims: {} },
  { name: 'mean', title: 'mean of all', aims: {} },
];

interface Setting extends Bench {
  readonly dataFile: string;
  readonly ours: Server;
}

interface Contender {
  readonly name: string;
  readonly title: string;
  readonly modules?: readonly string[];
  /** Why it cannot run here, beyond modules. */
  readonly missing?: () => string | undefined;
  /** Where its reader finds the array. */
  readonly where: (setting: Setting) => Promise<string> | string;
  /** Cases that it is for; all without it. */
  readonly cases?: readonly string[];
}

const CONTENDERS: readonly Contender[] = [
  { name: 'memmap', title: 'numpy.memmap, no service', where: ({ dataFile }) => dataFile },
  { name: 'curl', title: 'curl to memory', where: ({ ours }) => ours.url, cases: ['gigabyte'] },
  {
    name: 'zarr',
    title: 'zarr-python, our Zarr view',
    modules: ['zarr', 'aiohttp'],
    where: ({ ours }) => `${ours.url}/zarr/a`,
  },
  {
    name: 'zarr-nginx',
    title: 'zarr-python, a store behind nginx',
    modules: ['zarr', 'aiohttp'],
    missing: () => (hasNginx() ? undefined : 'nginx is missing'),
    async where({ folder, dataFile, kept }) {
      python('zarr_store.py', dataFile, path.join(folder, 'store'));
      return `${kept(await startNginx({ folder })).url}/store`;
    },
  },
  {
    name: 'tiled',
    title: 'Tiled',
    modules: ['tiled', 'uvicorn'],
    async where({ folder, dataFile, kept }) {
      const args = (port: number): string[] => [script('tiled_server.py'), dataFile, String(port)];
      return kept(await startChild(folder, 'tiled', port => ({ command: PYTHON, args: args(port) }))).url;
    },
  },
  {
    name: 'h5pyd',
    title: 'h5pyd, HSDS',
    modules: ['h5pyd', 'hsds'],
    async where({ folder, dataFile, kept }) {
      const { url } = kept(await startHsds(folder));
      python('h5pyd_load.py', dataFile, url);
      return url;
    },
  },
];

await runBench(main);

async function main(bench: Bench): Promise<void> {
  const dataFile = path.join(bench.folder, 'a.f32');
  say('making 1 GB of data');
  makeData(dataFile);
  warm(dataFile);
  const ours = bench.kept(await startService(bench.folder, { HYPERSLAB_ROOTS: bench.folder }));
  const array = { path: dataFile, format: 'raw', external: false, dtype: '<f4', shape: [ROWS, COLUMNS] };
  await register(ours, { ...array, name: 'a' });
  const client = bench.kept(await startReader('hyperslab', ours.url));
  bench.later(() => fs.rmSync('/dev/shm/hyperslab-bench', { force: true }));
  const results: (Result | Missing)[] = [];
  for (const contender of chosen(CONTENDERS, options.against)) {
    const { name, title, modules = [], missing, cases = CASES.map(each => each.name) } = contender;
    const reason = hasPython(...modules, 'numpy') ? missing?.() : `one of ${modules.join(', ')} is missing`;
    if (reason) {
      results.push({ title, reason });
      continue;
    }
    say(`starting ${title}`);
    let where: string;
    try {
      where = await contender.where({ ...bench, dataFile, ours });
    } catch (error) {
      say(String(error));
      results.push({ title, reason: 'its service could not be prepared' });
      continue;
    }
    const reader = bench.kept(await startReader(name, where));
    for (const each of chosen(CASES, options.only).filter(({ name: one }) => cases.includes(one))) {
      const result = await contest(each, contender, client, reader);
      say(markdown([result], []).split('\n')[2]!);
      results.push(result);
    }
  }
  const order = (row: Result | Missing): number => CASES.findIndex(({ title }) => title === row.title);
  results.sort((one, other) => order(one) - order(other));
  const facts = [dateAndMachine(), `${options.rounds} rounds in turns; clients of Python, one call at a time`];
  publish(markdown(results, facts), { write: options.write, place: 'remote' });
}

async function contest(
  each: Case,
  { name, title }: Contender,
  client: PythonChild,
  reader: PythonChild,
): Promise<Result> {
  const result = { ours: [] as number[], theirs: [] as number[] };
  for (let round = -1; round < Number(options.rounds); round++) {
    const question = `${each.name} ${round + 1}`;
    const [ours = 0, digest = 0] = await client.ask(question);
    const [theirs = 0, expected = 0] = await reader.ask(question);
    const differs = each.name === 'mean' ? Math.abs(digest - expected) > 1e-9 : digest !== expected;
    if (differs) throw new Error(`${each.name}, ${title}: what was read differs`);
    if (round < 0) continue;
    result.ours.push(ours);
    result.theirs.push(theirs);
  }
  const aim = each.aims[name];
  return { title: each.title, contender: title, unit: 'ms', ...result, ...(aim !== undefined && { aim }) };
}

function startReader(name: string, where: string): Promise<PythonChild> {
  return startPython('bench/remote/reader.py', [name, where]);
}

/** HSDS beside the Python, over a folder of its own. */
function startHsds(folder: string): Promise<Server> {
  const root = path.join(folder, 'hsds');
  fs.mkdirSync(path.join(root, 'bench'), { recursive: true });
  const command = path.join(path.dirname(PYTHON), 'hsds');
  const account = ['--hs_username', 'admin', '--hs_password', 'admin'];
  return startChild(folder, 'hsds', port => ({
    command,
    args: ['--root_dir', root, '--bucket_name', 'bench', '--host', '127.0.0.1', '--port', String(port), ...account],
  }));
}

/** Runs a program that prepares something. */
function python(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(PYTHON, ['-B', script(program), ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed:\n${stderr}`);
}

function script(name: string): string {
  return path.join(PACKAGE_ROOT, 'bench/remote', name);
}

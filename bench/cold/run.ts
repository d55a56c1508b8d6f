/**
 * Statistics of a file that is larger than the memory: 4 GB from a cold page cache, in a control group of 512 MiB, in
 * turns with `dd`, which reads the file once. Needs root, a disk (not tmpfs) and 4 GB of it; gives them back at the end.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeMemoryCgroup, type MemoryCgroup } from '../../test/faults/memory-cgroup.js';
import { COLUMNS } from '../data.js';
import { dateAndMachine, publish, runBench, say, type Bench } from '../frame.js';
import { register, startService } from '../servers.js';
import { median, rounded } from '../table.js';
import { makeColdFile, type ColdFile } from './data.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    gigabytes: { type: 'string', default: '4' },
    write: { type: 'boolean', default: false },
  },
});
const LIMIT_MIB = 512;
const AIM = 1.2;

/** How often each has to see every byte: a median counts twice, by the high bits and by the low ones. */
const CASES = [
  { op: 'mean', passes: 1 },
  { op: 'std', passes: 1 },
  { op: 'median', passes: 2 },
] as const;
type Case = (typeof CASES)[number];

await runBench(main);

async function main({ folder, later }: Bench): Promise<void> {
  const group = makeMemoryCgroup(LIMIT_MIB * 1024 ** 2);
  if (typeof group === 'string') return say(`left out: ${group}`);
  later(() => group.remove());
  say(`making ${options.gigabytes} GB of data`);
  const cold = makeColdFile(path.join(folder, 'cold.f32'), Number(options.gigabytes));
  const rows: string[] = [];
  for (const each of CASES) rows.push(await measure(each, cold, folder, group));
  const table = [
    `| ${options.gigabytes} GB, cold, ${LIMIT_MIB} MiB | ours | dd | passes | ours / (dd × passes) | bytes read / size | aim |`,
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `- ${dateAndMachine()}`,
    `- ${options.rounds} rounds; medians`,
  ].join('\n');
  publish(table, { write: options.write, place: 'cold' });
}

async function measure({ op, passes }: Case, cold: ColdFile, folder: string, group: MemoryCgroup): Promise<string> {
  const rounds: { ours: number; dd: number; scanned: number }[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    const dd = readOnce(cold.file, group);
    const ours = await askOurs(op, cold, folder, group);
    if ('notYet' in ours) return `| ${op} | not yet | ${rounded(dd)} ms | ${passes} | – | – | ≤ ${AIM} |`;
    rounds.push({ ours: ours.ms, dd, scanned: ours.scanned });
    say(`${op}: ${rounded(ours.ms)} ms, dd ${rounded(dd)} ms`);
  }
  const ratio = median(rounds.map(({ ours, dd }) => ours / (dd * passes)));
  const [ours, dd, scanned] = (['ours', 'dd', 'scanned'] as const).map(key => median(rounds.map(each => each[key])));
  const verdict = ratio <= AIM && group.oomKills() === 0 ? 'met' : 'missed';
  return `| ${op} | ${rounded(ours!)} ms | ${rounded(dd!)} ms | ${passes} | **${ratio.toFixed(2)}** | ${(scanned! / cold.bytes).toFixed(2)} | ${verdict}: ≤ ${AIM} |`;
}

/** Milliseconds that dd takes to read the file, in the group. */
function readOnce(file: string, group: MemoryCgroup): number {
  evict(file);
  const [command, ...args] = group.joined('dd', [`if=${file}`, 'of=/dev/null', 'bs=1M', 'status=none']);
  const started = performance.now();
  const { status } = spawnSync(command, args);
  if (status !== 0) throw new Error('dd failed');
  return performance.now() - started;
}

/** A service that has read nothing yet: one that has the file mapped would keep pages from being dropped. */
async function askOurs(
  op: Case['op'],
  { file, rows, wanted }: ColdFile,
  folder: string,
  group: MemoryCgroup,
): Promise<{ ms: number; scanned: number } | { notYet: true }> {
  const server = await startService(folder, { HYPERSLAB_ROOTS: folder }, group.joined);
  try {
    if (!(await isRegistered(server.url))) {
      const shape = [rows, COLUMNS];
      await register(server, { name: 'cold', path: file, format: 'raw', dtype: 'float32', shape, external: false });
    }
    evict(file);
    const started = performance.now();
    const response = await fetch(`${server.url}/v1/datasets/cold/statistics?ops=${op}`, {
      headers: { 'cache-control': 'no-cache' },
    });
    const text = await response.text();
    const ms = performance.now() - started;
    if (response.status === 400 || response.status === 422) return { notYet: true };
    if (!response.ok) throw new Error(`${op}: ${text}`);
    const answer = JSON.parse(text) as { results: Record<string, number>; scanned_bytes: number };
    const value = answer.results[op]!;
    // A median may be rounded to the float32 that the values are.
    const tolerance = op === 'median' ? 2 ** -24 : 1e-9;
    if (!(Math.abs(value - wanted[op]) <= tolerance)) throw new Error(`${op} is ${value}, not ${wanted[op]}`);
    return { ms, scanned: answer.scanned_bytes };
  } finally {
    await server.stop();
  }
}

async function isRegistered(url: string): Promise<boolean> {
  return (await fetch(`${url}/v1/datasets/cold`)).ok;
}

/** posix_fadvise(DONTNEED) on the whole file, which is what dd does for this flag and a count of none. */
function evict(file: string): void {
  const { status, stderr } = spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the file cannot be dropped from the page cache: ${stderr}`);
}

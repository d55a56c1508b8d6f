/**
 * A million cells as CSV, JSON and Arrow: the service over HTTP, in turns with what makes the same of an array in memory
 * in Python (pandas, orjson, pyarrow), once behind Starlette and once sending nothing.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { randomBits } from '../data.js';
import { chosen, dateAndMachine, publish, runBench, say, type Bench } from '../frame.js';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { PYTHON, startPython, type PythonChild } from '../python-child.js';
import { register, startChild, startService, type Server } from '../servers.js';
import { median, rounded } from '../table.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const ROWS = 100_000;
const COLUMNS = 10;

interface Case {
  readonly name: string;
  readonly title: string;
  readonly against: string;
  readonly path: string;
  /** What Python is asked for. */
  readonly asks: string;
  readonly coding?: string;
  readonly aim?: number;
}

const CASES: readonly Case[] = [
  { name: 'csv', title: 'CSV, float32', against: 'pandas', path: 'f4/data.csv', asks: 'csv f4', aim: 1 },
  { name: 'json', title: 'JSON, float32', against: 'orjson', path: 'f4/data.json', asks: 'json f4', aim: 1 },
  { name: 'arrow', title: 'Arrow, float32', against: 'pyarrow', path: 'f4/data.arrow', asks: 'arrow f4', aim: 0.7 },
  { name: 'csv8', title: 'CSV, float64', against: 'pandas', path: 'f8/data.csv', asks: 'csv f8' },
  { name: 'json8', title: 'JSON, float64', against: 'orjson', path: 'f8/data.json', asks: 'json f8' },
  { name: 'arrow8', title: 'Arrow, float64', against: 'pyarrow', path: 'f8/data.arrow', asks: 'arrow f8' },
  {
    name: 'csv-gzip',
    title: 'CSV, float32, gzip',
    against: 'pandas, zlib',
    path: 'f4/data.csv',
    asks: 'csv f4 gzip',
    coding: 'gzip',
  },
  {
    name: 'json-gzip',
    title: 'JSON, float32, gzip',
    against: 'orjson, zlib',
    path: 'f4/data.json',
    asks: 'json f4 gzip',
    coding: 'gzip',
  },
];

await runBench(main);

async function main({ folder, kept }: Bench): Promise<void> {
  const bits = randomBits(0x2545f491);
  const singles = Float32Array.from({ length: ROWS * COLUMNS }, () => (bits() >>> 0) / 2 ** 32);
  const [f4, f8] = ['f4.raw', 'f8.raw'].map(name => path.join(folder, name));
  fs.writeFileSync(f4!, singles);
  fs.writeFileSync(
    f8!,
    Float64Array.from(singles, value => value / 3),
  );
  const env = { HYPERSLAB_ROOTS: folder, HYPERSLAB_JSON_ELEMENTS_MAX: String(ROWS * COLUMNS) };
  const server = kept(await startService(folder, env));
  const raw = { format: 'raw', external: false, shape: [ROWS, COLUMNS] };
  await register(server, { ...raw, name: 'f4', dtype: '<f4', path: f4 });
  await register(server, { ...raw, name: 'f8', dtype: '<f8', path: f8 });
  const python = kept(await startPython('bench/formats/formats.py', [f4!, String(ROWS), String(COLUMNS)]));

  const starlette = kept(
    await startChild(folder, 'starlette', port => ({
      command: PYTHON,
      args: [path.join(PACKAGE_ROOT, 'bench/formats/formats.py'), f4!, String(ROWS), String(COLUMNS), String(port)],
    })),
  );

  const rows: string[] = [];
  for (const each of chosen(CASES, options.only)) {
    const row = await contest(each, { ours: server, starlette, python });
    say(row);
    rows.push(row);
  }
  const table = [
    '| a million cells | against | bytes | ours | theirs over HTTP | ratio | aim | theirs in memory | ratio |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `- ${dateAndMachine()}`,
    `- ${options.rounds} rounds in turns; medians`,
  ].join('\n');
  publish(table, { write: options.write, place: 'formats' });
}

interface Contestants {
  readonly ours: Server;
  readonly starlette: Server;
  readonly python: PythonChild;
}

async function contest(each: Case, { ours: server, starlette, python }: Contestants): Promise<string> {
  const rounds: { ours: number; served: number; inMemory: number; bytes: number }[] = [];
  const { coding = 'identity' } = each;
  // The first rounds warm all sides up.
  for (let round = -3; round < Number(options.rounds); round++) {
    const [inMemory = 0] = await python.ask(each.asks);
    const served = await ask(`${starlette.url}/${each.asks.replaceAll(' ', '/')}`, coding);
    const ours = await ask(`${server.url}/v1/datasets/${each.path}`, coding);
    if (round >= 0) rounds.push({ ours: ours.ms, served: served.ms, inMemory, bytes: ours.bytes });
  }
  const [ours, served, inMemory] = (['ours', 'served', 'inMemory'] as const).map(key =>
    rounded(median(rounds.map(round => round[key]))),
  );
  const ratio = median(rounds.map(round => round.served / round.ours));
  const toMemory = median(rounds.map(round => round.inMemory / round.ours));
  const verdict = each.aim === undefined ? '–' : `${ratio >= each.aim ? 'met' : 'missed'}: ≥ ${each.aim}`;
  return `| ${each.title} | ${each.against} | ${rounded(rounds[0]!.bytes / 1e6)} MB | ${ours} ms | ${served} ms | **${ratio.toFixed(2)}** | ${verdict} | ${inMemory} ms | ${toMemory.toFixed(2)} |`;
}

/** Milliseconds from the request to the last byte. */
async function ask(url: string, coding: string): Promise<{ readonly ms: number; readonly bytes: number }> {
  const started = performance.now();
  const request = http.get(url, { headers: { 'accept-encoding': coding } });
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  const body = await buffer(answer);
  const ms = performance.now() - started;
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${body.toString()}`);
  const plain = coding === 'gzip' ? gunzipSync(body) : body;
  if (plain.byteLength < 4 * ROWS * COLUMNS) throw new Error(`${url}: ${plain.byteLength} bytes`);
  return { ms, bytes: body.byteLength };
}

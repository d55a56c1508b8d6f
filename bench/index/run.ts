/**
 * Selections that no single run of bytes holds, of an array of 4 GB in the page cache: the service over HTTP, in turns
 * with numpy, which takes the same elements out of a mapping into memory of its own. The answers are compared.
 * Needs `--gigabytes` of disk and of page cache; gives them back at the end.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { COLUMNS, makeData, randomBits, ROW_BYTES, warm } from '../data.js';
import { chosen, dateAndMachine, publish, runBench, say, type Bench } from '../frame.js';
import { startPython, type PythonChild } from '../python-child.js';
import { register, startService, type Server } from '../servers.js';
import { peakDuring } from '../statistics/memory.js';
import { median, rounded } from '../table.js';

const { values: options } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const ROWS = (Number(options.gigabytes) * 1e9) / ROW_BYTES;
const CHOSEN_ROWS = 100_000;
const SINGLE_CALLS = 2000;
const MEMORY_AIM = 200e6;

interface Case {
  readonly name: string;
  readonly title: string;
  readonly path: string;
  /** The body of a selection; without it the call is a GET. */
  readonly body?: () => string | Uint8Array;
  readonly aim: number;
}

/** The rows and points that are taken, in no order. */
const places = new BigInt64Array(CHOSEN_ROWS);
const bits = randomBits(0x2545f491);
for (let i = 0; i < places.length; i++) places[i] = BigInt((bits() >>> 0) % ROWS);

const numbers = (count: number): number[] => [...places.subarray(0, count)].map(Number);
const CASES: readonly Case[] = [
  { name: 'strided', title: '`[::2, ::3]`', path: 'plain/data.raw?slice=::2,::3', aim: 0.7 },
  { name: 'transposed', title: 'F order, as C', path: 'fortran/data.raw', aim: 0.7 },
  { name: 'field', title: 'one field of 16-byte records', path: 'records/data.raw?field=value', aim: 0.9 },
  { name: 'converted', title: 'float32 as float64', path: 'plain/data.raw?dtype=float64', aim: 0.7 },
  {
    name: 'rows',
    title: '100,000 random rows',
    path: 'plain/select?format=raw',
    body: () => npyOf(places),
    aim: 0.7,
  },
  {
    name: 'points',
    title: '1,000 random points',
    path: 'plain/select?format=raw',
    body: () => JSON.stringify({ points: numbers(1000).map(row => [row, row % COLUMNS]) }),
    aim: 0.7,
  },
  {
    name: 'mask',
    title: 'a mask of 1 % of the rows',
    path: 'plain/select?format=raw',
    body: () => '{"mask":"mask"}',
    aim: 0.7,
  },
];

await runBench(main);

async function main({ folder, kept }: Bench): Promise<void> {
  const [big, points, mask] = ['big.f32', 'places.i64', 'mask.bool'].map(name => path.join(folder, name));
  say(`making ${options.gigabytes} GB of data`);
  makeData(big!, { rows: ROWS });
  fs.writeFileSync(points!, places);
  const bytes = new Uint8Array(ROWS);
  for (const row of places.subarray(0, Math.floor(ROWS / 100))) bytes[Number(row)] = 1;
  fs.writeFileSync(mask!, bytes);
  warm(big!);
  const server = kept(await startService(folder, { HYPERSLAB_ROOTS: folder }));
  const raw = { path: big, format: 'raw', external: false };
  await register(server, { ...raw, name: 'plain', dtype: '<f4', shape: [ROWS, COLUMNS] });
  await register(server, { ...raw, name: 'fortran', dtype: '<f4', shape: [ROWS, COLUMNS], order: 'F' });
  const record = [
    ['id', '<i4'],
    ['value', '<f8'],
    ['flag', '<u4'],
  ];
  await register(server, { ...raw, name: 'records', dtype: record, shape: [(ROWS * ROW_BYTES) / 16] });
  await register(server, { name: 'mask', path: mask, format: 'raw', external: false, dtype: '|b1', shape: [ROWS] });
  const numpy = kept(await startPython('bench/index/numpy_index.py', [big!, points!, String(ROWS)]));

  const rows: string[] = [];
  for (const each of chosen(CASES, options.only)) {
    const row = await contest(each, server, numpy);
    say(row);
    rows.push(row);
    if (each.name === 'rows') rows.push(await singleCalls(server, each));
  }
  const table = [
    `| ${options.gigabytes} GB | bytes of the answer | ours | numpy | ratio | memory | aim |`,
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `- ${dateAndMachine()}`,
    `- ${options.rounds} rounds; medians`,
  ].join('\n');
  publish(table, { write: options.write, place: 'index' });
}

async function contest(each: Case, server: Server, numpy: PythonChild): Promise<string> {
  const rounds: { ours: number; theirs: number; peak: number; bytes: number }[] = [];
  const body = each.body?.();
  for (let round = -1; round < Number(options.rounds); round++) {
    const [ms = 0, bytes = 0, crc = 0] = await numpy.ask(each.name);
    let ours = { ms: 0, bytes: 0, crc: 0 };
    const peak = await peakDuring(server.pid, async () => (ours = await ask(server, each, body)));
    if (ours.bytes !== bytes || ours.crc !== crc) throw new Error(`${each.name}: the answers differ`);
    if (round >= 0) rounds.push({ ours: ours.ms, theirs: ms, peak: peak ?? 0, bytes: ours.bytes });
  }
  const ratio = median(rounds.map(({ ours, theirs }) => theirs / ours));
  const [ours, theirs] = (['ours', 'theirs'] as const).map(key => median(rounds.map(round => round[key])));
  const peak = Math.max(...rounds.map(round => round.peak));
  const verdict = ratio >= each.aim && peak < MEMORY_AIM ? 'met' : 'missed';
  return `| ${each.title} | ${rounded(rounds[0]!.bytes / 1e6)} MB | ${rounded(ours!)} ms | ${rounded(theirs!)} ms | **${ratio.toFixed(2)}** | ${rounded(peak / 1e6)} MB | ${verdict}: ≥ ${each.aim}, < 200 MB |`;
}

/** The same rows, a call for each: what a client does that has no list. */
async function singleCalls(server: Server, { path: where, body }: Case): Promise<string> {
  const started = performance.now();
  for (const row of numbers(SINGLE_CALLS)) {
    const answer = await fetch(`${server.url}/v1/datasets/plain/data.raw?slice=${row}`);
    await answer.arrayBuffer();
  }
  const each = (performance.now() - started) / SINGLE_CALLS;
  const together = await ask(server, { path: where }, body?.());
  const ratio = (each * CHOSEN_ROWS) / together.ms;
  return `| the same, against a call for each | – | ${rounded(together.ms)} ms | ${rounded(each * CHOSEN_ROWS)} ms | **${ratio.toFixed(1)}** | – | ${ratio >= 30 ? 'met' : 'missed'}: ≥ 30 |`;
}

/** Milliseconds to the last byte, without those of the digest. */
async function ask({ url }: Server, { path: where }: Pick<Case, 'path'>, body?: string | Uint8Array): Promise<Answer> {
  const type = typeof body === 'string' ? 'application/json' : 'application/x-npy';
  const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
  const started = performance.now();
  const request = http.request(`${url}/v1/datasets/${where}`, { method: body === undefined ? 'GET' : 'POST', headers });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  let crc = 0;
  let bytes = 0;
  let digesting = 0;
  answer.on('data', (chunk: Buffer) => {
    const from = performance.now();
    crc = crc32(chunk, crc);
    bytes += chunk.byteLength;
    digesting += performance.now() - from;
  });
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`${where}: ${answer.statusCode}`);
  return { ms: performance.now() - started - digesting, bytes, crc };
}

interface Answer {
  readonly ms: number;
  readonly bytes: number;
  readonly crc: number;
}

/** A .npy of int64 in one axis. */
function npyOf(values: BigInt64Array): Uint8Array {
  const dict = `{'descr': '<i8', 'fortran_order': False, 'shape': (${values.length},), }`;
  const text = `${dict.padEnd(117)}\n`;
  const head = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'), Buffer.from(text, 'latin1')]);
  return Buffer.concat([head, new Uint8Array(values.buffer)]);
}

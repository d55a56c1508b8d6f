/**
 * What is left to do when it was asked before: the same question again, and the mean after one row in a hundred was
 * written. The file is changed and put right again; while it is not, its stamp is gone, so that the next run makes it anew.
 */
import fs from 'node:fs';
import { COLUMNS, ROW_BYTES, ROWS } from '../data.js';
import { say } from '../frame.js';
import { median, rounded } from '../table.js';
import type { Told } from './ask-child.js';
import type { StatisticsCase } from './cases.js';
import type { Data } from './data.js';
import { answerOf, questionOf, type Ours } from './ours.js';
import type { Reference } from './reference.js';

/** Times that a question is repeated, and for how long at most. */
const AGAIN = { times: 50, ms: 1000 };
const AIMS = { againMs: 2, scannedShare: 0.02 };
const WRITTEN_ROWS = ROWS / 100;
const WRITTEN_VALUE = 0.5;
/** First rows of what is written, on no boundary of anything. */
const PLACES = [1234, 77_777, 123_456, 200_001, 246_813];
const BYTES = ROWS * ROW_BYTES;

export async function cachedTables(
  cases: readonly StatisticsCase[],
  ours: Ours,
  data: Data,
  reference: Reference,
): Promise<string> {
  const rows: string[] = [];
  for (const each of cases) {
    say(`again: ${each.title}`);
    rows.push(await askAgain(each, ours));
  }
  const mean = cases.find(({ name }) => name === 'mean');
  return [
    `| the same question again | first | again (median) | bytes read again | X-Cache | aim |`,
    '|---|---|---|---|---|---|',
    ...rows,
    ...(mean ? ['', ...(await askAfterWrites(mean, ours, data, reference))] : []),
  ].join('\n');
}

async function askAgain(each: StatisticsCase, ours: Ours): Promise<string> {
  const question = questionOf(each, {});
  const first = await ours.ask(question);
  if (first.status !== 200) return `| ${each.title} | not yet | – | – | – | – |`;
  const again: Told[] = [];
  const end = performance.now() + AGAIN.ms;
  do again.push(await ours.ask(question));
  while (again.length < AGAIN.times && performance.now() < end);
  const ms = median(again.map(told => told.ms));
  // An answer as npy has no member that says so.
  const scanned = each.format === 'npy' ? undefined : Math.max(...again.map(told => answerOf(told).scanned_bytes));
  const met = ms < AIMS.againMs && (scanned ?? 0) === 0;
  const cache = again.at(-1)!.headers['x-cache'] ?? '–';
  return `| ${each.title} | ${rounded(first.ms)} ms | ${rounded(ms)} ms | ${scanned ?? '–'} | ${cache} | ${met ? 'met' : `missed: 0 bytes, < ${AIMS.againMs} ms`} |`;
}

async function askAfterWrites(mean: StatisticsCase, ours: Ours, data: Data, reference: Reference): Promise<string[]> {
  say('mean after writing 1 % of the rows');
  const question = questionOf(mean, {});
  await ours.ask(question);
  const rounds: { ms: number; share: number; right: boolean; cache: string | undefined }[] = [];
  fs.rmSync(data.stamp);
  for (const first of PLACES) {
    const original = rowsOf(data.big, first);
    await write(ours, first, filled());
    const told = await ours.ask(question);
    const { results, scanned_bytes } = answerOf(told);
    const wanted = meanWith(first, reference);
    const right = Math.abs((results['mean'] as number) - wanted) <= 1e-9 * wanted;
    rounds.push({ ms: told.ms, share: scanned_bytes / BYTES, right, cache: told.headers['x-cache'] });
    await write(ours, first, original);
    await ours.ask(question);
  }
  const flushed = await ours.ask({ method: 'POST', path: '/v1/datasets/big/flush' });
  if (flushed.status === 200) fs.writeFileSync(data.stamp, '');
  const share = Math.max(...rounds.map(round => round.share));
  const met = share < AIMS.scannedShare && rounds.every(({ right }) => right);
  return [
    '| mean after writing 1 % of the rows | bytes read, at most | X-Cache | answers | aim |',
    '|---|---|---|---|---|',
    `| ${rounded(median(rounds.map(({ ms }) => ms)))} ms | ${(share * 100).toFixed(2)} % | ${rounds.at(-1)!.cache ?? '–'} | ${rounds.every(({ right }) => right) ? 'right' : '**wrong**'} | ${met ? 'met' : 'missed'}: < ${AIMS.scannedShare * 100} % |`,
  ];
}

async function write(ours: Ours, firstRow: number, rows: Buffer): Promise<void> {
  const told = await ours.ask({
    method: 'PUT',
    path: `/v1/datasets/big/data?slice=${firstRow}:${firstRow + WRITTEN_ROWS}`,
    headers: { 'content-type': 'application/octet-stream' },
    bodyBase64: rows.toString('base64'),
  });
  if (told.status !== 200) throw new Error(`writing: ${Buffer.from(told.body, 'base64').toString()}`);
}

function rowsOf(file: string, first: number): Buffer {
  const rows = Buffer.alloc(WRITTEN_ROWS * ROW_BYTES);
  const fd = fs.openSync(file, 'r');
  fs.readSync(fd, rows, 0, rows.length, first * ROW_BYTES);
  fs.closeSync(fd);
  return rows;
}

function filled(): Buffer {
  return Buffer.from(new Float32Array(WRITTEN_ROWS * COLUMNS).fill(WRITTEN_VALUE).buffer);
}

/** The mean of the file, were those rows filled. */
function meanWith(first: number, reference: Reference): number {
  const before = (reference['mean_axis1'] as number[]).slice(first, first + WRITTEN_ROWS);
  const removed = before.reduce((sum, mean) => sum + mean, 0);
  return (reference['mean'] as number) + (WRITTEN_VALUE * WRITTEN_ROWS - removed) / ROWS;
}

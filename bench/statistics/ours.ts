/** Our side: the service as a child, the files registered with the promise that nobody else writes, asked over HTTP. */
import fs from 'node:fs';
import path from 'node:path';
import { PART_SIZE, type Data } from './data.js';
import { COLUMNS, ROWS } from '../data.js';
import { PipeChild } from '../pipe-child.js';
import { compiled, register, startService } from '../servers.js';
import type { Question, Told } from './ask-child.js';
import type { Answer, StatisticsCase } from './cases.js';

/** Answers are computed, not remembered: in every request, and by setting. */
export const AFRESH = { 'cache-control': 'no-cache' };
const NO_CACHES = { HYPERSLAB_CACHE_BYTES: '0' };

export interface Ours {
  readonly pid: number;
  /** One question, from its first byte to the last of its answer. */
  measure(each: StatisticsCase): Promise<{ ms: number; value: unknown } | NotYet>;
  ask(question: Question): Promise<Told>;
  stop(): Promise<void>;
}

/** A question that this build refuses: what it cannot do yet. */
export interface NotYet {
  readonly notYet: string;
}

export interface Choices {
  readonly caches: boolean;
  /** Default: r */
  readonly mode?: 'r' | 'r+';
}

export async function startOurs(folder: string, data: Data, { caches, mode = 'r' }: Choices): Promise<Ours> {
  const own = path.join(folder, caches ? 'cached' : 'afresh');
  fs.mkdirSync(own);
  const server = await startService(own, { HYPERSLAB_ROOTS: data.folder, ...(caches ? {} : NO_CACHES) });
  const client = new PipeChild(process.execPath, [compiled('statistics/ask-child.js'), server.url]);
  const common = { format: 'raw', mode, external: false };
  await register(server, { ...common, name: 'big', path: data.big, dtype: 'float32', shape: [ROWS, COLUMNS] });
  await register(server, { ...common, name: 'part', path: data.part, dtype: 'float32', shape: [PART_SIZE] });
  await register(server, { ...common, name: 'keys', path: data.keys, dtype: 'int32', shape: [PART_SIZE] });
  const ask = (question: Question): Promise<Told> => client.ask<Told>(question);
  return {
    pid: server.pid,
    ask,
    async measure(each) {
      const told = await ask(questionOf(each));
      if (told.status !== 200) return { notYet: refusalOf(told) };
      return { ms: told.ms, value: valueOf(each, told) };
    },
    async stop() {
      await client.stop();
      await server.stop();
    },
  };
}

export function questionOf({ dataset, query, format }: StatisticsCase, headers: object = AFRESH): Question {
  return {
    method: 'POST',
    path: `/v1/datasets/${dataset}/statistics?format=${format}`,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(query),
  };
}

export function answerOf({ body }: Told): Answer {
  return JSON.parse(Buffer.from(body, 'base64').toString()) as Answer;
}

function valueOf({ format, pick }: StatisticsCase, told: Told): unknown {
  return format === 'npy' ? arrayOf(told) : pick(answerOf(told));
}

/** The numbers of an .npy answer, version 1: a magic string, the length of the header, the header, the data. */
function arrayOf({ body, headers }: Told): number[] {
  const file = Buffer.from(body, 'base64');
  const data = new Uint8Array(file.subarray(10 + file.readUInt16LE(8)));
  return [...(headers['x-array-dtype'] === '<f4' ? new Float32Array(data.buffer) : new Float64Array(data.buffer))];
}

/** What is not built yet is refused at the door; anything else is a fault that must show. */
function refusalOf({ status, body }: Told): string {
  const text = Buffer.from(body, 'base64').toString();
  if (![400, 404, 422, 501].includes(status)) throw new Error(`ours answered ${status}: ${text}`);
  return (JSON.parse(text) as { detail: string }).detail;
}

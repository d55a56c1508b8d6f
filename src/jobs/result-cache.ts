/**
 * Whole answers, by what was asked and the generations it was asked of: the same question about unchanged data reads
 * nothing. Bounded in bytes; what was not asked for longest goes first. Datasets that other programs may change have no
 * part in it.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Dataset } from '../dataset/dataset.js';
import { LIMITS } from '../limits.js';
import { columnsOfPlan, type QueryPlan } from '../statistics/index.js';
import type { StatisticsRun } from './statistics.js';

/** What an answer takes beside its numbers, and a large integer. */
const ANSWER_BYTES = 1024;
const BIGINT_BYTES = 32;
/** What the text of a number may take that is kept with short answers. */
const TEXT_BYTES = 32;
/** A character of a key. */
const KEY_CHARACTER_BYTES = 2;

export class ResultCache {
  readonly #answers: LRUCache<string, StatisticsRun> | undefined;
  readonly #bytesMax: number;

  /** @param bytesMax 0 keeps nothing */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    if (bytesMax > 0) this.#answers = new LRUCache({ maxSize: bytesMax, sizeCalculation: bytesOf });
  }

  /** The answer for the present generations, if it is known. @throws file_changed, bulk_load, durability_unknown */
  async get(datasets: readonly Dataset[], plan: QueryPlan): Promise<StatisticsRun | undefined> {
    if (!this.#isFor(datasets)) return undefined;
    // Each file is looked at as for any other read: one that is gone has no statistics.
    for (const dataset of datasets) if (!dataset.opened()) await dataset.open(); // oxlint-disable-line no-await-in-loop
    const generations = datasets.map(dataset => dataset.generation);
    return this.#answers?.get(keyOf(datasets, plan, generations));
  }

  put(datasets: readonly Dataset[], plan: QueryPlan, run: StatisticsRun): void {
    if (!this.#isFor(datasets)) return;
    const key = keyOf(datasets, plan, run.generations);
    if (bytesOf(run, key) <= this.#bytesMax / 4) this.#answers?.set(key, run);
  }

  #isFor(datasets: readonly Dataset[]): boolean {
    return this.#answers !== undefined && !datasets.some(({ record }) => record.external);
  }
}

/** What was asked, by the plan that was made of it: an answer is looked for and then kept under the same. */
const questions = new WeakMap<QueryPlan, string>();

function keyOf(datasets: readonly Dataset[], plan: QueryPlan, generations: readonly number[]): string {
  const files = datasets.map(({ record }, i) => `${record.id}.${generations[i]}`);
  let question = questions.get(plan);
  if (question === undefined) {
    // What a name means may be changed without a new generation.
    const columns = columnsOfPlan(plan).map(({ column }) => [column.source, column.offset, column.dtype.typestr]);
    question = JSON.stringify([plan.dtype.typestr, plan.view, plan.query, columns], written);
    questions.set(plan, question);
  }
  return `${files.join(' ')} ${question}`;
}

/** Lists of more values stand in a key as their digest: a filter may have 65,536, whose text would take 40 ms. */
const LISTED_MAX = 64;

/** What JSON has no form of its own for: 64-bit numbers of a filter, infinities, and NaN, which would all be null. */
function written(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) };
  if (ArrayBuffer.isView(value)) return digestOf(value);
  const isLong = Array.isArray(value) && value.length > LISTED_MAX;
  return isLong && value.every(isPlain) ? digestOfList(value) : value;
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function digestOfList(values: readonly unknown[]): string {
  if (values.every(value => typeof value === 'number')) return `list of ${digestOf(Float64Array.from(values))}`;
  const texts = JSON.stringify(values.map(value => (typeof value === 'bigint' ? `bigint ${value}` : value)));
  return `list of ${digestOf(Buffer.from(texts))}`;
}

function digestOf(values: ArrayBufferView): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return `${values.constructor.name} ${createHash('sha256').update(bytes).digest('hex')}`;
}

function bytesOf({ result: { count, results, grouped } }: StatisticsRun, key: string): number {
  const kept: { readonly values: Kept }[] = [...results];
  for (const { edges, distinct } of results) kept.push(...(edges ? [edges] : []), ...(distinct ? [distinct] : []));
  if (typeof count !== 'number') kept.push(count);
  if (grouped) kept.push(grouped.counts, ...grouped.keys);
  const valueBytes = kept.reduce((bytes, { values }) => bytes + valueBytesOf(values), 0);
  const textBytes = kept.reduce((bytes, { values }) => bytes + values.length * TEXT_BYTES, 0);
  const keptBytes = valueBytes + Math.min(textBytes, LIMITS.keptTextBytesMax);
  return ANSWER_BYTES + keptBytes + key.length * KEY_CHARACTER_BYTES;
}

type Kept = Float64Array | readonly (number | bigint | string)[];

function valueBytesOf(values: Kept): number {
  if (values instanceof Float64Array) return values.byteLength;
  // Those of a list are alike, but for how long texts are.
  if (typeof values[0] !== 'string') return values.length * BIGINT_BYTES;
  return values.reduce<number>((bytes, each) => bytes + BIGINT_BYTES + KEY_CHARACTER_BYTES * String(each).length, 0);
}

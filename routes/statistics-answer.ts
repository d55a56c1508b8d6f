/** From a query to the text or the array that answers it; shared by the single call and the batch. */
import type { FastifyRequest } from 'fastify';
import type { Datasets } from '../src/access/datasets.js';
import { expecting, parseExpectedShape } from '../src/access/expecting.js';
import type { Block } from '../src/block.js';
import type { ClientContext } from '../src/context.js';
import { fail } from '../src/errors.js';
import { shown } from '../src/shown.js';
import type { Cost, Kind } from '../src/jobs/admission.js';
import { namesIn } from '../src/jobs/named.js';
import type { CachedRun } from '../src/jobs/cached.js';
import type { GrowingMemory } from '../src/jobs/growing-memory.js';
import type { Progress } from '../src/jobs/progress.js';
import { LIMITS } from '../src/limits.js';
import { parseSlice } from '../src/selection.js';
import {
  planQuery,
  type QueryInput,
  type QueryPlan,
  type RowSource,
  type StatisticsResult,
} from '../src/statistics/index.js';
import { collectTurns, runTurns } from '../src/turns.js';
import { partOf, partsOf, type ArrayPart } from '../src/dataset/array-part.js';
import { asksColumnsOnly } from '../src/columns/index.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { distinctBlock } from '../src/answers/distinct.js';
import { countToJson, toBlock, toJson } from '../src/answers/json.js';
import { groupedValues, groupsToJson } from '../src/answers/groups.js';

/** The members of a query, in JSON or from a URL. */
export interface StatisticsInput extends QueryInput {
  readonly slice?: string | undefined;
  readonly field?: string | undefined;
  readonly as?: readonly string[] | undefined;
  /** Of queries that name their dataset; of the others it stands in the address. */
  readonly expected_shape?: string | readonly unknown[] | undefined;
}

/** A query that has been checked against its dataset; nothing has been read yet. */
export interface PlannedStatistics {
  readonly dataset: Dataset;
  /** All that are read, the one that was asked about first. */
  readonly datasets: readonly Dataset[];
  readonly plan: QueryPlan;
  /** Name of each result, in the order of the operations. */
  readonly names: readonly string[];
}

/** @throws unknown_dataset, unknown_field, unsupported_dtype, bad_slice, bad_operation, bad_axis, empty_selection, too_large */
export async function planFor(all: Datasets, name: string, input: StatisticsInput): Promise<PlannedStatistics> {
  const { slice, field, as, expected_shape: shape, ...query } = input;
  const datasets = shape === undefined ? all : expecting(all, { name, shape: parseExpectedShape(shape) });
  const parts = slice === undefined ? [] : parseSlice(slice);
  await datasets.look([name, ...namesIn(query)]);
  const self = datasets.get(name);
  const options = { elements: elementsOf(self, field, query.ops), dims: self.record.dims };
  const find = (other: string): RowSource => sourceOf(datasets, other);
  const planning = planQuery(query, sourceOf(datasets, name), parts, find, options);
  const { plan, sources } = await runTurns(planning);
  const { ops } = plan.query;
  if (as && (as.length !== ops.length || new Set(as).size !== as.length)) {
    fail(
      'bad_operation',
      `as is ${shown(as)}, and there ${ops.length === 1 ? 'is 1 result' : `are ${ops.length} results`}. Give each of them a name of its own, or leave as out.`,
      { as, ops },
    );
  }
  const read = sources.map(source => datasets.get(source.name));
  return { dataset: read[0]!, datasets: read, plan, names: as ?? ops };
}

export function sourceOf(datasets: Datasets, name: string): RowSource {
  const dataset = datasets.get(name);
  const { dtype, view } = dataset.geometry;
  return { name: dataset.record.name, dtype, shape: view.shape, view, part: field => partOf(dataset, field) };
}

/**
 * What is computed: all elements, one field or named column; several fields are structures, which can be counted. Columns
 * that are not evenly apart are for what is computed of columns.
 */
function elementsOf(dataset: Dataset, field: string | undefined, ops: readonly unknown[]): ArrayPart {
  const part = partsOf(dataset, field);
  return part.view.lists && !asksColumnsOnly(ops)
    ? partOf(dataset, field)
    : 'fields' in part
      ? { ...part, dtype: part.fields.dtype }
      : part;
}

/**
 * Where the plan says how many numbers there will be.
 * @throws too_large when the answer has more numbers than JSON answers may have
 */
export function checkJsonCells({ plan }: PlannedStatistics, limit: number): void {
  const { values } = plan.bound;
  if (!('choice' in plan)) checkJsonValues(values, values > plan.query.ops.length, limit);
}

function checkJsonValues(asked: number, isMany: boolean, limit: number): void {
  if (!isMany || asked <= limit) return;
  fail(
    'too_large',
    `The answer would have ${asked} values; at most ${limit} are sent as JSON. Ask for one operation with format=npy, reduce more axes, or ask for fewer groups.`,
    { limit, asked },
  );
}

/** Members of a query in which integers keep all their digits. */
export const EXACT_MEMBERS = ['where', 'group_by'] as const;

/** What a query holds in memory at most, from its partials to the text of its answer. */
export function heldBytesOf({ plan }: PlannedStatistics): number {
  // Rows that are not counted yet may be all; groups take more when they are found.
  const values = Math.min(plan.bound.values, LIMITS.cellsMax * plan.query.ops.length);
  return values * LIMITS.cellBytes + plan.bound.tableBytes;
}

/** What a query costs; known before anything is read. */
export function costOf({ plan }: PlannedStatistics): Cost {
  const { bytes, passes, chunks } = plan.bound;
  // Rows that are not counted yet, and groups that are not found yet, may be few.
  return { bytes, passes, chunks, cells: 'choice' in plan ? 1 : plan.cells, groups: 1 };
}

/** For whom a query runs. */
export interface Running {
  readonly kind: Kind;
  readonly signal: AbortSignal;
  /** Computed anew, whatever is known. */
  readonly isFresh: boolean;
  /** What the same call has read before. */
  readonly bytesBefore?: number;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Counts what is found to be held beside `heldBytesOf`. */
  readonly memory: GrowingMemory;
}

/** Runs a planned query and renders its answer, with `prefix` members first. */
export async function answerJson(
  context: ClientContext,
  planned: PlannedStatistics,
  running: Running,
  prefix: string,
): Promise<{ text: string; run: CachedRun }> {
  const started = performance.now();
  const run = await runPlanned(context, planned, running);
  const answer = await answerMembers(run, context.config.jsonElementsMax);
  const elapsed = Math.round((performance.now() - started) * 1000) / 1000;
  const text =
    `{${prefix}"dataset":${JSON.stringify(planned.dataset.record.name)},"generation":${run.generations[0]},` +
    `${generationsMember(planned, run)}"axis":${JSON.stringify(run.result.axis)},${answer},` +
    `"scanned_bytes":${run.scannedBytes},"chunks":${run.chunks},"elapsed_ms":${elapsed}}`;
  return { text, run };
}

/** What was written of results that are kept: the same question again is the same text. */
const texts = new WeakMap<StatisticsResult, string>();

/** Count and results, or groups of them. @throws too_large */
async function answerMembers({ result }: CachedRun, jsonElementsMax: number): Promise<string> {
  const known = texts.get(result);
  if (known !== undefined) return known;
  const text = await membersOf(result, jsonElementsMax);
  if (text.length <= LIMITS.keptTextBytesMax) texts.set(result, text);
  return text;
}

async function membersOf(result: StatisticsResult, jsonElementsMax: number): Promise<string> {
  const { grouped, results } = result;
  if (grouped) {
    checkJsonValues(groupedValues(grouped, results), grouped.groups > 1, jsonElementsMax);
    const count = (await collectTurns(countToJson(result))).join('');
    return `"count":${count},"results":{},"groups":${(await collectTurns(groupsToJson(grouped, results))).join('')}`;
  }
  const values = results.reduce(
    (sum, { values, edges, distinct }) => sum + values.length + ((edges ?? distinct)?.values.length ?? 0),
    0,
  );
  checkJsonValues(values, values > results.length, jsonElementsMax);
  const count = (await collectTurns(countToJson(result))).join('');
  return `"count":${count},"results":${(await collectTurns(toJson(result))).join('')}`;
}

/** The generation of each dataset, where there are several. */
function generationsMember({ datasets }: PlannedStatistics, { generations }: CachedRun): string {
  if (datasets.length === 1) return '';
  const entries = datasets.map(({ record }, i) => [record.name, generations[i]!]);
  return `"generations":${JSON.stringify(Object.fromEntries(entries))},`;
}

/** Runs a planned query of one operation and gives its answer as an array. */
export async function answerBlock(
  context: ClientContext,
  planned: PlannedStatistics,
  running: Running,
): Promise<{ block: Block; run: CachedRun }> {
  if (planned.plan.query.ops.length !== 1) {
    fail('bad_operation', 'raw and npy answer one operation. Ask for one, or for format=json.', {
      ops: planned.plan.query.ops,
    });
  }
  if (planned.plan.query.groupBy) fail('bad_operation', 'Groups are answered as JSON: leave format out.');
  const run = await runPlanned(context, planned, running);
  const entry = run.result.results[0]!;
  const block = entry.distinct ? await runTurns(distinctBlock(entry, entry.distinct)) : toBlock(entry);
  return { block, run };
}

/** Runs a planned query, or finds what is known of it. */
export async function runPlanned(
  context: ClientContext,
  planned: PlannedStatistics,
  { kind, signal, isFresh, bytesBefore, onProgress, memory }: Running,
): Promise<CachedRun> {
  const { datasets, plan, names } = planned;
  const cost = costOf(planned);
  const tell =
    onProgress &&
    (({ chunks, bytes }: Pick<Progress, 'chunks' | 'bytes'>): void => {
      // What is read again after a write comes on top.
      onProgress({
        chunks,
        chunksTotal: Math.max(chunks, cost.chunks),
        bytes,
        bytesTotal: Math.max(bytes, cost.bytes),
      });
    });
  const { admission, cache, workers } = context;
  const known = isFresh ? undefined : await cache.known(datasets, plan);
  const run =
    known ??
    (await admission.run({ kind, cost, bytesBefore, signal, client: workers.client }, lane =>
      cache.run(datasets, plan, workers.inLane(lane), { signal, isFresh, onProgress: tell, memory }),
    ));
  if (run.result.results.every(({ name }, i) => name === names[i])) return run;
  const results = run.result.results.map((entry, i) => ({ ...entry, name: names[i]! }));
  return { ...run, result: { ...run.result, results } };
}

/** Whether a client wants what is known left alone. */
export function asksAfresh({ headers }: FastifyRequest): boolean {
  return /\bno-(?:cache|store)\b/i.test(headers['cache-control'] ?? '');
}

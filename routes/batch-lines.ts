/**
 * The queries of a batch, a few at a time, and their lines in input order or as they finish. A query that fails is a
 * line like any other.
 * Memory: what runs holds what its cells need, and a line that waits to be sent holds its text; both are paid for from
 * the budget. Queries run ahead of the one whose turn it is within a share of it, so that a batch leaves room for others;
 * none of them keeps it from running, since memory is given out in the order in which it was asked for.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { Datasets } from '../src/access/datasets.js';
import type { ClientContext } from '../src/context.js';
import type { Kind } from '../src/jobs/admission.js';
import { GrowingMemory } from '../src/jobs/growing-memory.js';
import { takePatiently } from '../src/jobs/patience.js';
import type { Progress } from '../src/jobs/progress.js';
import { LIMITS } from '../src/limits.js';
import { problemOf } from '../src/plugins/errors.js';
import type { Line } from '../src/plugins/lines.js';
import {
  answerJson,
  checkJsonCells,
  costOf,
  heldBytesOf,
  planFor,
  type PlannedStatistics,
  type StatisticsInput,
} from './statistics-answer.js';

export type BatchQuery = StatisticsInput & { readonly dataset: string };
export type LineOrder = 'input' | 'finished';

/** What every query of a batch works with. */
export interface Batching {
  readonly context: ClientContext;
  readonly datasets: Datasets;
  readonly kind: Kind;
  readonly signal: AbortSignal;
  readonly isFresh: boolean;
  readonly log: FastifyBaseLogger;
  readonly onProgress?: (index: number, progress: Progress) => void;
}

/** A query whose cost is known; or the fault that it has. */
interface Prepared {
  readonly index: number;
  readonly heldBytes: number;
  readonly bytesBefore: number;
  readonly planned: PlannedStatistics | undefined;
  readonly error?: unknown;
}

interface Running {
  readonly heldBytes: number;
  readonly line: Promise<Line & { readonly index: number }>;
}

/** A line per query. Whoever takes a line releases it; queries that run when nobody asks any more are left to end. */
export async function* batchLines(
  batching: Batching,
  queries: readonly BatchQuery[],
  order: LineOrder,
): AsyncGenerator<Line & { readonly index: number }, void> {
  const aheadBytesMax = batching.context.budget.limitBytes * LIMITS.batchAheadShare;
  const running = new Map<number, Running>();
  let bytesBefore = 0;
  let next = await prepare(batching, queries, 0, bytesBefore);
  const mayStart = ({ heldBytes }: Prepared): boolean => {
    if (running.size === 0) return true;
    const ahead = [...running.values()].reduce((sum, each) => sum + each.heldBytes, heldBytes);
    return running.size < LIMITS.batchQueriesRunning && ahead <= aheadBytesMax;
  };
  try {
    while ((next || running.size > 0) && !batching.signal.aborted) {
      while (next && mayStart(next)) {
        const { index, heldBytes, planned } = next;
        running.set(index, { heldBytes, line: lineOf(batching, next) });
        if (planned) bytesBefore += costOf(planned).bytes;
        // oxlint-disable-next-line no-await-in-loop
        next = await prepare(batching, queries, index + 1, bytesBefore);
      }
      const lines = [...running.values()].map(({ line }) => line);
      // oxlint-disable-next-line no-await-in-loop
      const line = await (order === 'input' ? lines[0]! : Promise.race(lines));
      running.delete(line.index);
      yield line;
      // A thousand faulty queries cost the event loop no more than a few at a time.
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn();
    }
  } finally {
    for (const { line } of running.values()) void line.then(({ release }) => release());
  }
}

/** Undefined behind the last query. */
async function prepare(
  { context, datasets, kind }: Batching,
  queries: readonly BatchQuery[],
  index: number,
  bytesBefore: number,
): Promise<Prepared | undefined> {
  const query = queries[index];
  if (!query) return undefined;
  try {
    const { dataset, ...input } = query;
    const planned = await planFor(datasets, dataset, input);
    context.admission.check(costOf(planned), kind);
    checkJsonCells(planned, context.config.jsonElementsMax);
    return { index, heldBytes: heldBytesOf(planned), bytesBefore, planned };
  } catch (error) {
    return { index, heldBytes: 0, bytesBefore, planned: undefined, error };
  }
}

async function lineOf(
  { context, kind, signal, isFresh, log, onProgress }: Batching,
  { index, heldBytes, bytesBefore, planned, error }: Prepared,
): Promise<Line & { readonly index: number }> {
  if (!planned) return failed(log, index, error);
  try {
    const { budget } = context;
    const release = await (kind === 'job' ? takePatiently(budget, heldBytes, signal) : budget.take(heldBytes, signal));
    const memory = new GrowingMemory(budget, heldBytes, signal);
    try {
      const tell = onProgress && ((progress: Progress): void => onProgress(index, progress));
      const running = { kind, signal, isFresh, bytesBefore, onProgress: tell, memory };
      const { text } = await answerJson(context, planned, running, `"index":${index},`);
      // A character takes one or two bytes; small lines pay nothing.
      const textBytes = 2 * text.length;
      const keptBytes = textBytes > LIMITS.inlineReadBytesMax ? textBytes : 0;
      release(keptBytes);
      memory.release(Math.max(0, keptBytes - heldBytes));
      const releaseAll = (): void => {
        release();
        memory.release();
      };
      return { index, text: `${text}\n`, release: releaseAll };
    } catch (fault) {
      release();
      memory.release();
      throw fault;
    }
  } catch (fault) {
    return failed(log, index, fault);
  }
}

/** The line of a query that failed; the log has what is not told. */
export function failed(log: FastifyBaseLogger, index: number, error: unknown): Line & { readonly index: number } {
  const problem = problemOf(error);
  if (problem.status === 500) log.error({ err: error, code: problem.code, index }, 'a query of a batch failed');
  return { index, text: `${JSON.stringify({ index, error: problem })}\n`, release: () => {} };
}

/**
 * A batch as a job: its lines become one list, and their progress one progress.
 * Hazard: a job may wait for long. Its work holds the text of the queries and no request, nor anything that leads to one.
 */
import { checkWanted } from '../src/cancelled.js';
import { HyperslabError } from '../src/errors.js';
import { parseExactTurns, stringifyExactTurns } from '../src/formats/index.js';
import type { JobOrder, JobWork } from '../src/jobs/job.js';
import type { Progress } from '../src/jobs/progress.js';
import { LIMITS } from '../src/limits.js';
import type { Line } from '../src/plugins/lines.js';
import { nextTurn, runTurns } from '../src/turns.js';
import { batchLines, failed, type Batching, type BatchQuery, type LineOrder } from './batch-lines.js';
import { costOf, planFor } from './statistics-answer.js';

/** What the queries of a job share. */
type Shared = Omit<Batching, 'signal' | 'onProgress'>;

export async function batchJob(
  shared: Shared,
  queries: readonly BatchQuery[],
  order: LineOrder,
): Promise<Omit<JobOrder, 'owner' | 'client'>> {
  const input = await runTurns(stringifyExactTurns(queries));
  return { inputBytes: input.length, chunksTotal: 0, bytesTotal: 0, work: workOf(shared, input, order) };
}

/** A function of its own, so that the work holds what it names and nothing else. */
function workOf(shared: Shared, input: string, order: LineOrder): JobWork {
  return (...given) => computeAll(shared, input, order, ...given);
}

/** The lines of a batch as one list, bounded in bytes: what does not fit is an error in its place. */
async function computeAll(
  shared: Shared,
  input: string,
  order: LineOrder,
  ...[signal, onProgress]: Parameters<JobWork>
): Promise<Uint8Array> {
  const queries = (await runTurns(parseExactTurns(input))) as BatchQuery[];
  const sum = new Sum(await totalOf(shared, queries), onProgress);
  const batching: Batching = { ...shared, signal, onProgress: (index, progress) => sum.update(index, progress) };
  const taken: Line[] = [];
  const limit = LIMITS.jobBatchBytesMax;
  let bytes = 0;
  try {
    for await (const line of batchLines(batching, queries, order)) {
      const asked = bytes + Buffer.byteLength(line.text);
      if (asked <= limit) {
        bytes = asked;
        taken.push(line);
        continue;
      }
      line.release();
      taken.push(failed(shared.log, line.index, failTooLarge(limit, asked)));
    }
    checkWanted(signal);
    return Buffer.from(`[${taken.map(({ text }) => text.trimEnd()).join(',\n')}]`);
  } finally {
    for (const { release } of taken) release();
  }
}

function failTooLarge(limit: number, asked: number): HyperslabError {
  return new HyperslabError(
    'too_large',
    `The result of the batch would have ${asked} bytes with this line; a job keeps at most ${limit}. Send the query by itself, or the batch without "Prefer: respond-async".`,
    { limit, asked },
  );
}

/** What all queries that can be planned will read. */
async function totalOf({ datasets }: Pick<Batching, 'datasets'>, queries: readonly BatchQuery[]): Promise<Progress> {
  let chunksTotal = 0;
  let bytesTotal = 0;
  for (const { dataset, ...input } of queries) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      const { chunks, bytes } = costOf(await planFor(datasets, dataset, input));
      chunksTotal += chunks;
      bytesTotal += bytes;
    } catch {
      // It will have an error line.
    }
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
  return { chunks: 0, bytes: 0, chunksTotal, bytesTotal };
}

/** The progress of several queries, as one. */
class Sum {
  readonly #onProgress: (progress: Progress) => void;
  readonly #latest = new Map<number, Progress>();
  #all: Progress;

  constructor(total: Progress, onProgress: (progress: Progress) => void) {
    this.#all = total;
    this.#onProgress = onProgress;
    onProgress(total);
  }

  update(index: number, progress: Progress): void {
    const before = this.#latest.get(index);
    this.#latest.set(index, progress);
    const { chunks, bytes, chunksTotal, bytesTotal } = this.#all;
    this.#all = {
      chunks: chunks + progress.chunks - (before?.chunks ?? 0),
      bytes: bytes + progress.bytes - (before?.bytes ?? 0),
      // Planned once already; what came on top comes on top here.
      chunksTotal: chunksTotal + progress.chunksTotal - (before ?? progress).chunksTotal,
      bytesTotal: bytesTotal + progress.bytesTotal - (before ?? progress).bytesTotal,
    };
    this.#onProgress(this.#all);
  }
}

/** NDJSON from the list that a job has: no line holds a line break of its own. */
export function linesOf(result: Uint8Array): string {
  const text = Buffer.from(result.buffer, result.byteOffset, result.byteLength).toString();
  return `${text.slice(1, -1).replaceAll(',\n', '\n')}\n`;
}

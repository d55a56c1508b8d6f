/**
 * A statistic as a job. Planned again when its turn comes: the dataset may be another one by then.
 * Hazard: a job may wait for long. Its work holds the text of the query and no request, nor anything that leads to one.
 */
import type { Datasets } from '../src/access/datasets.js';
import type { ClientContext } from '../src/context.js';
import { parseExactTurns, stringifyExactTurns } from '../src/formats/index.js';
import type { CachedRun } from '../src/jobs/cached.js';
import { checkIfMatch } from '../src/plugins/conditional.js';
import type { JobOrder, JobWork } from '../src/jobs/job.js';
import { GrowingMemory } from '../src/jobs/growing-memory.js';
import { takePatiently } from '../src/jobs/patience.js';
import { nextTurn, runTurns } from '../src/turns.js';
import {
  answerJson,
  checkJsonCells,
  costOf,
  heldBytesOf,
  planFor,
  type PlannedStatistics,
  type StatisticsInput,
} from './statistics-answer.js';

/** What headers say of a run. */
export type RunNote = Pick<CachedRun, 'generations' | 'cache'>;

/** If-Match again, of the generation that was computed: a write may have come before it. @throws generation_moved */
export function checkComputed(
  ifMatch: string | undefined,
  { dataset }: PlannedStatistics,
  { generations }: Pick<CachedRun, 'generations'>,
): void {
  checkIfMatch(ifMatch, { id: dataset.record.id, generation: generations[0]! });
}

/** The order of a job, and what is known of its run when it is done. @throws too_large */
export async function statisticsJob(
  context: ClientContext,
  datasets: Datasets,
  planned: PlannedStatistics,
  input: StatisticsInput,
  isFresh: boolean,
  ifMatch: string | undefined,
): Promise<{ order: Omit<JobOrder, 'owner' | 'client'>; note: () => RunNote }> {
  const cost = costOf(planned);
  context.admission.check(cost, 'job');
  const text = await runTurns(stringifyExactTurns(input));
  const found: { note: RunNote } = { note: { generations: [], cache: 'miss' } };
  const order = {
    inputBytes: text.length,
    chunksTotal: cost.chunks,
    bytesTotal: cost.bytes,
    work: workOf(context, datasets, planned.dataset.record.name, text, { isFresh, ifMatch }, found),
  };
  return { order, note: () => found.note };
}

/** A function of its own, so that the work holds what it names and nothing else. */
function workOf(
  context: ClientContext,
  datasets: Datasets,
  name: string,
  text: string,
  { isFresh, ifMatch }: { readonly isFresh: boolean; readonly ifMatch: string | undefined },
  found: { note: RunNote },
): JobWork {
  return async (signal, onProgress) => {
    // Many may begin at once.
    await nextTurn();
    const planned = await planFor(datasets, name, (await runTurns(parseExactTurns(text))) as StatisticsInput);
    context.admission.check(costOf(planned), 'job');
    checkJsonCells(planned, context.config.jsonElementsMax);
    const heldBytes = heldBytesOf(planned);
    const release = await takePatiently(context.budget, heldBytes, signal);
    const memory = new GrowingMemory(context.budget, heldBytes, signal);
    try {
      const { text: json, run } = await answerJson(
        context,
        planned,
        { kind: 'job', signal, isFresh, onProgress, memory },
        '',
      );
      checkComputed(ifMatch, planned, run);
      found.note = { generations: run.generations, cache: run.cache };
      return Buffer.from(json);
    } finally {
      memory.release();
      release();
    }
  };
}

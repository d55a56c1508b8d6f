/**
 * The rows of a dataset that a filter keeps, found by the workers as those of a statistic are, and the claim on the
 * generation that they are of: what is read of these rows afterwards is what the filter saw.
 */
import type { ArrayPart } from '../dataset/array-part.js';
import type { Dataset } from '../dataset/dataset.js';
import { fail, HyperslabError } from '../errors.js';
import { parseExactTurns } from '../formats/index.js';
import { LIMITS } from '../limits.js';
import { planRowNumbers, RowNumbers, type RowNumbersPlan, type RowSource } from '../statistics/index.js';
import { runTurns } from '../turns.js';
import type { Admission } from './admission.js';
import { namesIn } from './named.js';
import { claimDatasets, type Choosing } from './chosen.js';
import type { Claim } from './claim.js';
import type { Lane } from './turn.js';
import { GenerationLost, ScanRunner } from './scan-runner.js';

/** Which rows are wanted. */
export interface RowsAsked {
  /** JSON of a filter. */
  readonly where: string;
  /** At most so many, the first ones. */
  readonly limit: number | undefined;
}

export interface RowChoosing extends Choosing {
  readonly admission: Admission;
  /** Finds datasets for whoever asks. */
  readonly sourceOf: (name: string) => RowSource;
  /** Asks the files of datasets, before they are had. */
  readonly look: (names: Iterable<string>) => Promise<void> | undefined;
  readonly get: (name: string) => Dataset;
}

export interface KeptRows {
  /** Ascending. */
  readonly rows: Float64Array;
  /** On the dataset itself; the caller closes it. */
  readonly claim: Claim;
  /** All that were read, and the generation that they had. */
  readonly read: readonly { readonly dataset: Dataset; readonly generation: number }[];
}

/** How often rows are looked for anew, where more was written meanwhile than is kept. */
const ATTEMPTS_MAX = 3;

/** @param own what `self` means in the filter @throws bad_json, bad_request, bad_operation, unknown_dataset, too_large, busy, busy_writing, cancelled */
export async function keptRows(
  name: string,
  asked: RowsAsked,
  choosing: RowChoosing,
  own?: ArrayPart,
): Promise<KeptRows> {
  const { admission, get, signal, sourceOf, workers } = choosing;
  const where = await parsed(asked.where);
  await choosing.look(namesIn(where));
  const plan = await runTurns(planRowNumbers(where, sourceOf(name), sourceOf, own));
  const cost = { bytes: plan.bytes, passes: 1 + plan.kept.joins.length, chunks: 1, cells: 1, groups: 1 };
  admission.check(cost, 'call');
  const datasets = plan.sources.map(source => get(source.name));
  return admission.run({ kind: 'call', cost, signal, client: workers.client }, async lane => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      // oxlint-disable-next-line no-await-in-loop
      const kept = await attemptRows(datasets, plan, asked.limit, choosing, lane);
      if (kept) return kept;
    }
    return fail(
      'busy_writing',
      'The rows are written faster than the filter can look at them. Repeat the request later.',
    );
  });
}

async function parsed(where: string): Promise<unknown> {
  if (where.length > LIMITS.requestBytesMax) {
    fail(
      'too_large',
      `The filter has ${where.length} characters; at most ${LIMITS.requestBytesMax} are read. Put its values into a dataset.`,
      {
        limit: LIMITS.requestBytesMax,
        asked: where.length,
      },
    );
  }
  try {
    return await runTurns(parseExactTurns(where));
  } catch (error) {
    if (error instanceof HyperslabError) throw error;
    return fail('bad_json', 'where is no JSON. Send a filter, such as {"column": 0, "gt": 0.5}.');
  }
}

/** Undefined where a generation was lost. */
async function attemptRows(
  datasets: readonly Dataset[],
  { kept }: RowNumbersPlan,
  limit: number | undefined,
  choosing: RowChoosing,
  lane: Lane,
): Promise<KeptRows | undefined> {
  const { hold, left, signal, workers } = choosing;
  // One more than may be chosen shows that there are too many.
  const wanted = Math.min(limit ?? Infinity, left.left + 1);
  const claims = await claimDatasets(datasets, choosing);
  let isHeld = false;
  try {
    const rows = new RowNumbers(kept, wanted);
    const runner = new ScanRunner(claims, workers.inLane(lane), { signal });
    // oxlint-disable-next-line no-await-in-loop
    for (let pass = await runTurns(rows.next()); pass; pass = await runTurns(rows.next())) {
      await runner.scan(rows, pass); // oxlint-disable-line no-await-in-loop
      for (const claim of claims) claim.check();
    }
    const count = Math.min(wanted, rows.count);
    left.take(count);
    await hold(ENTRY_BYTES * count);
    const numbers = await runTurns(rows.rows(count));
    isHeld = true;
    return {
      rows: numbers,
      claim: claims[0]!,
      read: claims.map(({ dataset, generation }) => ({ dataset, generation })),
    };
  } catch (error) {
    if (!(error instanceof GenerationLost)) throw error;
    return undefined;
  } finally {
    for (const [i, claim] of claims.entries()) if (i > 0 || !isHeld) claim.close();
  }
}

/** As numbers of a chunk, of the dataset, and as offsets. */
const ENTRY_BYTES = 4 + 8 + 8;

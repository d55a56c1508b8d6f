/** Where the elements of an answer come from: the file, under its lock, or what a claim holds of it. */
import type { Context } from '../context.js';
import type { Conversion } from '../convert/index.js';
import { standingOf } from '../dataset/precondition.js';
import { openPieces, type PieceReader } from '../dataset/read.js';
import type { DType } from '../dtype/index.js';
import type { OpenFile } from '../file/open-file.js';
import { claimedPieces } from '../jobs/claimed-pieces.js';
import type { Workers } from '../jobs/pool.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { setState, type ArrayAnswer } from './array-answer.js';
import { signalOf } from './client-gone.js';
import { clientOf } from './client.js';
import { checkIfMatch } from './conditional.js';

/** One answer on its way. */
export interface Answer extends ArrayAnswer {
  readonly context: Context;
  readonly file: OpenFile;
  readonly view: View;
  /** Of the elements in the file. */
  readonly from: DType;
  /** As sent. */
  readonly dtype: DType;
  /** How elements of the file become elements of the answer, where they are not the same. */
  readonly conversion: Conversion | undefined;
  /** Of the columns of a table. */
  readonly names?: readonly string[] | undefined;
}

/** What of the file is read. */
export interface Part {
  readonly view: View;
  readonly itemsize: number;
}

/**
 * Pieces of a file at one generation, which the headers say then.
 * @param part asked for under the lock, once it is known which generation that is
 */
export async function openAnswer(
  asked: Answer,
  part: () => Part,
  { inPlace }: { readonly inPlace: boolean },
): Promise<PieceReader> {
  const { request, reply, dataset, file } = asked;
  // The file must not be closed while the lock is waited for; the reader takes a lease of its own.
  const release = file.lease();
  const signal = signalOf(reply);
  const workers = workersOf(asked);
  return file.state.lock
    .withRead(
      () => {
        file.state.checkUsable();
        dataset.checkLength();
        checkIfMatch(request.headers['if-match'], standingOf(dataset));
        setState(asked, dataset.generation);
        const { view, itemsize } = part();
        const isShort = sizeOf(view.shape) * itemsize <= LIMITS.firstPieceBytes;
        const changedMs = dataset.changedMsFor(file, isShort);
        return openPieces(file, view, itemsize, workers, {
          inPlace,
          signal,
          // A long answer is cut where the header is another one; a short one is not sent at all.
          recheck: () => dataset.recheck(file, changedMs),
        });
      },
      { signal, client: workers.client },
    )
    .finally(release);
}

/** Pieces of what a claim holds, or of the file as it is now. */
export async function openElements(asked: Answer): Promise<PieceReader> {
  const { claim, view, from } = asked;
  const { itemsize } = from;
  if (!claim) return openAnswer(asked, () => ({ view, itemsize }), { inPlace: false });
  setState(asked, claim.generation);
  return claimedPieces(claim, view, itemsize, workersOf(asked), signalOf(asked.reply));
}

export function workersOf({ context, request }: Pick<Answer, 'context' | 'request'>): Workers {
  return context.pool.of(clientOf(request));
}

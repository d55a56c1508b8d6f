/**
 * Changes that bypass the journal: writes with durability none, of any size, and exchanges of the file itself. The
 * journal is emptied first, so that a replay never puts old bytes over newer ones.
 */
import type { Client } from '../fair-line.js';
import { checkpoint } from './checkpoint.js';
import type { Storage } from './commit.js';
import type { OpenFile } from './open-file.js';
import { bulkLoadError } from './refusals.js';
import { fromSystemError } from './system-errors.js';

export interface WriteThroughOptions {
  /** Runs before anything is changed; throws to refuse. */
  readonly precondition: (generation: number) => void;
  /** The change is a stream that may take long: other calls on the file are refused meanwhile, instead of waiting. */
  readonly bulk?: boolean;
  /** Fires when nobody waits for it any more: nothing is changed if nothing was yet. */
  readonly signal?: AbortSignal | undefined;
  /** Whose write it is. */
  readonly client?: Client | undefined;
}

/** Applies a change that is not durable until the next flush. Returns the generation that it makes. */
export function writeThrough(
  file: OpenFile,
  { generations, journals }: Storage,
  { precondition, bulk = false, signal, client }: WriteThroughOptions,
  apply: () => Promise<void>,
): Promise<number> {
  const { state } = file;
  const { fileId } = state;
  file.checkWritable();
  return state.writers.run(
    async () => {
      file.checkWritable();
      precondition(generations.current(fileId));
      // Before anything is awaited: nobody may get in line behind a stream without being told.
      state.bulkLoading = bulk;
      state.isWriting = true;
      // Commits that came while the stream waited for its turn would wait for all of it.
      if (bulk) for (const { reject } of state.commits.takeAll()) reject(bulkLoadError());
      try {
        if (state.journal?.isEmpty === false) await checkpoint(file, journals, 'keep');
        await generations.reserve(fileId);
        return await state.lock.withWrite(async () => {
          state.beginWrite();
          try {
            await apply();
          } finally {
            file.noteOwnWrite();
            // Also after a failure: some bytes may have changed, and no earlier answer may be taken for them.
            generations.advance(fileId);
          }
          return generations.current(fileId);
        }, signal);
      } catch (error) {
        throw fromSystemError(error);
      } finally {
        state.isWriting = false;
        if (bulk) state.bulkLoading = false;
      }
    },
    signal,
    client,
  );
}

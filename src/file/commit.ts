/**
 * The one way to change a file: under its write lock, with a generation reserved on disk beforehand, confirmed by a
 * sync before it is answered. A redo journal, which will make a write atomic against a crash, belongs in here, between
 * the lock and `apply`.
 */
import { HyperslabError } from '../errors.js';
import type { Generations } from './generations.js';
import { syncData } from './io.js';
import type { FileState, OpenFile } from './open-file.js';
import { fromSystemError } from './system-errors.js';

export type Durability = 'commit' | 'none';

export interface CommitOptions {
  readonly durability: Durability;
  /** Runs under the lock, before anything is changed; throws to refuse. */
  readonly precondition: (generation: number) => void;
  /** The change is a stream that may take long: other calls on the file are refused meanwhile, instead of waiting. */
  readonly bulk?: boolean;
}

/** Applies a change to a file and returns the generation that it makes. */
export async function commitChange(
  file: OpenFile,
  generations: Generations,
  { durability, precondition, bulk = false }: CommitOptions,
  apply: () => Promise<void>,
): Promise<number> {
  const { state } = file;
  const { fileId } = state;
  state.checkUsable();
  return state.lock.withWrite(async () => {
    precondition(generations.current(fileId));
    state.checkUsable();
    // Before anything is awaited: nobody may get in line behind a stream without being told.
    state.bulkLoading = bulk;
    try {
      await generations.reserve(fileId);
      state.writesStarted++;
      for (const cut of state.inPlaceAnswers) cut();
      state.unsynced = true;
      try {
        await apply();
        if (durability === 'commit') await syncOrGiveUp(file);
      } finally {
        // Also after a failure: some bytes may have changed, and no earlier answer may be taken for them.
        generations.advance(fileId);
      }
    } catch (error) {
      throw fromSystemError(error);
    } finally {
      if (bulk) state.bulkLoading = false;
    }
    return generations.current(fileId);
  });
}

/**
 * Runs work that takes a file away from its datasets, or puts another in its place, while nobody reads or writes it.
 * It does not wait for a stream. @throws bulk_load
 */
export function withFileToItself<T>(state: FileState, work: () => Promise<T>): Promise<T> {
  state.checkNotLoading();
  return state.lock.withWrite(work);
}

/** Puts everything that was written to the file on disk. */
export async function flushFile(file: OpenFile): Promise<void> {
  file.state.checkUsable();
  await syncOrGiveUp(file);
}

/**
 * A sync that failed must not be tried again: the kernel forgets the pages it could not write, and the next sync
 * "succeeds" without them.
 */
async function syncOrGiveUp(file: OpenFile): Promise<void> {
  try {
    // Before the sync: what is written while it runs is not covered by it.
    file.state.unsynced = false;
    await syncData(file.fd);
  } catch (error) {
    file.state.durabilityUnknown = true;
    throw new HyperslabError(
      'durability_unknown',
      'The disk did not confirm the write. Restart the service; it then serves what the disk holds.',
      {},
      { cause: error },
    );
  }
}

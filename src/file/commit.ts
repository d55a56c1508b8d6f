/**
 * The one way to change a file: under its write lock, with a generation reserved on disk beforehand, confirmed by a
 * sync before it is answered. A redo journal, which will make a write atomic against a crash, belongs in here, between
 * the lock and `apply`.
 */
import { HyperslabError } from '../errors.js';
import type { Generations } from './generations.js';
import { syncData } from './io.js';
import type { OpenFile } from './open-file.js';
import { fromSystemError } from './system-errors.js';

export type Durability = 'commit' | 'none';

export interface CommitOptions {
  readonly durability: Durability;
  /** Runs under the lock, before anything is changed; throws to refuse. */
  readonly precondition: (generation: number) => void;
}

/** Applies a change to a file and returns the generation that it makes. */
export async function commitChange(
  file: OpenFile,
  generations: Generations,
  { durability, precondition }: CommitOptions,
  apply: () => Promise<void>,
): Promise<number> {
  const { state } = file;
  const { fileId } = state;
  state.checkUsable();
  return state.lock.withWrite(async () => {
    state.checkUsable();
    precondition(generations.current(fileId));
    try {
      await generations.reserve(fileId);
    } catch (error) {
      throw fromSystemError(error);
    }
    state.writesStarted++;
    state.unsynced = true;
    try {
      await apply();
      if (durability === 'commit') await syncOrGiveUp(file);
    } catch (error) {
      throw fromSystemError(error);
    } finally {
      // Also after a failure: some bytes may have changed, and no earlier answer may be taken for them.
      generations.advance(fileId);
    }
    return generations.current(fileId);
  });
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

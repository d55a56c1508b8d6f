/**
 * Bringing an array file up to date with its journal: the array is synced first, the journal voided after it, never in
 * another order. Happens when the journal is large, when its file is idle or let go of, on flush, and before anything
 * that bypasses it. All of it is work of the file's writer: callers take their turn in `state.writers`.
 */
import { HyperslabError } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { Journals } from './journal/journals.js';
import type { FileState } from './file-state.js';
import type { OpenFile } from './open-file.js';
import { syncInSlices } from './write-out.js';

/**
 * Puts everything that was written to the file on disk and leaves its journal empty. `precondition` is asked when it is
 * its turn, and throws to refuse.
 */
export async function flushFile(file: OpenFile, journals: Journals, precondition = (): void => {}): Promise<void> {
  file.state.checkChangeable();
  await file.state.writers.run(async () => {
    file.state.checkChangeable();
    precondition();
    file.state.unsynced = true;
    await checkpoint(file, journals, 'give back');
  });
}

/**
 * The same where it has to be done, within a turn of the file's writer. Where `until` comes before, the journal stays as
 * it is. @throws durability_unknown
 */
export async function checkpoint(
  file: OpenFile,
  journals: Journals,
  room: 'keep' | 'give back',
  until?: number,
): Promise<void> {
  const { state } = file;
  const { journal } = state;
  const isLive = journal !== undefined && !journal.isEmpty;
  if (!state.unsynced && !isLive) return;
  try {
    // Before the sync: what is written while it runs is not covered by it.
    state.unsynced = false;
    if (!(await syncInSlices(file.fd, until))) {
      state.unsynced = true;
      return;
    }
    if (isLive) await journal.reset(file.identity.ino, room);
    journals.counts.checkpoints++;
  } catch (error) {
    throw durabilityLost(state, journals, error);
  }
}

/**
 * A sync that failed must not be tried again: the kernel forgets the pages it could not write, and the next sync
 * "succeeds" without them. What the disk holds is found out by the next start, which replays the journal.
 */
export function durabilityLost(state: FileState, journals: Journals, cause: unknown): HyperslabError {
  state.durabilityUnknown = true;
  journals.onLost(state.fileId, cause);
  return new HyperslabError(
    'durability_unknown',
    'The disk did not confirm the write. Restart the service; it then serves what the disk holds.',
    {},
    { cause },
  );
}

/** Empties the journal of a file that nobody has written for a while. One timer per file, however many commits. */
export function checkpointWhenIdle(file: OpenFile, journals: Journals): void {
  const { state } = file;
  state.lastCommit = performance.now();
  state.lastFile = file;
  if (state.idleTimer) return;
  const wait = (ms: number): void => {
    state.idleTimer = setTimeout(look, ms).unref();
  };
  const look = (): void => {
    const idleMs = performance.now() - state.lastCommit;
    if (idleMs < LIMITS.checkpointIdleMs) return wait(LIMITS.checkpointIdleMs - idleMs);
    state.idleTimer = undefined;
    // Another descriptor may have taken the place of the one that the timer was set for.
    const { lastFile: last } = state;
    // Whoever let go of the file has emptied its journal.
    if (!last || last.isDropped) return;
    const release = last.lease();
    void state.writers
      .run(async () => {
        if (!state.durabilityUnknown) await checkpoint(last, journals, 'give back');
      })
      // It is noted in the state, and told to whoever asks for the file next.
      .catch(() => undefined)
      .finally(release);
  };
  wait(LIMITS.checkpointIdleMs);
}

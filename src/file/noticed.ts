/** What other programs did to an open file, once it was noticed: the next answers have a generation of their own. */
import fs from 'node:fs';
import { LIMITS } from '../limits.js';
import type { FileState } from './file-state.js';
import type { Generations } from './generations.js';
import type { OpenFile } from './open-file.js';
import { fromSystemError } from './system-errors.js';

/** Moves the generation of a file that another program has written since it was last looked at. */
export async function countNoticed(file: OpenFile, generations: Generations): Promise<void> {
  if (!file.hasUnseenChange) return;
  file.hasUnseenChange = false;
  await advanceOpened(file.fd, file.state, generations);
}

/** The same of a file that was opened: its times say what its generation is, where that follows from them. */
export async function advanceOpened(fd: number, state: FileState, generations: Generations): Promise<void> {
  if (!generations.followed.has(state.fileId)) return advanceUnseen(state, generations);
  generations.followed.follow(state.fileId, fs.fstatSync(fd, { bigint: true }));
  state.writesStarted++;
}

/** Moves the generation of a file of which nobody knows what was changed. */
export async function advanceUnseen(state: FileState, generations: Generations): Promise<void> {
  // Beside those of a batch that has reserved its own and not used them yet.
  const count = 1 + LIMITS.batchCommitsMax;
  try {
    await generations.reserve(state.fileId, count);
  } catch (error) {
    // Whoever reads a file that was changed must not be refused because the disk is full.
    if (fromSystemError(error).code !== 'disk_full') throw error;
    generations.leap(state.fileId, count);
  }
  generations.advance(state.fileId);
  // A version that notes no change may have changed anything.
  state.writesStarted++;
}

/** Whatever an earlier run committed and did not apply comes before the first read of its file. */
import { fstatSync } from 'node:fs';
import { isErrorCode, systemErrorCode } from '../errors.js';
import { gapsOfOthers } from './alter.js';
import { durabilityLost } from './checkpoint.js';
import type { FileReference } from './file-reference.js';
import type { FileState } from './file-state.js';
import { readHead } from './head.js';
import { closeDescriptor } from './io.js';
import type { Journals } from './journal/journals.js';
import type { Roots } from './roots.js';
import { fromSystemError } from './system-errors.js';

interface Replaying {
  readonly roots: Roots;
  readonly journals: Journals;
  /** The service made the file, and no other program writes it. */
  readonly isOurs: boolean;
  /** Files can be mapped. */
  readonly isMappable: boolean;
}

/** Applies the journal of a file, if it has one that was left by an earlier run. @throws quarantined, file_changed */
export async function replayJournal(
  { fileId, realPath, header }: FileReference,
  state: FileState,
  { roots, journals, isOurs, isMappable }: Replaying,
): Promise<void> {
  if (!journals.isUnreplayed(fileId)) return;
  state.checkUsable();
  const fd = await roots.open(realPath, true);
  try {
    const { ino, size } = fstatSync(fd, { bigint: true });
    const isSameArray = (): boolean => !header || header.isIts(readHead(fd, header.bytes));
    const gaps = isOurs ? 'rewrite' : gapsOfOthers(isMappable);
    const found = { fileId, fd, bytes: Number(size), ino, isOurs, gaps, isSameArray };
    const { journal, end } = await journals.recover(found);
    state.journal = journal;
    state.recoveredEnd = end;
  } catch (error) {
    if (isErrorCode(error, 'quarantined')) state.damage = String(error.values['reason']);
    // What was being made durable may now be in memory alone, and would look well at a second try.
    else if (systemErrorCode(error) === 'EIO') throw durabilityLost(state, journals, error);
    throw fromSystemError(error);
  } finally {
    await closeDescriptor(fd);
  }
}

/**
 * An append of any size, durable and whole. What it adds goes behind the end of the file as it comes, where nobody looks;
 * when all of it is on the disk, one commit moves the end. Others may read meanwhile, and not write.
 * Hazard: a crash, or a client that goes away, leaves bytes behind the end that count for nothing. A record of the journal
 * says beforehand where the end is, so that a recovery cuts them off, and nothing that it does not know of.
 */
import type { Client } from '../fair-line.js';
import type { Ending } from './change.js';
import { checkpoint, durabilityLost } from './checkpoint.js';
import { commitInTurn, type CommitRequest, type Storage } from './commit.js';
import { holdBehind, type Growth } from './growth.js';
import { truncateDescriptor } from './io.js';
import { countNoticed } from './noticed.js';
import type { OpenFile } from './open-file.js';
import { bulkLoadError, failChanged } from './refusals.js';
import { fromSystemError } from './system-errors.js';
import { syncInSlices } from './write-out.js';

export interface LongAppend extends Pick<CommitRequest, 'precondition' | 'applier' | 'signal' | 'client'> {
  /** Planned before anything is laid down, with as many rows as are known of; and again when all of them are there. */
  readonly growth: Growth;
  /** Lays the rows down from where the file ends. */
  readonly lay: (ending: Ending) => Promise<void>;
  readonly client?: Client | undefined;
}

/** Returns the generation that it makes. The caller holds a lease on the file. @throws bulk_load, disk_full, cancelled */
export function layBehind(file: OpenFile, storage: Storage, append: LongAppend): Promise<number> {
  const { state } = file;
  file.checkWritable();
  return state.writers.run(() => layInTurn(file, storage, append), append.signal, append.client);
}

async function layInTurn(file: OpenFile, storage: Storage, append: LongAppend): Promise<number> {
  const { state } = file;
  const { generations, journals } = storage;
  file.checkWritable();
  // Before anything is awaited: nobody may get in line behind a stream without being told.
  state.isLengthening = true;
  for (const { reject } of state.commits.takeAll()) reject(bulkLoadError());
  try {
    file.recheck();
    await countNoticed(file, generations);
    append.precondition(generations.current(state.fileId));
    // Records from before would cut off what is laid down, when they are replayed.
    await checkpoint(file, journals, 'keep');
    const from = file.extent().bytes;
    const { ending } = append.growth.plan(undefined, from);
    state.isWriting = true;
    await noteEnd(file, storage, from);
    try {
      await layAll(file, storage, append, ending).finally(() => {
        // Who comes from now on waits for no stream.
        state.isLengthening = false;
      });
      return await commitInTurn(file, storage, { ...append, changes: [], growth: growthFrom(append, from) });
    } catch (error) {
      await cutBack(file, storage, from);
      throw error;
    }
  } catch (error) {
    throw fromSystemError(error);
  } finally {
    if (state.isWriting) file.noteOwnWrite();
    state.isLengthening = false;
  }
}

/** Says where the file ends, durably, before anything stands behind that. */
async function noteEnd(file: OpenFile, { journals }: Storage, from: number): Promise<void> {
  const { state } = file;
  const { ino } = file.identity;
  state.journal ??= await journals.create(state.fileId, ino);
  try {
    await state.journal.belongTo(ino);
    await state.journal.append([[{ from, end: from, isProvisional: true }]]);
    await state.journal.sync();
  } catch (error) {
    if (fromSystemError(error).code === 'disk_full') throw error;
    throw durabilityLost(state, journals, error);
  }
}

async function layAll(
  file: OpenFile,
  { journals }: Storage,
  { lay }: Pick<LongAppend, 'lay'>,
  ending: Ending,
): Promise<void> {
  const { state } = file;
  // A full disk is found out now, where it is known how much comes.
  await holdBehind(file.fd, ending);
  if (ending.end > ending.from) await truncateDescriptor(file.fd, ending.end);
  await lay(ending);
  state.unsynced = true;
  try {
    await syncInSlices(file.fd);
  } catch (error) {
    throw durabilityLost(state, journals, error);
  }
}

/** The commit of what has been laid down: the file has the length that it is to have already. */
function growthFrom({ growth }: Pick<LongAppend, 'growth'>, from: number): Growth {
  return {
    plan(before, fileBytes) {
      const grown = growth.plan(before, from);
      if (fileBytes !== grown.ending.end) {
        failChanged('written', 'Another program changed the length of the file while rows were appended to it.');
      }
      return { ...grown, holds: 'none' };
    },
  };
}

/** The file as it was: what was laid down goes, and the record that tells a recovery to cut it off. */
async function cutBack(file: OpenFile, { journals }: Storage, from: number): Promise<void> {
  const { state } = file;
  // What the disk has of it is found out by the next start.
  if (state.durabilityUnknown) return;
  try {
    if (file.extent().bytes >= from) await truncateDescriptor(file.fd, from);
    file.noteOwnWrite();
    state.unsynced = true;
  } catch (error) {
    throw durabilityLost(state, journals, error);
  }
  await checkpoint(file, journals, 'keep');
}

/**
 * A new array comes into being: its file and its manifest, both or neither. Both are on disk under temporary names
 * before either gets its own, so that a full disk is found out while nothing has changed. An array that is replaced is
 * held under its file's lock meanwhile. Hazard: between the two renames the old manifest describes the new file.
 */
import path from 'node:path';
import { systemErrorCode } from '../errors.js';
import type { Dataset } from '../dataset/dataset.js';
import { standingOf, type Precondition } from '../dataset/precondition.js';
import type { DatasetRecord } from '../dataset/record.js';
import { failExists, stageFile, type StagedFile } from '../file/atomic.js';
import { removeFile, withFolder } from '../file/folder.js';
import type { FileTable } from '../file/file-table.js';
import { inOwnFolder } from '../file/own-folder.js';
import { failNotRegular } from '../file/roots.js';
import { translated } from '../file/system-errors.js';
import type { Manifests } from './manifests.js';

export interface Placement {
  readonly record: DatasetRecord;
  readonly overwrite: boolean;
  /** The dataset of this name that it takes the place of. */
  readonly previous: Dataset | undefined;
  /** Asked again when the file of the previous one is held. */
  readonly precondition: Precondition;
  /** Writes the whole file. */
  readonly write: (fd: number) => Promise<void>;
  /** Makes the new dataset visible, and lets go of the previous one, before anybody else gets at its file. */
  readonly settle: () => Promise<void>;
}

/** @throws exists, not_a_regular_file, bulk_load, disk_full, file_denied, data_folder_refused */
export async function placeArray(files: FileTable, manifests: Manifests, placement: Placement): Promise<void> {
  const { record, overwrite, previous, write } = placement;
  // The data folder is the first of the roots.
  const inPlace = files.roots.locate(record.path)?.root === 0 ? inOwnFolder : translated;
  await translated(async () => {
    const isFresh = await inPlace(() => checkTarget(record.path, overwrite));
    if (previous) {
      const state = files.stateOf(previous.record.fileId);
      state.checkNotLoading();
      state.checkDurable();
    }
    const manifest = await manifests.stage(record);
    try {
      const file = await inPlace(() => stageFile(record.path, write));
      try {
        const exchange = (): Promise<void> => publishBoth(files, placement, { file, manifest, isFresh });
        await (previous ? files.withFileToItself(previous.record.fileId, exchange) : exchange());
      } finally {
        await file.discard();
      }
    } finally {
      await manifest.discard();
    }
  });
}

interface Staged {
  readonly file: StagedFile;
  readonly manifest: StagedFile;
  /** Nothing stands at the path yet. */
  readonly isFresh: boolean;
}

async function publishBoth(
  { generations, journals }: FileTable,
  { record, overwrite, previous, precondition, settle }: Placement,
  { file, manifest, isFresh }: Staged,
): Promise<void> {
  try {
    if (previous) {
      precondition(standingOf(previous));
      // The name goes on with its generations; after a crash between the renames, above those that were used.
      await generations.startAbove(record.fileId, previous.generation);
      await generations.reserve(previous.record.fileId);
      // What could not be replayed into the old file must not be replayed into the new one.
      if (journals.isUnreplayed(previous.record.fileId)) await journals.forget(previous.record.fileId, undefined);
    }
    await file.publish({ overwrite });
    await manifest.publish({ overwrite: true });
  } catch (error) {
    if (manifest.isPublished) {
      // Only the sync of its folder failed: what is served must be what the disk says.
      await settle();
    } else {
      if (file.isPublished && isFresh) await removeFile(record.path);
      else if (file.isPublished && previous) generations.advance(previous.record.fileId);
      await generations.abandon(record.fileId);
    }
    throw error;
  }
  await settle();
}

/** True when nothing stands at the path. @throws exists, not_a_regular_file */
async function checkTarget(target: string, overwrite: boolean): Promise<boolean> {
  try {
    const stats = await withFolder(path.dirname(target), folder => folder.look(path.basename(target)));
    if (!overwrite) failExists(target);
    return stats.isFile() ? false : failNotRegular();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    throw error;
  }
}

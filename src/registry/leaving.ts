/** How a dataset goes: its manifest first, then, where that is asked, the array itself. */
import { fail } from '../errors.js';
import { standingOf, type Precondition } from '../dataset/precondition.js';
import type { DatasetRecord } from '../dataset/record.js';
import { removeFile } from '../file/folder.js';
import { inOwnFolder } from '../file/own-folder.js';
import { translated } from '../file/system-errors.js';
import type { Catalog } from './catalog.js';
import { checkName, failMissing } from './names.js';
import { letGoOfPart } from './parts.js';

/** Forgets a dataset; with `deleteData` also its file. @throws not_owned, file_in_use, bulk_load */
export async function forgetDataset(
  catalog: Catalog,
  name: string,
  deleteData: boolean,
  precondition: Precondition,
): Promise<DatasetRecord | undefined> {
  checkName(name);
  return catalog.holding(name, async () => {
    const dataset = catalog.index.find(name);
    if (!dataset) {
      // A quarantined manifest may be given up, but what it points to is not known.
      const reason = catalog.index.reasonOf(name);
      if (reason === undefined || deleteData) failMissing(name, reason);
      precondition('untagged');
      await translated(() => catalog.manifests.remove(name));
      catalog.index.release(name);
      return undefined;
    }
    const { record } = dataset;
    // A write that is under way is finished first; one that waits behind will find no dataset.
    await catalog.files.withFileToItself(record.fileId, async () => {
      if (deleteData) checkDeletable(catalog, record);
      // The journal may hold the only copy of what was committed.
      else for (const fileId of fileIdsOf(record)) catalog.files.knownStateOf(fileId)?.checkDurable();
      precondition(standingOf(dataset));
      // The file goes on under another name; this one must not count from below when it comes again.
      if (dataset.pages || record.parts || catalog.claims.sharer(name, record.fileId)) {
        await translated(() => catalog.files.generations.passBy(dataset.generation));
      }
      await translated(() => catalog.manifests.remove(name));
      catalog.index.delete(dataset);
      catalog.claims.dropAll(name);
      await catalog.dropCounter(record);
      if (deleteData) await inOwnFolder(() => removeFile(record.path));
      await catalog.letGoOf(record.fileId);
    });
    // oxlint-disable-next-line no-await-in-loop
    for (const { fileId } of record.parts ?? []) await letGoOfPart(catalog, fileId);
    return record;
  });
}

/** @throws not_owned, file_in_use */
function checkDeletable(catalog: Catalog, record: DatasetRecord): void {
  if (!catalog.isOwned(record)) {
    fail(
      'not_owned',
      `The file of ${record.name} was not made by the service, and only such files are deleted. Use data=keep to forget the dataset.`,
      {
        dataset: record.name,
      },
    );
  }
  catalog.claims.checkUnshared(record);
}

function fileIdsOf({ fileId, parts }: DatasetRecord): string[] {
  return parts ? parts.map(part => part.fileId) : [fileId];
}

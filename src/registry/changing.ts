/** How a dataset changes: by a patch of its record, or by another header that its file has got. */
import type { Dataset } from '../dataset/dataset.js';
import { LengthMoved } from '../dataset/registration.js';
import { JoinedDataset } from '../dataset/joined.js';
import { standingOf, UNCONDITIONAL, type Precondition } from '../dataset/precondition.js';
import { fail } from '../errors.js';
import type { DatasetRecord } from '../dataset/record.js';
import type { OpenFile } from '../file/open-file.js';
import { translated } from '../file/system-errors.js';
import type { Catalog } from './catalog.js';
import { claimOf, identityOf } from './claims.js';
import { arrayIn, checkCanWrite, checkNesting } from './inspect.js';
import { endingAt } from './lengthening.js';
import { patchParts } from './parts.js';
import { becomesWritable, patchedRecord, relearnedRecord, type RecordPatch } from './records.js';

/** Patches what a client may change of a dataset. */
export async function patchDataset(
  catalog: Catalog,
  name: string,
  patch: RecordPatch,
  precondition: Precondition,
): Promise<Dataset> {
  return catalog.holding(name, async () => {
    const dataset = catalog.index.get(name);
    const { record } = dataset;
    if (dataset instanceof JoinedDataset) return patchParts(catalog, dataset, patch, precondition);
    if (patch.path !== undefined || patch.paths !== undefined) {
      fail('bad_request', 'path and paths are looked at again of an array in several files; this one is in one file.');
    }
    const changed = patchedRecord(record, patch);
    const isChecked = becomesWritable(record, changed);
    if (isChecked) checkNesting(dataset.geometry.dtype.itemsize, record.shape, record.strides);
    const layout = record.made ? undefined : record;
    if (isChecked) await checkCanWrite(catalog.files.roots, changed.path, catalog.remoteWrites, layout);
    const identity = await identityOf(changed.path);
    if (identity !== undefined) await catalog.claims.refreshOthers(identity, changed.path);
    catalog.claims.refresh(changed.path, identity);
    if (isChecked) catalog.claims.checkSoleWriter(name, identity, changed.path);
    const ask = (): void => precondition(standingOf(dataset));
    return catalog.claiming(claimOf(changed, identity), async claim => {
      if (record.external && !changed.external) return catalog.save(changed, claim, ask);
      if (precondition === UNCONDITIONAL) return catalog.save(changed, claim);
      const state = catalog.files.stateOf(record.fileId);
      state.checkNotLoading();
      // No write comes between the question and the change.
      return state.lock.withRead(() => {
        ask();
        return catalog.save(changed, claim);
      });
    });
  });
}

/** The dataset takes on what the header of its file says now. False where that is no array, or not a whole one. */
export async function relearn(catalog: Catalog, dataset: Dataset, file: OpenFile): Promise<boolean> {
  const { name, fileId } = dataset.record;
  return catalog.held.hold(name, async () => {
    // Another request was first; who has the old record is told all the same.
    if (catalog.index.find(name) !== dataset) return true;
    const record = await recordOf(dataset, file);
    if (!record) return false;
    // Where a raw array ends is said by its journal alone until now, which is emptied next.
    if (record.format === 'raw') await translated(() => catalog.manifests.save(record));
    // What the journal holds was meant for the array that is gone, and has been applied.
    await translated(() =>
      catalog.files.countUnseenChange(
        fileId,
        () => {
          // A growth of ours came first: what was read of the header is out of date.
          const present = catalog.index.find(name);
          if (present !== dataset) throw new LengthMoved((present ?? dataset).record.shape);
        },
        {
          prepare: () => catalog.manifests.save(record),
          settle() {
            const { dev, ino } = file.identity;
            catalog.claims.refresh(record.path, `${dev}:${ino}`);
            // They were pages of the array that is gone.
            dataset.pages?.clear();
            file.state.recoveredEnd = undefined;
            dataset.registration.shape = record.shape;
            catalog.index.insert(record);
          },
        },
      ),
    );
    return true;
  });
}

/** By the header of a .npy, or by where a raw file ends by its journal. */
async function recordOf({ record, geometry }: Dataset, file: OpenFile): Promise<DatasetRecord | undefined> {
  if (record.format === 'raw') return endingAt(record, geometry.dtype.itemsize, file.state.recoveredEnd!);
  const array = await arrayIn(file.fd, record);
  return array && relearnedRecord(record, array);
}
